"""A look at many entries at once: whether all of it is as it was appended.

It finds nothing by name. Where it does not say that everything is right, somebody has to read entry by entry.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice, repeat
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from services.audit.domain.leaf import LONGEST
from shared.kernel.clock import stamp
from shared.wire.columns import Column, columns

_COLUMNS = ("source", "position", "id", "type", "actor", "role")
_BRACE = ord("{")
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_STAMPS = 10_000  # times of arrival that are spelled once
_first = itemgetter(0)


class Stamps(dict[bytes, str]):
    """How PostgreSQL's timestamps are spelled; empty for what no clock says. A batch has one for all."""

    def __missing__(self, sent: bytes) -> str:
        if len(self) > _STAMPS:
            self.clear()
        try:
            found = stamp(_POSTGRES_EPOCH + timedelta(microseconds=int.from_bytes(sent, signed=True)))
        except OverflowError:
            found = ""
        return self.setdefault(sent, found)


class Seen(NamedTuple):
    """What the entries say about their chains and about batches, in columns; `previous` is in hex."""

    sources: Column
    positions: Column
    previous: Column
    hashes: list[bytes]
    types: Column
    refs: list[list[str]]  # subjects as `kind:id`
    data: Column

    @property
    def is_one_chain(self) -> bool:
        """Whether all are of one source, without a gap, and each contains the hash of the one before."""
        first, count = self.positions[0], len(self.positions)
        return (
            self.sources.count(self.sources[0]) == count
            and self.positions == tuple(range(first, first + count))
            and list(map(bytes.fromhex, self.previous[1:])) == self.hashes[:-1]
        )


def glance(rows: Sequence[Any], subjects: Sequence[Any], stamps: Stamps) -> Seen | None:
    """Whether these rows of entries and of subjects say what the leaves say, and are theirs; None if not.

    Rows are as verification reads them: (index, source, position, id, type, actor, role, arrival, leaf) and
    (index, kind, ref, number, previous).
    """
    indexes, *said, arrivals, leaves = zip(*rows, strict=True)
    parts = [leaf.partition(b"\n") for leaf in leaves]
    events = columns([part[0] for part in parts])
    if events is None or said != [events.said[name] for name in _COLUMNS]:
        return None
    about = _subjects(events.refs, events.said["actor"])
    counts = list(map(len, about))
    # a subject that is named twice has one link: seldom, so somebody else looks
    if list(map(len, map(set, about))) != counts or sum(counts) != len(subjects):
        return None
    numbers = _numbers(indexes, counts, about, subjects)
    received = [stamps[each] for each in arrivals]
    if numbers is None or max(map(len, leaves)) > LONGEST or not all(received):
        return None
    if not _are_notes([part[2] for part in parts], numbers, counts, received):
        return None
    source, position, previous = (events.said[name] for name in ("source", "position", "previoushash"))
    return Seen(source, position, previous, events.hashes, events.said["type"], about, events.said["data"])


def _subjects(refs: list[list[str]], actors: Column) -> list[list[str]]:
    for each, actor in zip(refs, actors, strict=True):
        each.append(f"actor:{actor}")
    return refs


def _numbers(
    indexes: Column, counts: list[int], about: list[list[str]], subjects: Sequence[Any]
) -> list[tuple[int, int]] | None:
    """The links that the rows of subjects say, if these are the subjects, in their order."""
    at, kinds, refs, numbers, previous = zip(*subjects, strict=True)
    if at != tuple(chain.from_iterable(map(repeat, indexes, counts))):
        return None
    spoken = [f"{kind}:{ref}" for kind, ref in zip(kinds, refs, strict=True)]
    # without a colon in a kind, each of these has one meaning
    if any(":" in kind for kind in set(kinds)) or spoken != list(chain.from_iterable(about)):
        return None
    return list(zip(numbers, previous, strict=True))


def _are_notes(
    notes: list[bytes], links: list[tuple[int, int]], counts: list[int], received: list[str]
) -> bool:
    """Whether the notes are those that say these links and arrivals.

    All are spelled in one go. A note has one brace, and each of these begins with one: so if together they
    are the same, each of them is.
    """
    rest = iter(links)
    wanted = [
        {"links": list(islice(rest, count)), "received": arrival}
        for count, arrival in zip(counts, received, strict=True)
    ]
    together = b"[%b]" % b",".join(notes)
    return together == orjson.dumps(wanted) and set(map(_first, notes)) == {_BRACE}
