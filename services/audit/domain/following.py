"""Whether an entry that came to the log follows from those before it, as whoever signs it can tell.

The signer keeps what this remembers on his own disk. Whoever owns the database can then alter nothing of what
is new but what its source has not denied yet: an entry of a source has to have the next position and the hash
of the one before, and to have been received about when it was.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.kernel.clock import moment, stamp

# by which audit's clock may be wrong or set back while it works: an hour, as by summer time, and some
CLOCKS = timedelta(hours=2)
_GENESIS = "0" * 64
_NOTHING = (0, _GENESIS)

End = tuple[int, str]
"""The position of a source's newest entry, and its hash in hex."""


@dataclass(frozen=True)
class Told:
    """What an entry says of its place."""

    source: str
    position: int
    previous: str
    hash: str
    received: str


@dataclass
class Following:
    """What is known behind the first `size` entries; those before `trusted` were signed, and are only learnt.

    `since` and `until` bound when what is judged can have been received.
    """

    size: int = 0
    ends: dict[str, End] = field(default_factory=dict)
    received: str = ""
    trusted: int = 0
    since: str = ""
    until: str = ""
    _of: str = field(default="", repr=False, compare=False)
    _earliest: str = field(default="", repr=False, compare=False)

    def between(self, since: datetime | None, until: datetime) -> None:
        """What comes now was received neither before nor after these, as far as clocks can be believed."""
        self.since = stamp(since - CLOCKS) if since else ""
        self.until = stamp(until + CLOCKS)

    def add(self, index: int, told: Told) -> str:
        """The next entry; what is wrong with it, or nothing. Those before `size` are known already."""
        if index < self.size:
            return ""
        wrong = self._wrong(told) if index >= self.trusted else ""
        self.size = index + 1
        self.ends[told.source] = told.position, told.hash
        self.received = told.received
        return wrong

    def _wrong(self, told: Told) -> str:
        position, hash = self.ends.get(told.source, _NOTHING)
        if told.position != position + 1:
            return f"its position {told.position} does not follow {position} of its source"
        if told.previous != hash:
            return "it does not contain the hash of its source's event before"
        if told.received < max(self._back(), self.since):
            return f"it says it was received at {told.received}, long before it can have been"
        if self.until and told.received > self.until:
            return f"it says it was received at {told.received}, which is yet to come"
        return ""

    def _back(self) -> str:
        # times are compared as texts, which is ten times as fast; this is asked once for each batch
        if self.received != self._of:
            self._of, self._earliest = self.received, _earlier(self.received)
        return self._earliest


def _earlier(received: str) -> str:
    try:
        return stamp(moment(received) - CLOCKS) if received else ""
    except (ValueError, OverflowError):  # no moment of ours
        return ""
