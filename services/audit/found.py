"""What is found in a section of the log, and how sections are joined."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.audit.closed import Batches
from services.audit.domain.tree import Tree
from shared.wire.envelope import GENESIS

Problem = tuple[int | None, str]
"""(index, what is wrong there); no index for what no entry shows."""

Finding = tuple[str, ...]
"""Kind, source, first and last position and index of a finding, as Python would write them."""


def finding(said: Iterable[Any]) -> Finding:
    """Of an event or of a row; whatever somebody may have written there."""
    return tuple(map(repr, said))


@dataclass(frozen=True)
class Span:
    """From one index to another; the last span of a log has what lies behind it too."""

    start: int
    stop: int
    last: bool = True


@dataclass(frozen=True)
class Place:
    """Where a section meets a source first."""

    index: int
    position: int
    previous: bytes


@dataclass(frozen=True)
class Reached:
    """How far a source has come, with the hash of its newest event and the index of that."""

    position: int = 0
    hash: bytes = GENESIS
    index: int = -1


class Torn(NamedTuple):
    """The entry `later` does not contain the hash of `earlier`: one of the two is not what it was."""

    earlier: int
    later: int
    what: str


@dataclass
class Section:
    """What was found in a span; sections are joined in their order."""

    span: Span
    tree: Tree = field(default_factory=Tree)
    begins: dict[str, Place] = field(default_factory=dict)
    ends: dict[str, Reached] = field(default_factory=dict)
    met: set[tuple[str, int]] = field(default_factory=set)  # of the claimed heads
    torn: list[Torn] = field(default_factory=list)
    batches: Batches = field(default_factory=Batches)
    raised: list[tuple[int, Finding]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def follows(found: Section, source: str, before: Reached, place: Place) -> None:
    """Tells the section what is wrong if the event at `place` comes after `before`."""
    if place.position != before.position + 1:
        what = f"{source}: position {place.position} follows {before.position}"
        found.problems.append((place.index, what))
    elif place.previous != before.hash:
        what = f"{source}: position {place.position} does not contain the hash of entry {before.index}"
        found.torn.append(Torn(before.index, place.index, what))
