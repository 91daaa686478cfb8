"""Progress: how far something has come, and how to stop it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """`done` of `whole` (0: not known yet).

    While `running`, the page asks `poll` again each second, and puts its `region` in its place.
    """

    title: Any
    done: int
    whole: int
    running: bool = False
    poll: str = ""
    region: str = "progress"
    cancel: str = ""
    note: Any = ""

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.whole) if self.whole else 0


@dataclass(frozen=True)
class Steps:
    """A way with stations: [(name, count or nothing, reached)]."""

    steps: Sequence[tuple[Any, int | None, bool]]
