"""The inbox: whatever the bus does, every effect happens once and in order."""

import logging
from collections.abc import Sequence
from functools import partial
from threading import Event
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from shared.kernel.errors import Conflict
from shared.runtime.delivery import FeedUnavailable
from shared.store import inbox, parking
from shared.store.inbox import ATTEMPTS, Applied, ChainBroken, Consumer
from shared.wire.canonical import canonical
from shared.wire.envelope import Sealed, read
from tests.integration.store.copying import Copying, no_feed, tell
from tests.integration.store.office import DEADLINE, Office, at_once, raising, until
from tests.integration.store.source import Source


@pytest.fixture
def copy(office: Office) -> Copying:
    return Copying(office)


@pytest.fixture
def source() -> Source:
    return Source("scheduling")


def _rejected(office: Office) -> list[tuple[bytes, str]]:
    with office.admin.cursor(binary=True) as cursor:
        return cursor.execute("SELECT body, reason FROM rejected ORDER BY id").fetchall()


def test_an_event_that_comes_twice_has_one_effect(copy: Copying, source: Source) -> None:
    first, second = tell(source, "a1", "a2")
    reception = copy.reception(source, feed=no_feed)
    for bodies in ([first], [first], [first, second, second], [second, first]):
        reception.receive("scheduling", bodies)
    assert copy.applied == ["a1", "a2"]


def test_events_out_of_order_within_a_batch_are_applied_in_order(copy: Copying, source: Source) -> None:
    first, second, third = tell(source, "a1", "b1", "a2")
    copy.reception(source, feed=no_feed).receive("scheduling", [third, first, second])
    assert copy.applied == ["a1", "b1", "a2"]


def test_many_events_are_applied_in_several_transactions_so_that_none_holds_the_log_back(
    office: Office, source: Source
) -> None:
    seen: list[tuple[int, int]] = []

    def take(connection: Connection[Any], events: Sequence[Sealed]) -> None:
        row = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
        assert row is not None
        seen.append((int(row[0]), len(events)))

    events = [read(body) for body in tell(source, *(f"a{number}" for number in range(11)))]
    consumer = Consumer("few", frozenset({"scheduling"}), take, at_once=2)
    with office.visit() as connection:
        assert inbox.apply(connection, consumer, source.name, events) == Applied(11, gap=False)
    assert sum(count for _, count in seen) == 11
    assert seen[0][1] == 2
    assert len({transaction for transaction, _ in seen}) == len(seen) > 1


