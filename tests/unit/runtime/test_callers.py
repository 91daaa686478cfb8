"""Who calls: spelled so that nothing about a person can slip into the log."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.kernel.actors import Actor, Role
from shared.kernel.clock import utc_now
from shared.kernel.errors import InvalidInput
from shared.runtime.callers import Trust, read_actor, scoped, station_of
from shared.security.tokens import Keyring, Mint, TokenExpired, TokenInvalid, TokenMissing

CLERK = {"actor": "0199c0de-0000-7000-8000-00000000c1e4", "role": "exam_affairs", "body": "station-10012003"}


@pytest.mark.parametrize(
    "actor", ["clerk-1", "a", "A.b_c-9", "x" * 64, "99999999-0000-4000-8000-123456789012", "id-12345678"]
)
def test_an_opaque_id_is_taken(actor: str) -> None:
    assert read_actor({**CLERK, "actor": actor}) == Actor(actor, Role.EXAM_AFFAIRS, "station-10012003")


@pytest.mark.parametrize(
    "actor",
    ["", "x" * 65, "-x", ".x", "a b", "a@b", "虚构某人", "clerk\n", "13800000000", "tel-123456789", "9" * 18],
)
def test_an_id_that_may_tell_of_a_person_is_refused(actor: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_actor({**CLERK, "actor": actor})
    assert refusal.value.problem()["field"] == "actor"
    assert actor not in str(refusal.value) or not actor


@pytest.mark.parametrize("body", ["centre", "station-00000000"])
def test_a_body_is_the_centre_or_a_station(body: str) -> None:
    assert read_actor({**CLERK, "body": body}).body == body


@pytest.mark.parametrize(
    "body",
    ["", "Centre", "station-1234567", "station-123456789", "station-1234567x", "station-１２３４５６７８",
     "centre\n", "/centre"],
)  # fmt: skip
def test_any_other_body_is_refused(body: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_actor({**CLERK, "body": body})
    problem = refusal.value.problem()
    assert problem["field"] == "body"
    assert "centre" in problem["zh"]
    assert "8 digits" in problem["en"]


def test_only_a_service_may_call_itself_a_service() -> None:
    service = {**CLERK, "role": "service"}
    assert read_actor(service, services=True).role is Role.SERVICE
    with pytest.raises(InvalidInput):
        read_actor(service)


# -- with a token


@pytest.fixture
def mint(tmp_path: Path) -> Mint:
    return Mint.load(tmp_path, "/centre/registration")


@pytest.fixture
def required(mint: Mint, tmp_path: Path) -> Trust:
    return Trust(Keyring(tmp_path), required=True)


ACTOR = Actor(CLERK["actor"], Role.EXAM_AFFAIRS, CLERK["body"])


def test_the_actor_is_who_the_token_says(mint: Mint, required: Trust) -> None:
    token = mint.issue(ACTOR)
    assert read_actor({"token": token}, required) == ACTOR
    assert read_actor({**CLERK, "token": token}, required) == ACTOR
    assert read_actor({"actor": "", "role": "", "body": "", "token": token}, required) == ACTOR


@pytest.mark.parametrize(
    ("field", "other"), [("actor", "somebody"), ("role", "supervisor"), ("body", "centre"), ("role", None)]
)
def test_a_call_that_says_somebody_else_than_its_token_is_refused(
    mint: Mint, tmp_path: Path, field: str, other: Any
) -> None:
    for trust in (Trust(Keyring(tmp_path), required=True), Trust(Keyring(tmp_path), required=False)):
        with pytest.raises(TokenInvalid) as refusal:
            read_actor({**CLERK, field: other, "token": mint.issue(ACTOR)}, trust)
        assert refusal.value.field == field


def test_without_a_token_nobody_calls_where_they_are_required(required: Trust) -> None:
    for data in (CLERK, {**CLERK, "token": ""}, {**CLERK, "token": None}, {}):
        with pytest.raises(TokenMissing):
            read_actor(data, required)
    service = {"actor": "audit", "role": "service", "body": "centre"}
    with pytest.raises(TokenMissing):
        read_actor(service, required, services=True)
    assert read_actor(CLERK, replace(required, required=False)) == ACTOR


def test_a_token_that_is_shown_is_looked_at_even_where_none_is_required(mint: Mint, tmp_path: Path) -> None:
    accepted = Trust(Keyring(tmp_path), required=False)
    for wrong in ("x", 7, ["x"], {"token": "x"}):
        with pytest.raises(TokenInvalid):
            read_actor({**CLERK, "token": wrong}, accepted)
    with pytest.raises(TokenExpired):
        read_actor({**CLERK, "token": mint.issue(ACTOR, utc_now() - timedelta(hours=1))}, accepted)
    with pytest.raises(TokenInvalid):
        read_actor({**CLERK, "token": mint.issue(ACTOR)})  # nobody here can tell


def test_a_service_shows_a_token_of_its_own(tmp_path: Path, required: Trust) -> None:
    us = Actor("audit", Role.SERVICE, "centre")
    token = Mint.load(tmp_path, "/centre/audit").issue(us)
    assert read_actor({"token": token}, required, services=True) == us
    with pytest.raises(InvalidInput):
        read_actor({"token": token}, required)


@pytest.mark.parametrize(
    ("role", "body", "station"),
    [
        (Role.EXAM_AFFAIRS, "station-10012003", "10012003"),
        (Role.SUPERVISOR, "station-10012003", "10012003"),
        (Role.EXAM_AFFAIRS, "centre", ""),
        (Role.EXAMINER, "station-10012003", ""),
        (Role.CANDIDATE, "station-10012003", ""),
        (Role.SERVICE, "station-10012003", ""),
    ],
)
def test_the_staff_of_a_station_have_one_whose_rows_they_see(role: Role, body: str, station: str) -> None:
    assert station_of(Actor("somebody", role, body)) == station


def test_a_query_is_kept_to_a_station_where_its_rows_belong_to_one() -> None:
    def rows(own: str = "") -> str:
        return own

    def keys() -> str:
        return "of everybody"

    assert scoped(rows, "10012003")() == "10012003"
    assert scoped(keys, "10012003")() == "of everybody"
