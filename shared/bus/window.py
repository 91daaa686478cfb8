"""Confirms in flight: which prefix of what was sent has certainly reached the bus."""

from collections import OrderedDict


class Broken(Exception):
    """The broker refused or returned a message: drop the channel, and resume behind the confirmed prefix."""


class Window:
    """Matches confirms to positions by delivery tag, never by order of waiting."""

    def __init__(self, size: int, confirmed: int = 0) -> None:
        self._size = size
        self._tag = 0
        self._open: OrderedDict[int, int] = OrderedDict()  # delivery tag -> position, until confirmed
        self._early: dict[int, int] = {}  # confirmed out of turn
        self.confirmed = confirmed

    def room(self) -> int:
        """How many more may be sent before one is confirmed."""
        return self._size - len(self._open)

    @property
    def waiting(self) -> bool:
        """Whether anything is in flight."""
        return bool(self._open)

    def sent(self, position: int) -> None:
        """Notes the next message of the channel; tags count from 1."""
        self._tag += 1
        self._open[self._tag] = position

    def ack(self, tag: int, multiple: bool) -> None:
        """The broker has this one, or all up to this one."""
        if multiple:
            for each in [open_tag for open_tag in self._open if open_tag <= tag]:
                self._early[each] = self._open[each]
        elif tag in self._open:
            self._early[tag] = self._open[tag]
        while self._open and next(iter(self._open)) in self._early:
            first, position = self._open.popitem(last=False)
            del self._early[first]
            self.confirmed = position
