"""A stranger can subscribe: the examples run as they stand, against real services."""

import random
from pathlib import Path
from typing import Any

import orjson
import pika

from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.runtime.demo.people import fictional
from shared.testing.calls import calling
from shared.testing.processes import Process, Processes
from tests.integration.bus.ledger import STATION, Ledger
from tests.integration.bus.queues import Queues

AT_STATION = f"station-{STATION}"


def test_both_example_subscribers_hear_of_a_candidate_registered_by_real_commands(
    bus: str, project: Path, ledger: Ledger, processes: Processes
) -> None:
    processes.run("serve", "registration")
    processes.run("relay", "registration")
    with_nameko = start(processes, project, bus, "nameko")
    with_pika = start(processes, project, bus, "pika")
    candidate, batch = register(bus)
    with_nameko.await_line(f"5 candidate {candidate} for batch {batch}")
    with_pika.await_line("5 CandidateRegistered")
    assert len(with_nameko.said("candidate")) == 1
    types = [orjson.loads(sealed)["type"] for sealed in ledger.log()]
    assert [line.split()[:2] for line in with_pika.said("-")] == [
        [str(position), type_] for position, type_ in enumerate(types, start=1)
    ]
    assert not with_pika.said("GAP")


def test_the_example_with_a_chain_tells_a_repeated_event_from_one_that_does_not_follow(
    bus: str, queues: Queues, project: Path, ledger: Ledger, processes: Processes
) -> None:
    example = start(processes, project, bus, "pika")
    ledger.trained(2)
    processes.run("relay", "registration")
    example.await_line("2 TrainingHeld")
    first, second = ledger.log()
    altered = second.replace(b'"position":2', b'"position":3')
    for body in (first, second, altered):
        queues.publish(body, pika.BasicProperties())
    example.await_line("3 TrainingHeld")
    assert len(example.said("TrainingHeld")) == 3
    assert len(example.said("GAP OR ALTERED")) == 1


def start(processes: Processes, project: Path, bus: str, name: str) -> Process:
    example = processes.program(project / "examples" / f"subscriber_{name}.py", bus)
    example.await_line("listening")
    return example


def register(bus: str) -> tuple[str, str]:
    """One person, from enrolment to the centre's review; (candidate, batch)."""
    person, application, batch = fictional(1, random.Random(1), new_id)[0], new_id(), new_id()
    steps: list[tuple[Role, str, str, dict[str, Any]]] = [
        (Role.EXAM_AFFAIRS, AT_STATION, "enrol_person", person.enrolment()),
        (Role.EXAM_AFFAIRS, AT_STATION, "submit_application", submission(person.id, application, batch)),
        (Role.STATION_REVIEWER, AT_STATION, "pass_station_review", {"application": application}),
        (Role.CENTRE_REVIEWER, "centre", "pass_centre_review", {"application": application}),
    ]
    for role, body, command, message in steps:
        with calling(bus, Actor(new_id(), role, body)) as ask:
            ask("registration", command, command_id=new_id(), **message)
    return person.id, batch


def submission(candidate: str, application: str, batch: str) -> dict[str, Any]:
    return {
        "application": application,
        "candidate": candidate,
        "batch": batch,
        "station": STATION,
        "occupation": "化工分析工",
        "catalogue": "1999",
        "level": 4,
        "kind": "student",
        "held_level": 0,
        "years_in_trade": 0,
        "education": "vocational_school",
        "evidence": ["0" * 64],
    }
