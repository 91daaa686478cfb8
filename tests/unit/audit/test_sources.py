"""Whether a source is honest: what follows from each look, and that nobody honest is accused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.sources import (
    Arrival,
    Found,
    Limits,
    Look,
    Record,
    Statement,
    asked,
    early,
    judge,
    late,
)

NOON = datetime(2026, 4, 16, 12, tzinfo=UTC)
LIMITS = Limits(silence=timedelta(seconds=60), missing=timedelta(seconds=60), transit=timedelta(hours=1))


def hash_at(position: int, branch: str = "") -> str:
    return sha256(f"{branch}{position}".encode()).hexdigest() if position else "00" * 32


class Watched:
    """A source with a clock: `states(…)` and `received` are what there is to see, `look()` looks."""

    def __init__(self) -> None:
        self.now = self.began = NOON
        self.record = Record()
        self.said: Statement | None = None
        self.signed = True
        self.received = 0
        self.received_at: dict[int, datetime] = {}
        self.found: list[Found] = []

    def states(self, position: int, branch: str = "", ago: float = 0) -> None:
        self.now += timedelta(seconds=0.5)  # no two statements are of one moment
        self.said = Statement(position, hash_at(position, branch), self.now - timedelta(seconds=ago))

    def receives(self, position: int) -> None:
        for each in range(self.received + 1, position + 1):
            self.received_at[each] = self.now
        self.received = position

    def look(self, after: float = 10) -> list[tuple[str, int | None, int | None]]:
        """What a look finds so many seconds later."""
        self.now += timedelta(seconds=after)
        wanted = asked(self.record, self.said)
        look = Look(
            now=self.now,
            began=self.began,
            received=self.received,
            said=self.said,
            signed=self.signed,
            hashes={each: hash_at(each) for each in wanted if each <= self.received},
            denied=self.received_at.get(self.said.position + 1) if self.said else None,
        )
        self.record, found = judge(self.record, look, LIMITS)
        self.found += found
        return [(each.kind, each.first, each.last) for each in found]


@pytest.fixture
def source() -> Watched:
    """A source that has stated ten events, all of which have come."""
    watched = Watched()
    watched.receives(10)
    watched.states(10)
    assert watched.look(0) == []
    return watched


def test_who_states_the_same_again_and_again_is_calm_and_not_silent(source: Watched) -> None:
    for _ in range(100):
        source.states(10)
        assert source.look() == []


def test_silence_is_told_once_with_its_beginning_and_so_is_its_end(source: Watched) -> None:
    told = [source.look() for _ in range(30)]
    assert [each for each in told if each] == [[("source-silent", 10, None)]]
    assert source.found[-1].detail == {"since": "2026-04-16T12:00:00.500000Z"}
    source.states(10)
    assert source.look(1) == [("source-returned", 10, None)]
    assert source.found[-1].detail["since"] == "2026-04-16T12:00:00.500000Z"
    assert source.look(1) == []


def test_a_source_that_is_never_heard_is_silent_since_audit_listens() -> None:
    watched = Watched()
    assert [watched.look(30), watched.look(31)] == [[], [("source-silent", 0, None)]]


def test_an_old_statement_handed_out_again_breaks_no_silence(source: Watched) -> None:
    old = source.said
    source.states(10)
    source.look(50)
    source.said = old
    assert source.look(61) == [("source-silent", 10, None)]


def test_while_audit_itself_was_away_nobody_was_silent(source: Watched) -> None:
    source.now += timedelta(hours=12)
    source.began = source.now
    assert source.look(5) == []
    source.states(10)
    assert source.look(5) == []


def test_audit_restarted_amid_a_silence_does_not_take_it_for_the_end(source: Watched) -> None:
    source.look(61)
    source.began = source.now
    assert source.look(5) == []
    source.states(10)
    assert source.look(5) == [("source-returned", 10, None)]


def test_what_is_stated_and_does_not_come_is_named_exactly(source: Watched) -> None:
    source.states(13)
    assert source.look() == []
    for _ in range(5):
        source.states(13)
        assert source.look() == []
    source.states(13)
    assert source.look() == [("missing-events", 11, 13)]
    source.states(13)
    assert source.look() == []


def test_a_gap_that_is_filled_later_is_told_too(source: Watched) -> None:
    source.states(13)
    source.look()
    source.now += timedelta(seconds=60)
    source.states(13)
    assert source.look(1) == [("missing-events", 11, 13)]
    source.receives(12)
    source.states(13)
    assert source.look() == []
    source.receives(13)
    assert source.look(1) == [("gap-filled", 11, 13)]
    assert source.record.gap is None


def test_a_gap_is_told_again_each_time_it_has_doubled(source: Watched) -> None:
    source.states(12)
    source.look()
    told = []
    for position in range(12, 40):
        source.now += timedelta(seconds=61)
        source.states(position)
        told += source.look(1)
    assert told == [("missing-events", 11, last) for last in (12, 14, 18, 26)]


def test_events_that_keep_coming_are_not_missing_however_many_there_are(source: Watched) -> None:
    for received in range(11, 200):
        source.receives(received)
        source.states(1000)
        assert source.look(50) == []


def test_a_head_behind_an_earlier_one_is_a_rollback(source: Watched) -> None:
    source.states(7)
    assert source.look() == [("rolled-back", 8, 10)]
    assert source.found[-1].evidence == source.said
    source.states(7)
    assert source.look() == []
    assert source.record.head is not None
    assert source.record.head.position == 10


def test_a_head_behind_what_has_come_is_a_rollback_though_it_was_never_stated(source: Watched) -> None:
    source.receives(13)
    source.states(12)
    source.look(1)  # stated in the moment in which the thirteenth came
    assert source.found == []
    source.now += timedelta(seconds=30)
    source.states(12)
    assert source.look(0) == [("rolled-back", 13, 13)]


def test_a_head_that_is_not_the_hash_of_its_entry_is_a_fork(source: Watched) -> None:
    source.states(11, "other")
    assert source.look() == []
    source.receives(11)
    source.states(11, "other")
    assert source.look(1) == [("fork", 11, 11)]
    detail = source.found[-1].detail
    assert (detail["stated"], detail["entry"]) == (hash_at(11, "other"), hash_at(11))
    source.states(11, "other")
    assert source.look() == []


def test_two_heads_at_one_position_are_a_fork_before_any_event_has_come(source: Watched) -> None:
    source.states(12)
    source.look(1)
    source.states(12, "other")
    assert source.look(1) == [("fork", 12, 12)]


def test_a_false_head_is_remembered_until_its_event_comes_though_a_true_one_follows(source: Watched) -> None:
    source.states(11, "other")
    source.look(1)
    source.states(12)
    source.look(1)
    source.receives(12)
    assert source.look(1) == [("fork", 11, 11)]


def test_a_signature_that_does_not_hold_is_told_once_and_its_statement_is_not_believed(
    source: Watched,
) -> None:
    source.signed = False
    source.states(99)
    assert source.look() == [("bad-signature", 99, 99)]
    source.states(99)
    assert source.look() == []
    assert source.record.head is not None
    assert source.record.head.position == 10


def test_a_clock_that_is_far_ahead_is_told_and_does_not_silence_the_true_statements(source: Watched) -> None:
    source.states(10, ago=-3600)
    assert source.look() == [("clock-ahead", 10, 10)]
    source.states(11)
    source.receives(11)
    assert source.look() == []
    assert source.record.head is not None
    assert source.record.head.position == 11


def test_what_says_to_be_recorded_long_after_it_was_received_is_told_in_ranges() -> None:
    def arrival(position: int, hours: float) -> Arrival:
        return Arrival(position, NOON + timedelta(hours=hours), NOON)

    arrivals = [arrival(*each) for each in [(1, 2), (2, 2.5), (3, 70_000), (4, -9), (5, 3)]]
    found = [(each.kind, each.first, each.last, each.detail["seconds"]) for each in early(arrivals)]
    assert found == [("recorded-ahead", 2, 3, 252_000_000), ("recorded-ahead", 5, 5, 10_800)]


def test_late_events_are_told_in_ranges_with_the_longest_delay() -> None:
    def arrival(position: int, hours: float) -> Arrival:
        return Arrival(position, NOON, NOON + timedelta(hours=hours))

    arrivals = [arrival(1, 0.5), arrival(2, 2), arrival(3, 3), arrival(4, 1), arrival(5, 5), arrival(7, 5)]
    found = [(each.first, each.last, each.detail["seconds"]) for each in late(arrivals, LIMITS.transit)]
    assert found == [(2, 3, 10800), (5, 5, 18000), (7, 7, 18000)]


# -- whatever happens

steps = st.lists(
    st.tuples(st.integers(0, 5), st.floats(0, 1), st.floats(0.1, 55), st.booleans()), max_size=40
)


@given(steps)
def test_nobody_is_accused_who_speaks_in_time_and_keeps_back_nothing(taken: list[tuple]) -> None:
    watched, position = Watched(), 0
    for said, share, seconds, answers in taken:
        position += said
        watched.receives(
            max(watched.received + 1, int(share * position)) if position > watched.received else position
        )
        if answers or watched.said is None or watched.now - watched.said.time > timedelta(seconds=5):
            watched.states(position)
        assert watched.look(min(seconds, 50)) == []


statements = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from(["", "other"]), st.booleans(), st.floats(-400, 400)),
    max_size=30,
)


@given(statements)
def test_the_head_that_audit_remembers_never_goes_back(said: list[tuple]) -> None:
    watched = Watched()
    for position, branch, signed, ago in said:
        before = watched.record.head
        watched.states(position, branch, ago)
        watched.signed = signed
        watched.look()
        after = watched.record.head
        if before is not None:
            assert after is not None
            assert (after.position, after.time) >= (before.position, before.time)
            assert after.time >= before.time


@given(st.integers(0, 1000), st.integers(1, 1000), st.integers(1, 20))
def test_whatever_is_withheld_is_named_exactly_and_its_coming_too(
    had: int, withheld: int, looks: int
) -> None:
    watched = Watched()
    watched.receives(had)
    for _ in range(looks + 8):
        watched.states(had + withheld)
        watched.look()
    watched.receives(had + withheld)
    watched.states(had + withheld)
    watched.look()
    told = [(each.kind, each.first, each.last) for each in watched.found]
    ends = (had + 1, had + withheld)
    assert told == [("missing-events", *ends), ("gap-filled", *ends)]


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 100)), max_size=60))
def test_silence_and_return_take_turns(said: list[tuple[bool, float]]) -> None:
    watched = Watched()
    for speaks, seconds in said:
        watched.now += timedelta(seconds=seconds)
        if speaks:
            watched.states(0)
        watched.look(0)
    kinds = [each.kind for each in watched.found]
    assert kinds == [("source-silent", "source-returned")[place % 2] for place in range(len(kinds))]


def test_what_is_remembered_changes_only_by_what_is_seen(source: Watched) -> None:
    before = source.record
    assert replace(before) == before
    assert source.look(1) == []
    assert source.record == before
