"""The relay: seals what was committed and publishes it in order; its mark follows the confirmed prefix."""

from collections.abc import Sequence
from typing import Protocol


class Log(Protocol):
    """What the relay needs of a source's log."""

    def seal(self) -> int:
        """Seals what has committed; how many."""

    def published(self) -> int:
        """The confirmed prefix."""

    def sealed_after(self, position: int, limit: int) -> Sequence[tuple[int, bytes, bytes]]:
        """(position, sealed, hash) in order."""

    def mark_published(self, position: int) -> None:
        """Moves the confirmed prefix."""


class Outlet(Protocol):
    """Where events go. `confirmed` is the last position of which the bus is certain, without holes."""

    confirmed: int

    def room(self) -> int: ...

    def send(self, position: int, sealed: bytes) -> None: ...


class Relay:
    """One source, one outlet. A new outlet starts behind the confirmed prefix, so events may go out twice."""

    def __init__(self, log: Log, outlet: Outlet) -> None:
        self._log = log
        self._outlet = outlet
        self._marked = self._sent = outlet.confirmed = log.published()

    def step(self) -> bool:
        """Seals, sends and marks as far as it goes without waiting; whether there was anything to do."""
        sealed = self._log.seal()
        sent = self._send()
        return bool(self._mark() or sealed or sent)

    def _send(self) -> int:
        room = self._outlet.room()
        events = self._log.sealed_after(self._sent, room) if room else ()
        for position, sealed, _ in events:
            self._outlet.send(position, sealed)
            self._sent = position
        return len(events)

    def _mark(self) -> bool:
        if self._outlet.confirmed == self._marked:
            return False
        self._marked = self._outlet.confirmed
        self._log.mark_published(self._marked)
        return True
