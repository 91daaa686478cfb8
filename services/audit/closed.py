"""What each source stated of its closed batches (`BatchSealed`), against the entries of the log (R172).

`seals` asks the same while the log grows, and keeps what it found in the database. This relies on nothing but
the entries: whoever reads the log, whenever, finds what a source left out of a batch or added to it.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from services.audit.seals import LATE_AT_WILL, SEALED, stated
from shared.contracts import DECIDING
from shared.runtime.tallying import CLOSING
from shared.wire.tally import Tally

_HASH = 32  # bytes
_KIND = "batch:"

Numbers: TypeAlias = "array[int]"  # Python 3.11 cannot say so itself
Key = tuple[str, str]
"""A source, and a batch as `batch:<id>`."""


class Seal(NamedTuple):
    """A `BatchSealed`: the index of its entry, its position, and what it says."""

    at: int
    position: int
    data: Mapping[str, Any]


@dataclass
class Named:
    """A source's entries that name a batch, in their order: 49 bytes each, of millions."""

    indexes: Numbers = field(default_factory=lambda: array("q"))
    positions: Numbers = field(default_factory=lambda: array("q"))
    hashes: bytearray = field(default_factory=bytearray)
    at_will: bytearray = field(default_factory=bytearray)  # 1: it may come after the batch is closed

    def add(self, other: "Named") -> None:
        self.indexes += other.indexes
        self.positions += other.positions
        self.hashes += other.hashes
        self.at_will += other.at_will


@dataclass
class Batches:
    """What a part of the log says about batches."""

    named: dict[Key, Named] = field(default_factory=dict)
    closed: dict[str, tuple[str, int]] = field(default_factory=dict)  # by which source, at which index
    seals: dict[Key, list[Seal]] = field(default_factory=dict)

    def saw(
        self, index: int, source: str, position: int, hash: bytes, type: str, refs: Iterable[str], data: Any
    ) -> None:
        """The next entry; `refs` are its subjects as `kind:id`, each once."""
        for ref in [ref for ref in refs if ref[:6] == _KIND]:
            named = self.named.get((source, ref))
            if named is None:
                named = self.named[source, ref] = Named()
            named.indexes.append(index)
            named.positions.append(position)
            named.hashes += hash
            named.at_will.append(type in LATE_AT_WILL)
            if type == CLOSING[1] and source.endswith(f"/{CLOSING[0]}"):
                self.closed.setdefault(ref, (source, index))
            if type == SEALED:
                self.seals.setdefault((source, ref), []).append(Seal(index, position, data))


def contradicted(parts: Sequence[Batches]) -> list[tuple[int, str]]:
    """(index, what) of each seal that the log contradicts, and of each entry that came too late.

    `parts` are those of the whole log, in their order.
    """
    found: list[tuple[int, str]] = []
    for key in dict.fromkeys(key for part in parts for key in part.seals):
        named = Named()
        for part in parts:
            named.add(part.named.get(key, Named()))
        seals = [seal for part in parts for seal in part.seals.get(key, ())]
        found += _of_batch(key[0], seals, named)
    return sorted(found)


def unsealed(parts: Sequence[Batches]) -> Iterator[tuple[int, str]]:
    """(index of its end, what) of each closed batch of which a source of the same body has stated nothing."""
    sealed = {key for part in parts for key in part.seals}
    for batch, (source, index) in [closed for part in parts for closed in part.closed.items()]:
        body = source.rpartition("/")[0]
        for silent in (f"{body}/{service}" for service in DECIDING):
            if (silent, batch) not in sealed:
                yield index, f"{silent}: it has stated nothing of the batch that was closed here"


def _of_batch(source: str, seals: Sequence[Seal], named: Named) -> Iterator[tuple[int, str]]:
    cut: int | None = None
    for seal in seals:
        said, upto = stated(seal.data, seal.position)
        if cut is None:
            cut = upto
        count = bisect_right(named.positions, upto)
        if (had := _tally(named, count)) != said:
            yield seal.at, _differing(source, said, upto, had)
    for place in range(bisect_right(named.positions, cut or 0), len(named.indexes)):
        if not named.at_will[place]:
            yield named.indexes[place], f"{source}: it names a batch that was closed at position {cut}"


def _tally(named: Named, count: int) -> Tally:
    tally = Tally()
    edges = pairwise(range(0, (count + 1) * _HASH, _HASH))
    for position, (start, stop) in zip(named.positions, edges, strict=False):
        tally = tally.counting(position, bytes(named.hashes[start:stop]))
    return tally


def _differing(source: str, said: Tally | None, upto: int, had: Tally) -> str:
    if said is None:
        return f"{source}: what it states of a closed batch cannot be true"
    if said.events != had.events:
        return (
            f"{source}: up to {upto} it states {said.events} events of a batch, and the log has {had.events}"
        )
    return f"{source}: its {had.events} events of a batch up to {upto} are not those that it states"
