"""Parked events: shown, repaired, skipped and replayed in their order."""

from threading import Event
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from shared.store import inbox, parking
from shared.store.inbox import Applied
from shared.store.parking import NotParked
from shared.wire.envelope import read
from tests.integration.store.copying import Copying, batch_of, no_feed, stream_of, tell
from tests.integration.store.office import DEADLINE, STATION, Office, at_once, raising, until
from tests.integration.store.source import Source

COPY, SCHEDULING = "copy", "/centre/scheduling"


@pytest.fixture
def source() -> Source:
    return Source("scheduling")


@pytest.fixture
def copy(office: Office, source: Source) -> Copying:
    """One that has parked a1, a2 and a3, and applied b1."""
    copy = Copying(office)
    copy.poison = {"a1"}
    copy.reception(source, feed=no_feed).receive("scheduling", tell(source, "a1", "a2", "b1", "a3"))
    return copy


def _replay(office: Office, copy: Copying) -> tuple[int, str]:
    return parking.replay(office.connection, copy.consumer, SCHEDULING, stream_of("a1"))


def _statuses(office: Office) -> list[tuple[int, str]]:
    rows = parking.parked(office.connection, everything=True)
    return [(row["position"], row["status"]) for row in rows]


def test_a_parked_event_is_shown_with_its_content_and_why(
    office: Office, copy: Copying, source: Source
) -> None:
    waiting = parking.parked(office.connection)
    assert [(row["consumer"], row["source"], row["position"]) for row in waiting] == [
        (COPY, SCHEDULING, position) for position in (1, 2, 4)
    ]
    shown = parking.show(office.connection, COPY, SCHEDULING, 1)
    assert shown["event"] == read(source.bodies[0]).attributes
    assert (shown["reason"], shown["status"], shown["repaired"]) == ("CannotTakeIt: not a1", "parked", None)
    assert shown["stream"] == stream_of("a1")


def test_what_was_settled_is_told_on_request_newest_first(office: Office, copy: Copying) -> None:
    parking.skip(office.connection, COPY, SCHEDULING, 2, "ops", "twice")
    told = [(row["position"], row["status"], row["repair"]) for row in parking.latest(office.connection, 2)]
    assert told == [(4, "parked", None), (2, "skipped", "ops: twice")]
    assert len(parking.latest(office.connection, 9)) == 3


def test_once_the_cause_is_gone_replay_applies_them_in_order_and_the_stream_flows_again(
    office: Office, copy: Copying, source: Source
) -> None:
    copy.poison = set()
    assert _replay(office, copy) == (3, "")
    copy.reception(source, feed=no_feed).receive("scheduling", tell(source, "a4"))
    assert copy.applied == ["b1", "a1", "a2", "a3", "a4"]
    assert parking.parked(office.connection) == []
    assert _statuses(office) == [(1, "replayed"), (2, "replayed"), (4, "replayed")]
    assert _replay(office, copy) == (0, ""), "replayed once is replayed for good"


def test_replay_stops_at_an_event_that_still_fails_and_the_later_ones_wait(
    office: Office, copy: Copying, source: Source
) -> None:
    assert _replay(office, copy) == (0, "CannotTakeIt: not a1")
    copy.poison = {"a2"}
    assert _replay(office, copy) == (1, "CannotTakeIt: not a2")
    copy.reception(source, feed=no_feed).receive("scheduling", tell(source, "a4"))
    assert copy.applied == ["b1", "a1"]
    assert _statuses(office) == [(1, "replayed"), (2, "parked"), (4, "parked"), (5, "parked")]


def test_a_repaired_payload_is_what_the_handler_gets_and_the_event_stays_what_it_is(
    office: Office, copy: Copying, source: Source
) -> None:
    data = {"batch": batch_of("a1"), "station": STATION, "notice": "as repaired", "approved": 1}
    parking.repair(office.connection, COPY, SCHEDULING, 1, data, "operator-7", "a notice without a number")
    assert _replay(office, copy) == (3, "")
    assert copy.applied == ["b1", "as repaired", "a2", "a3"]
    shown = parking.show(office.connection, COPY, SCHEDULING, 1)
    assert shown["event"]["data"]["notice"] == "a1"
    assert shown["repaired"] == data
    assert shown["repair"] == "operator-7: a notice without a number"


def test_a_skipped_event_is_kept_with_who_and_why_and_the_next_ones_are_replayed(
    office: Office, copy: Copying
) -> None:
    parking.skip(office.connection, COPY, SCHEDULING, 1, "operator-7", "belongs to a rehearsal")
    assert _replay(office, copy) == (2, "")
    assert copy.applied == ["b1", "a2", "a3"]
    shown = parking.show(office.connection, COPY, SCHEDULING, 1)
    assert (shown["status"], shown["repair"]) == ("skipped", "operator-7: belongs to a rehearsal")


def test_after_a_skip_later_events_still_wait_for_those_that_are_parked(
    office: Office, copy: Copying, source: Source
) -> None:
    parking.skip(office.connection, COPY, SCHEDULING, 1, "operator-7", "belongs to a rehearsal")
    copy.reception(source, feed=no_feed).receive("scheduling", tell(source, "a4"))
    assert copy.applied == ["b1"]
    assert _replay(office, copy) == (3, "")
    assert copy.applied == ["b1", "a2", "a3", "a4"]


@pytest.mark.parametrize("position", [1, 3, 99])
def test_only_what_waits_can_be_repaired_or_skipped(office: Office, copy: Copying, position: int) -> None:
    copy.poison = set()
    _replay(office, copy)
    with pytest.raises(NotParked):
        parking.repair(office.connection, COPY, SCHEDULING, position, {}, "operator-7", "too late")
    with pytest.raises(NotParked):
        parking.skip(office.connection, COPY, SCHEDULING, position, "operator-7", "too late")


def test_what_never_was_parked_cannot_be_shown(office: Office, copy: Copying) -> None:
    with pytest.raises(NotParked):
        parking.show(office.connection, COPY, SCHEDULING, 3)


def test_a_passing_error_undoes_the_whole_replay(office: Office, copy: Copying) -> None:
    copy.poison = set()
    applied: list[int] = []

    def fail_at_the_second(connection: Connection[Any]) -> None:
        applied.append(1)
        if len(applied) == 2:
            connection.execute(raising("40001"))

    copy.after_effect = fail_at_the_second
    with pytest.raises(psycopg.errors.SerializationFailure):
        _replay(office, copy)
    assert copy.applied == ["b1"]
    assert {status for _, status in _statuses(office)} == {"parked"}


def test_an_event_that_arrives_during_a_replay_waits_and_overtakes_nothing(
    office: Office, copy: Copying, source: Source
) -> None:
    copy.poison = set()
    arriving, replaying = office.connect(), Event()
    tell(source, "a4")

    def hold_until_the_other_waits(connection: Connection[Any]) -> None:
        replaying.set()
        if connection is not arriving:
            until(lambda: office.waits_for_a_lock(arriving))

    copy.before_effect = hold_until_the_other_waits
    replayed, applied = at_once(
        [
            lambda: _replay(office, copy),
            lambda: (
                replaying.wait(DEADLINE) and inbox.apply(arriving, copy.consumer, SCHEDULING, source.events())
            ),
        ]
    )
    assert replayed == (3, "")
    assert applied == Applied(5, gap=False)
    assert copy.applied == ["b1", "a1", "a2", "a3", "a4"]
