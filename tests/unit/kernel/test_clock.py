"""Time as text: one spelling, of one length, in the order of time."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.kernel.clock import moment, stamp, utc_now

offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=offsets)


@given(moments)
@example(datetime(999, 1, 1, tzinfo=UTC))
@example(datetime(2026, 4, 16, 9, 30, tzinfo=timezone(timedelta(hours=8))))
def test_a_stamp_is_exact_and_of_one_shape(when):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", stamp(when))
    assert moment(stamp(when)) == when


@given(moments, moments)
def test_stamps_sort_as_moments_do(one, other):
    assert (stamp(one) < stamp(other)) == (one < other)


def test_the_same_moment_has_one_spelling():
    assert stamp(moment("2026-04-16T09:30:00+08:00")) == "2026-04-16T01:30:00.000000Z"
    assert stamp(moment("2026-04-16T01:30Z")) == "2026-04-16T01:30:00.000000Z"


@pytest.mark.parametrize("text", ["2026-04-16T09:30:00", "2026-04-16", "yesterday", ""])
def test_a_time_without_an_offset_is_refused(text):
    with pytest.raises(ValueError, match=r"offset|isoformat"):
        moment(text)


def test_a_moment_without_an_offset_has_no_stamp():
    with pytest.raises(ValueError, match="offset"):
        stamp(datetime(2026, 4, 16, 9, 30))


def test_now_is_in_utc():
    assert utc_now().tzinfo is UTC
