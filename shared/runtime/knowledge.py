"""Knowledge: what an executor knows of streams without asking, because it was the last to append to them.

It may be stale, as another replica may have appended since; but it is never wrong about the version that it
names, as a stream only grows. So whoever decides on it lets `append` check the version.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any


@dataclass(frozen=True)
class Known:
    """The state of a stream at a version; `weight` is how many events it was folded from."""

    state: Any
    version: int
    weight: int = 0


class Knowledge:
    """The states of the streams that were asked for last, `most` events' worth of them altogether."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._weight = 0
        self._lock = Lock()  # an executor may serve several threads

    def get(self, stream: str) -> Known | None:
        """What was known of the stream last."""
        with self._lock:
            found = self._known.get(stream)
            if found is not None:
                self._known.move_to_end(stream)
            return found

    def put(self, stream: str, found: Known) -> None:
        """Keeps what is newer than what is known, and forgets what nobody has asked for the longest."""
        with self._lock:
            before = self._known.get(stream)
            if found.weight > self._most or (before is not None and before.version >= found.version):
                return
            self._forget(stream)
            self._known[stream] = found
            self._weight += found.weight
            while self._weight > self._most:
                self._forget(next(iter(self._known)))

    def forget(self, stream: str) -> None:
        """Lets the stream be loaded the next time."""
        with self._lock:
            self._forget(stream)

    def forget_all(self) -> None:
        with self._lock:
            self._known.clear()
            self._weight = 0

    def _forget(self, stream: str) -> None:
        gone = self._known.pop(stream, None)
        self._weight -= gone.weight if gone else 0
