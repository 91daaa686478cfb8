"""What may follow in the log, as whoever signs it can tell."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.audit.domain.following import CLOCKS, Following, Told
from shared.kernel.clock import stamp

NOON = datetime(2026, 4, 16, 12, tzinfo=UTC)
NOTHING = "0" * 64


def told(position: int, previous: str, hash: str, hours: float = 0, source: str = "/centre/scoring") -> Told:
    return Told(source, position, previous, hash, stamp(NOON + timedelta(hours=hours)))


@pytest.fixture
def known() -> Following:
    """Of two entries of one source, received at noon."""
    following = Following()
    assert following.add(0, told(1, NOTHING, "a")) == ""
    assert following.add(1, told(2, "a", "b")) == ""
    return following


def test_what_follows_is_taken(known: Following) -> None:
    assert known.add(2, told(3, "b", "c")) == ""
    assert known.add(3, told(1, NOTHING, "x", source="/centre/audit")) == ""
    assert known.add(4, told(4, "c", "d", hours=-1)) == ""
    assert (known.size, known.ends) == (5, {"/centre/scoring": (4, "d"), "/centre/audit": (1, "x")})


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (told(4, "b", "c"), "does not follow 2"),
        (told(2, "a", "b"), "does not follow 2"),
        (told(3, "a", "c"), "does not contain the hash"),
        (told(2, "b", "c", source="/centre/audit"), "does not follow 0"),
        (told(1, "b", "c", source="/centre/audit"), "does not contain the hash"),
        (told(3, "b", "c", hours=-2.01), "long before"),
    ],
)
def test_what_does_not_follow_is_named(known: Following, wrong: Told, what: str) -> None:
    assert what in known.add(2, wrong)


def test_what_was_signed_is_only_learnt(known: Following) -> None:
    known.trusted = 3
    assert known.add(2, told(9, "z", "c", hours=-99)) == ""
    assert known.add(3, told(10, "c", "d", hours=-99)) == ""
    assert "does not follow 10" in known.add(4, told(9, "d", "e", hours=-99))


def test_what_is_known_already_is_passed_over(known: Following) -> None:
    before = replace(known, ends=dict(known.ends))
    assert known.add(0, told(7, "z", "z")) == ""
    assert known == before


@pytest.mark.parametrize(("hours", "taken"), [(-1.9, True), (-2.1, False), (3.9, True), (4.1, False)])
def test_what_is_new_was_received_since_the_last_look_as_far_as_clocks_can_be_believed(
    hours: float, taken: bool
) -> None:
    following = Following()
    following.between(NOON, NOON + timedelta(hours=2))
    assert (following.add(0, told(1, NOTHING, "a", hours=hours)) == "") is taken
    assert timedelta(hours=2) == CLOCKS


def test_after_a_pause_everything_since_may_have_come_at_any_time(known: Following) -> None:
    known.between(None, NOON + timedelta(days=30))
    assert known.add(2, told(3, "b", "c", hours=1)) == ""
    assert known.add(3, told(4, "c", "d", hours=24 * 30)) == ""