def test_transactions_stay_large_while_they_are_quick_and_shrink_when_one_was_not(
    office: Office, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    events = [read(body) for body in tell(source, *(f"a{number}" for number in range(30)))]
    consumer = Consumer("few", frozenset({"scheduling"}), lambda _, some: seen.append(len(some)), at_once=2)
    with office.visit() as connection:
        for part in (events[:6], events[6:14], events[14:]):
            inbox.apply(connection, consumer, source.name, part)
            monkeypatch.setattr(inbox, "_QUICK", 60.0 if part is events[:6] else 1e-9)
    assert seen == [2, 4, 8, 2, 2, 2, 2, 2, 2, 2, 2]


def test_what_comes_before_a_gap_is_applied_and_nothing_behind_it(office: Office, source: Source) -> None:
    seen: list[int] = []
    events = [read(body) for body in tell(source, "a1", "a2", "a3", "a4", "a5", "a6")]
    consumer = Consumer(
        "few", frozenset({"scheduling"}), lambda _, some: seen.extend(e.position for e in some), at_once=1
    )
    with office.visit() as connection:
        assert inbox.apply(connection, consumer, source.name, [*events[:3], events[5]]).gap
    assert seen == [1, 2, 3]


def test_a_gap_is_filled_from_the_feed_of_the_source(copy: Copying, source: Source) -> None:
    first, *_, last = tell(source, "a1", "a2", "b1", "a3")
    reception = copy.reception(source)
    reception.receive("scheduling", [first])
    reception.receive("scheduling", [last])
    assert copy.applied == ["a1", "a2", "b1", "a3"]


def test_a_gap_is_not_stepped_over_while_the_source_does_not_answer(copy: Copying, source: Source) -> None:
    first, second, third = tell(source, "a1", "a2", "a3")
    reception = copy.reception(source, feed=no_feed)
    for _ in range(2):
        with pytest.raises(FeedUnavailable):
            reception.receive("scheduling", [first, third])
    assert (copy.applied, copy.position) == (["a1"], 1)
    reception.receive("scheduling", [second, third])
    assert copy.applied == ["a1", "a2", "a3"]


def test_what_the_bus_lost_at_its_end_is_asked_for_when_it_is_quiet(copy: Copying, source: Source) -> None:
    tell(source, "a1", "b1")
    reception = copy.reception(source)
    assert reception.catch_up() == 2
    assert reception.catch_up() == 0
    tell(source, "b2")
    reception.idle()
    assert copy.applied == ["a1", "b1", "b2"]
    copy.reception(source, feed=no_feed).idle()  # is asked again later


def test_other_bytes_at_a_position_are_refused_and_kept_and_the_sources_own_are_applied(
    office: Office, copy: Copying, source: Source
) -> None:
    first, second = tell(source, "a1", "a2")
    forged = tell(Source("scheduling"), "x1", "x2")[1]
    reception = copy.reception(source)
    reception.receive("scheduling", [first])
    reception.receive("scheduling", [forged])
    assert copy.applied == ["a1", "a2"]
    ((body, reason),) = _rejected(office)
    assert body == forged
    assert "position 2 does not follow" in reason
    assert source.bodies[1] == second


def test_a_source_that_contradicts_itself_is_followed_no_further_and_the_others_are(
    office: Office, copy: Copying, source: Source
) -> None:
    tell(source, "a1", "a2")
    copy.reception(source).receive("scheduling", source.bodies[:1])
    rewritten, honest = Source("scheduling"), Source("scoring")
    tell(rewritten, "x1", "x2", "x3")
    tell(honest, "b1")
    reception = copy.reception(rewritten, honest)
    assert reception.catch_up() == 1
    reception.receive("scheduling", rewritten.bodies[1:2])
    assert copy.applied == ["a1", "b1"]
    assert copy.position == 1
    assert [body for body, _ in _rejected(office)] == rewritten.bodies[1:2]


def test_a_source_that_speaks_of_what_this_program_does_not_know_waits_and_the_others_are_followed(
    office: Office, copy: Copying, source: Source
) -> None:
    tell(source, "a1", "a2")
    newer = canonical({**read(source.bodies[1]).attributes, "role": "astrologer"})
    source.bodies[1] = newer
    honest = Source("scoring")
    tell(honest, "b1")
    reception = copy.reception(source, honest)
    reception.receive("scheduling", source.bodies)
    reception.catch_up()
    assert copy.applied == ["a1", "b1"]
    assert copy.position == 1
    assert [body for body, _ in _rejected(office)] == [newer]


@pytest.mark.parametrize("kind", ["noise", "another object", "no position", "forged source", "retouched"])
def test_a_body_that_is_no_event_of_the_source_is_kept_and_the_event_comes_from_the_feed(
    office: Office, copy: Copying, source: Source, kind: str
) -> None:
    first, second, third = tell(source, "a1", "a2", "a3")
    attributes = read(second).attributes
    garbage = {
        "noise": b"\x00\xff not JSON",
        "another object": b'{"hello":"world"}',
        "no position": canonical({key: attributes[key] for key in attributes if key != "position"}),
        "forged source": canonical({**attributes, "source": "/station-3201/scheduling"}),
        "retouched": second.replace(b'"approved":1', b'"approved": 1'),
    }[kind]
    reception = copy.reception(source)
    reception.receive("scheduling", [first, garbage])
    assert copy.applied == ["a1"]
    assert [body for body, _ in _rejected(office)] == [garbage]
    reception.receive("scheduling", [third])
    assert copy.applied == ["a1", "a2", "a3"]


def test_an_event_whose_content_was_changed_breaks_the_chain_behind_it(
    office: Office, copy: Copying, source: Source
) -> None:
    first, second = tell(source, "a1", "a2")
    changed = first.replace(b'"notice":"a1"', b'"notice":"z9"')
    reception = copy.reception(source)
    reception.receive("scheduling", [changed])
    reception.receive("scheduling", [second])
    assert copy.applied == ["z9"]
    assert [body for body, _ in _rejected(office)] == [second], "nothing follows until a person looked"


def test_what_breaks_the_chain_is_refused_by_name(office: Office, copy: Copying, source: Source) -> None:
    tell(source, "a1", "a2")
    forged = tell(Source("scheduling"), "x1", "x2")[1]
    with pytest.raises(ChainBroken, match="/centre/scheduling position 2"):
        inbox.apply(office.connection, copy.consumer, source.name, [read(source.bodies[0]), read(forged)])
    assert (copy.applied, copy.position, office.count("parked")) == ([], 0, 0)


def test_each_consumer_keeps_its_own_place(office: Office, copy: Copying, source: Source) -> None:
    seen: list[int] = []
    other = Consumer(
        "other", frozenset({"scheduling"}), lambda _, events: seen.extend(e.position for e in events)
    )
    tell(source, "a1", "a2")
    inbox.apply(office.connection, other, source.name, source.events())
    assert copy.position == 0
    inbox.apply(office.connection, copy.consumer, source.name, source.events()[:1])
    assert (copy.applied, seen) == (["a1"], [1, 2])


def test_replicas_that_get_the_same_events_at_once_have_one_effect(
    office: Office, copy: Copying, source: Source
) -> None:
    tell(source, *(f"{stream}{n}" for n in range(10) for stream in "abc"))
    inbox.apply(office.connection, copy.consumer, source.name, source.events()[:1])
    outcomes = at_once(
        partial(inbox.apply, office.connect(), copy.consumer, source.name, source.events()) for _ in range(6)
    )
    assert outcomes == [Applied(30, gap=False)] * 6
    assert copy.applied == [read(body).attributes["data"]["notice"] for body in source.bodies]


def test_a_replica_waits_while_another_one_applies(office: Office, copy: Copying, source: Source) -> None:
    tell(source, "a1", "a2")
    inbox.apply(office.connection, copy.consumer, source.name, source.events()[:1])
    second, applying = office.connect(), Event()

    def hold(connection: Connection[object]) -> None:
        applying.set()
        if connection is not second:
            until(lambda: office.waits_for_a_lock(second))

    copy.after_effect = hold
    outcomes = at_once(
        [
            lambda: inbox.apply(office.connection, copy.consumer, source.name, source.events()),
            lambda: (
                applying.wait(DEADLINE) and inbox.apply(second, copy.consumer, source.name, source.events())
            ),
        ]
    )
    assert outcomes == [Applied(2, gap=False)] * 2
    assert copy.applied == ["a1", "a2"]


def test_poison_is_parked_with_the_later_events_of_its_stream_and_the_others_flow(
    office: Office, copy: Copying, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    copy.poison = {"a2"}
    reception = copy.reception(source, feed=no_feed)
    reception.receive("scheduling", tell(source, "a1", "a2", "b1", "a3", "b2"))
    reception.receive("scheduling", tell(source, "a4", "b3"))
    assert copy.applied == ["a1", "b1", "b2", "b3"]
    assert copy.position == 7
    assert [(row["position"], row["reason"]) for row in parking.parked(office.connection)] == [
        (2, "CannotTakeIt: not a2"),
        (4, "an earlier event of its stream is parked"),
        (6, "an earlier event of its stream is parked"),
    ]


def test_an_event_that_succeeds_when_tried_again_is_not_parked(
    office: Office, copy: Copying, source: Source
) -> None:
    tries: list[int] = []

    def fail_at_first(_connection: Connection[object]) -> None:
        tries.append(1)
        if len(tries) <= ATTEMPTS:
            raise RuntimeError("not yet")

    copy.after_effect = fail_at_first
    inbox.apply(office.connection, copy.consumer, source.name, [read(body) for body in tell(source, "a1")])
    assert copy.applied == ["a1"], "the effects of the failed attempts are undone"
    assert parking.parked(office.connection, everything=True) == []


# serialization failure, deadlock, disk full, too many connections, shutdown, lock timeout, cancelled
@pytest.mark.parametrize("code", ["40001", "40P01", "53100", "53300", "57P01", "55P03", "57014"])
def test_an_error_of_the_database_that_will_pass_parks_nothing(
    office: Office, copy: Copying, source: Source, code: str
) -> None:
    tell(source, "a1", "b1")
    copy.after_effect = lambda connection: connection.execute(raising(code))  # type: ignore[assignment, return-value]
    for _ in range(ATTEMPTS + 1):
        with pytest.raises(psycopg.Error, match="as ordered"):
            inbox.apply(office.connection, copy.consumer, source.name, source.events())
    assert (copy.applied, copy.position, office.count("parked")) == ([], 0, 0)
    copy.after_effect = lambda connection: None
    inbox.apply(office.connection, copy.consumer, source.name, source.events())
    assert copy.applied == ["a1", "b1"]


def test_a_passing_error_beside_poison_undoes_both_and_poison_is_parked_once(
    office: Office, copy: Copying, source: Source
) -> None:
    tell(source, "a1", "b1")
    copy.poison = {"a1"}
    passing: list[type[Exception]] = [Conflict]

    def fail_once(_connection: Connection[object]) -> None:
        if passing:
            raise passing.pop()

    copy.after_effect = fail_once
    with pytest.raises(Conflict):
        inbox.apply(office.connection, copy.consumer, source.name, source.events())
    assert (copy.applied, copy.position, office.count("parked")) == ([], 0, 0)
    inbox.apply(office.connection, copy.consumer, source.name, source.events())
    assert (copy.applied, copy.position, office.count("parked")) == (["b1"], 2, 1)


def test_an_error_of_the_data_is_the_events_own_fault_and_parks_it(
    office: Office, copy: Copying, source: Source
) -> None:
    tell(source, "a1")
    copy.after_effect = lambda connection: connection.execute("SELECT 1 / 0")  # type: ignore[assignment, return-value]
    inbox.apply(office.connection, copy.consumer, source.name, source.events())
    assert [row["reason"] for row in parking.parked(office.connection)] == [
        "DivisionByZero: division by zero"
    ]
    assert copy.applied == []


def test_a_connection_lost_between_effect_and_commit_leaves_the_effect_once_after_the_retry(
    office: Office, copy: Copying, source: Source
) -> None:
    tell(source, "a1", "b1")
    doomed = office.connect()
    copy.after_effect = office.kill
    with pytest.raises(psycopg.OperationalError):
        inbox.apply(doomed, copy.consumer, source.name, source.events())
    assert (copy.applied, copy.position) == ([], 0)
    copy.after_effect = lambda connection: None
    inbox.apply(office.connection, copy.consumer, source.name, source.events())
    assert (copy.applied, office.count("parked")) == (["a1", "b1"], 0)


def test_a_connection_lost_while_going_one_by_one_parks_nothing(
    office: Office, copy: Copying, source: Source
) -> None:
    tell(source, "a1", "b1")
    copy.poison, copy.after_effect = {"a1"}, office.kill
    with pytest.raises(psycopg.OperationalError):
        inbox.apply(office.connect(), copy.consumer, source.name, source.events())
    assert (copy.applied, copy.position, office.count("parked")) == ([], 0, 0)
