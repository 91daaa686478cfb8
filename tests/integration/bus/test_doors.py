"""Who is let in: whoever may not ask learns nothing but that, before anything is looked up."""

import random
from typing import Any

import orjson
import pytest

from shared.bus.calls import Refused
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id, new_id
from shared.runtime.callers import FOLLOWERS
from shared.runtime.demo.people import fictional
from shared.testing.calls import calling
from shared.testing.postgres import Cluster
from shared.testing.processes import Processes
from tests.integration.store.office import claim

CLERK = Actor(derived_id("clerk"), Role.EXAM_AFFAIRS, "station-10012003")
CANDIDATE = Actor(derived_id("candidate"), Role.CANDIDATE, "station-10012003")
KNOWN, OTHER = fictional(2, random.Random(7), new_id)


@pytest.fixture
def registration(processes: Processes) -> None:
    processes.run("serve", "registration")


def _attempts(databases: Cluster) -> list[dict[str, Any]]:
    with databases.connect("registration", "admin") as connection:
        rows = connection.execute(
            "SELECT draft FROM events WHERE stream LIKE 'attempt-%' ORDER BY seq"
        ).fetchall()
    return [orjson.loads(draft) for (draft,) in rows]


@pytest.mark.usefixtures("registration")
def test_a_wrong_role_learns_nothing_of_who_is_enrolled(bus: str, databases: Cluster) -> None:
    with calling(bus, CLERK) as ask:
        ask("registration", "enrol_person", command_id=new_id(), **KNOWN.enrolment())
    questions = [
        ("enrol_person", KNOWN.enrolment()),  # the same person
        ("enrol_person", {**OTHER.enrolment(), "candidate": KNOWN.id}),  # another behind a known id
        ("enrol_person", OTHER.enrolment()),  # nobody known
        ("submit_application", {**claim("", "spring"), "candidate": KNOWN.id}),
        ("submit_application", claim("nobody", "spring")),
    ]
    with calling(bus, CANDIDATE) as ask:
        for method, message in questions:
            with pytest.raises(Refused) as refusal:
                ask("registration", method, command_id=new_id(), **message)
            assert refusal.value.problem["code"] == "RoleNotAllowed"
    attempts = _attempts(databases)
    assert [attempt["data"]["command"] for attempt in attempts] == ["EnrolPerson"] * 3 + [
        "SubmitApplication"
    ] * 2
    assert {(attempt["actor"], attempt["role"], attempt["data"]["code"]) for attempt in attempts} == {
        (CANDIDATE.id, "candidate", "RoleNotAllowed")
    }


@pytest.mark.usefixtures("registration")
def test_a_whole_log_is_for_those_who_follow_it(bus: str) -> None:
    refused = set()
    for role in Role:
        with calling(bus, Actor("somebody", role, "centre")) as ask:
            try:
                assert ask("registration", "events_after", position=0)["events"] == []
            except Refused as refusal:
                refused.add((role, refusal.problem["code"]))
    assert refused == {(role, "NotForThisRole") for role in set(Role) - FOLLOWERS}
    with calling(bus) as ask, pytest.raises(Refused) as refusal:
        ask("registration", "events_after", position=0)
    assert refusal.value.problem["field"] == "actor"


def test_the_log_is_verified_for_supervision_alone(bus: str, processes: Processes) -> None:
    processes.run("serve", "audit")
    for role in (Role.EXAMINER, Role.STATION_REVIEWER):
        with calling(bus, Actor("somebody", role, "centre")) as ask, pytest.raises(Refused) as refusal:
            ask("audit", "verify")
        assert refusal.value.problem["code"] == "NotForThisRole"
