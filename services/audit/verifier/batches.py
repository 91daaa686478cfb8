"""What each source states of its closed batches (`BatchSealed`), against the entries that it has of them.

Ranges count what they have, and `judged` looks at all of it. It is asked of a log without holes and with
whole chains alone: of entries that are not there, nobody knows which batch they name.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import compress, count
from typing import Any, TypeAlias

from .leaf import Columns
from .verdict import INCOMPLETE, TAMPERED, Problem
from .words import Fault

_SEALED, _CLOSED = "BatchSealed", "BatchClosed"
_STATING = ("registration", "scheduling", "scoring", "certification")
# what may come behind the count: looking and trying, and the statement itself
_AT_WILL = frozenset(
    {"AttemptRefused", "BatchSealed", "BundleMade", "FindingRaised", "SensitiveRead", "TrailRead"}
)
_KIND = "batch:"
_SIZE = 32
_GRACE = timedelta(seconds=60)  # that a source may take to state what it has

Numbers: TypeAlias = "array[int]"  # Python 3.11 cannot say so itself
Key = tuple[str, str]
"""A source, and a batch as `batch:<id>`."""


@dataclass
class Named:
    """A source's entries that name a batch, in their order: numbers, for there are millions."""

    indexes: Numbers = field(default_factory=lambda: array("q"))
    positions: Numbers = field(default_factory=lambda: array("q"))
    hashes: bytearray = field(default_factory=bytearray)
    late: bytearray = field(default_factory=bytearray)  # 1: it may not come behind the count

    def add(self, other: "Named") -> None:
        self.indexes += other.indexes
        self.positions += other.positions
        self.hashes += other.hashes
        self.late += other.late


@dataclass
class Batches:
    """What a part of the log says about batches."""

    named: dict[Key, Named] = field(default_factory=dict)
    seals: dict[Key, list[tuple[int, int, Mapping[str, Any]]]] = field(default_factory=dict)
    closed: dict[str, tuple[str, int, str]] = field(default_factory=dict)  # source, index, when received

    def saw(self, start: int, entries: Columns, about: Sequence[Sequence[str]]) -> None:
        """The next entries, from index `start` on; `about`: the subjects of each, none of them twice."""
        rows = zip(
            count(start),
            entries.sources,
            entries.positions,
            entries.hashes,
            entries.types,
            about,
            strict=False,
        )
        for index, source, position, hash, type_, subjects in rows:
            for batch in subjects:
                if batch[:6] != _KIND:
                    continue
                named = self.named.get((source, batch))
                if named is None:
                    named = self.named[source, batch] = Named()
                named.indexes.append(index)
                named.positions.append(position)
                named.hashes += bytes.fromhex(hash)
                named.late.append(type_ not in _AT_WILL)
                if type_ == _SEALED:
                    data = entries.data[index - start]
                    self.seals.setdefault((source, batch), []).append((index, position, data))
                elif type_ == _CLOSED and source.endswith("/scheduling"):
                    self.closed.setdefault(batch, (source, index, entries.received[index - start]))

    def add(self, other: "Batches") -> None:
        """The next part."""
        for key, named in other.named.items():
            mine = self.named.setdefault(key, named)
            if mine is not named:
                mine.add(named)
        for key, seals in other.seals.items():
            self.seals.setdefault(key, []).extend(seals)
        self.closed = {**other.closed, **self.closed}


def judged(batches: Batches, newest: str) -> Iterator[Problem]:
    """What contradicts the sources' statements; `newest`: when the last entry of the log was received."""
    for key, seals in batches.seals.items():
        yield from _of_batch(key[0], seals, batches.named[key])
    for batch, (source, index, received) in batches.closed.items():
        body = source.rpartition("/")[0]
        if datetime.fromisoformat(received) + _GRACE < datetime.fromisoformat(newest):
            for silent in (f"{body}/{service}" for service in _STATING):
                if (silent, batch) not in batches.seals:
                    yield Problem(INCOMPLETE, index, Fault("batch_silent", source=silent, batch=batch[6:]))


def _of_batch(
    source: str, seals: Sequence[tuple[int, int, Mapping[str, Any]]], named: Named
) -> Iterator[Problem]:
    cut: int | None = None
    for index, position, data in seals:
        said, upto = _stated(data, position)
        cut = upto if cut is None else cut
        had = _counted(named, bisect_right(named.positions, upto))
        if said != had:
            fault = Fault("batch_other", source=source, upto=upto, stated=_number(said), found=had[0])
            yield Problem(TAMPERED, index, fault)
    behind = bisect_right(named.positions, cut or 0)
    for index in compress(named.indexes[behind:], named.late[behind:]):
        yield Problem(TAMPERED, index, Fault("batch_late", source=source, upto=cut))


_Count = tuple[int, int, int, str]
"""How many, the first and last position, and the chain over their hashes."""


def _stated(data: Mapping[str, Any], position: int) -> tuple[_Count | None, int]:
    """What a statement says (None if it cannot be true), and up to where: not of what is to come."""
    numbers = [data.get(name) for name in ("events", "first_position", "last_position", "upto")]
    chain = data.get("chain_digest")
    if type(chain) is not str or any(type(each) is not int or each < 0 for each in numbers):
        return None, position - 1
    events, first, last, upto = numbers
    return (events, first, last, chain), min(upto, position - 1)  # type: ignore[return-value, type-var]


def _number(said: _Count | None) -> object:
    return Fault("batch_nothing") if said is None else said[0]


def _counted(named: Named, number: int) -> _Count:
    chain = bytes(_SIZE)
    for start in range(0, number * _SIZE, _SIZE):
        chain = sha256(chain + named.hashes[start : start + _SIZE]).digest()
    edges = (named.positions[0], named.positions[number - 1]) if number else (0, 0)
    return number, *edges, chain.hex()
