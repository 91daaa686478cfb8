"""Time as text: UTC, microseconds, `2026-04-16T01:30:00.000000Z` (R208).

Text, because a timestamp that loses precision on its way through a database breaks every later hash.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from shared.kernel.faults import setback

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The server's clock."""
    now, back = datetime.now(UTC), setback()
    return now - timedelta(seconds=back) if back else now


def stamp(moment: datetime) -> str:
    """The one spelling of a moment on the wire and in the log; ValueError without an offset."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs an offset: without one, its meaning depends on the machine")
    # not strftime, whose %Y drops the zeros of an early year
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def moment(text: str) -> datetime:
    """A stamp, or any ISO 8601 time with an offset, as an aware datetime; ValueError without an offset."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError("a time needs an offset, as in 2026-04-16T09:30:00+08:00")
    return parsed.astimezone(UTC)
