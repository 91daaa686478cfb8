"""A stream that an executor appended to last is not loaded: what another replica did since still counts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from shared.contracts.registration import TrainingHeld
from shared.kernel.actors import Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.errors import DomainError
from shared.kernel.ids import new_id
from shared.runtime.definition import Definition
from shared.runtime.executor import Answer, Call, Executor
from shared.store import eventstore
from tests.integration.store.office import STATION, WELDER, Office, somebody

TRAINER = somebody("trainer", Role.TRAINER)
ROOM = 3


class RoomIsFull(DomainError):
    """Nobody else finds a place."""


class RoomIsEmpty(DomainError):
    """Nobody is there who could leave."""


@dataclass(frozen=True, kw_only=True)
class Come(Command):
    room: str


@dataclass(frozen=True, kw_only=True)
class Leave(Command):
    room: str


@dataclass(frozen=True, kw_only=True)
class ComeIfNobodyIsThere(Command):
    room: str


@dataclass(frozen=True)
class Room:
    people: int = 0


room: Aggregate[Room] = Aggregate("room", Room())


def counted(command: Any, people: int) -> Facts:
    about = {"training": command.room, "batch": "", "station": STATION, "occupation": WELDER}
    return [TrainingHeld(**about, trainer=TRAINER.id, trainees=(), hours=people)]


@room.decides(Role.TRAINER)
def come(command: Come, state: Room) -> Facts:
    if state.people == ROOM:
        raise RoomIsFull
    return counted(command, state.people + 1)


@room.decides(Role.TRAINER)
def leave(command: Leave, state: Room) -> Facts:
    if state.people == 0:
        raise RoomIsEmpty
    return counted(command, state.people - 1)


@room.decides(Role.TRAINER)
def come_if_nobody_is_there(command: ComeIfNobodyIsThere, state: Room) -> Facts:
    return [] if state.people else counted(command, 1)


@room.evolves
def held(event: TrainingHeld, _state: Room) -> Room:
    return Room(event.hours)


HOUSE = Definition("registration", "services.registration", aggregates=(room,))


class Replica:
    """One of several executors of a service."""

    def __init__(self, office: Office, **options: Any) -> None:
        self.executor = Executor(HOUSE, office.source, **options)
        self.connection = office.connect()

    def run(self, command: type[Command], room: str = "one", id: str = "") -> Answer:
        return self.executor.run(self.connection, command, {"room": room}, Call(id or new_id(), TRAINER))


@pytest.fixture
def replicas(office: Office) -> tuple[Replica, Replica]:
    return Replica(office), Replica(office)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The streams that are loaded, in order."""
    found: list[str] = []
    load: Callable[..., Any] = eventstore.load

    def noted(connection: Connection[Any], stream: str, last: int | None = None) -> Any:
        found.append(stream)
        return load(connection, stream, last)

    monkeypatch.setattr(eventstore, "load", noted)
    return found


def people(office: Office) -> list[int]:
    """How many there were, event by event."""
    return [event["data"]["hours"] for event in office.drafts()]


def test_a_stream_is_loaded_once_and_then_known(office, replicas, loads):
    Replica(office).run(Come)
    loads.clear()
    here, _ = replicas
    assert [here.run(each)["version"] for each in (Come, Come, Leave, Leave)] == [2, 3, 4, 5]
    assert loads == ["room-one"]
    assert people(office) == [1, 2, 3, 2, 1]


def test_a_stale_acceptance_conflicts_and_is_decided_again(office, replicas, loads):
    here, there = replicas
    here.run(Come)
    there.run(Come)
    loads.clear()
    assert here.run(Come)["version"] == 3
    assert loads == ["room-one"]
    assert people(office) == [1, 2, 3]


def test_a_stale_acceptance_becomes_a_refusal_where_nothing_is_left(office, replicas):
    here, there = replicas
    here.run(Come)
    there.run(Come)
    there.run(Come)
    with pytest.raises(RoomIsFull):
        here.run(Come)
    assert people(office) == [1, 2, 3]


def test_a_stale_refusal_is_not_believed(office, replicas, loads):
    here, there = replicas
    for _ in range(ROOM):
        here.run(Come)
    there.run(Leave)
    loads.clear()
    assert here.run(Come)["version"] == 5
    assert loads == ["room-one"]
    assert people(office) == [1, 2, 3, 2, 3]


def test_a_stale_state_of_which_nothing_follows_is_not_believed(office, replicas):
    here, there = replicas
    here.run(Come)
    there.run(Leave)
    assert here.run(ComeIfNobodyIsThere)["version"] == 3
    assert people(office) == [1, 0, 1]


def test_a_refusal_that_is_right_is_given_after_loading(replicas, loads):
    here, _ = replicas
    here.run(Come)
    here.run(Leave)
    loads.clear()
    with pytest.raises(RoomIsEmpty):
        here.run(Leave)
    assert loads == ["room-one"]


def test_replicas_in_turns_lose_nothing(office, replicas):
    for place in range(12):
        replicas[place // 2 % 2].run(Come if place % 4 < 2 else Leave)
    assert people(office) == [1, 2, 1, 0] * 3


def test_a_repeated_command_is_answered_as_before_whoever_is_asked(office, replicas):
    here, there = replicas
    id = new_id()
    answer = here.run(Come, id=id)
    there.run(Come)
    assert here.run(Come, id=id) == there.run(Come, id=id) == answer
    assert people(office) == [1, 2]


def test_an_append_that_was_rolled_back_is_not_known(office, replicas, loads):
    here, _ = replicas
    here.run(Come)

    def fail(connection: Connection[Any]) -> None:
        connection.execute("SELECT 1 / 0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        here.executor.run(here.connection, Come, {"room": "one"}, Call(new_id(), TRAINER), alongside=fail)
    assert here.run(Come)["version"] == 2
    assert people(office) == [1, 2]


def test_who_has_lost_a_connection_knows_nothing_more(office, replicas, loads):
    here, _ = replicas
    here.run(Come)
    office.kill(here.connection)
    with pytest.raises(psycopg.OperationalError):
        here.run(Come)
    here.connection = office.connect()
    loads.clear()
    assert here.run(Come)["version"] == 2
    assert loads == ["room-one"]


def test_streams_that_nobody_asks_for_are_forgotten(office, loads):
    small = Replica(office, known_events=2)
    for name in ("one", "two", "three"):
        small.run(Come, name)
    loads.clear()
    small.run(Come, "one")
    assert loads == ["room-one"]
