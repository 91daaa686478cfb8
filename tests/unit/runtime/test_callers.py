"""Who calls: spelled so that nothing about a person can slip into the log."""

import pytest

from shared.kernel.actors import Actor, Role
from shared.kernel.errors import InvalidInput
from shared.runtime.callers import read_actor

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
