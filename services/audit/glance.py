"""A look at many entries at once: whether all of it is as it was appended.

It finds nothing by name. Where it does not say that everything is right, somebody has to read entry by entry.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from services.audit.domain.leaf import LONGEST
from shared.kernel.clock import stamp
from shared.wire.columns import Column, columns

_COLUMNS = ("source", "position", "id", "type", "actor", "role")
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_STAMPS = 10_000  # times of arrival that are spelled once


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

    Rows are as verification reads them: (index, source, position, id, type, actor, role, arrival, leaf), and
    of the subjects of each entry (index, how many, the greatest place of a colon in a kind, a line `kind:ref`
    for each, `[number,previous]` of each with commas between them).
    """
    indexes, *said, arrivals, leaves = zip(*rows, strict=True)
    parts = [leaf.partition(b"\n") for leaf in leaves]
    events = columns([part[0] for part in parts])
    if events is None or said != [events.said[name] for name in _COLUMNS]:
        return None
    about = _subjects(events.refs, events.said["actor"])
    received = [stamps[each] for each in arrivals]
    if max(map(len, leaves)) > LONGEST or not all(received):
        return None
    links = _links(indexes, about, subjects)
    if links is None or [part[2] for part in parts] != _notes(links, received):
        return None
    source, position, previous = (events.said[name] for name in ("source", "position", "previoushash"))
    return Seen(source, position, previous, events.hashes, events.said["type"], about, events.said["data"])


def _subjects(refs: list[list[str]], actors: Column) -> list[list[str]]:
    for each, actor in zip(refs, actors, strict=True):
        each.append(f"actor:{actor}")
    return refs


def _links(indexes: Column, about: list[list[str]], subjects: Sequence[Any]) -> Column | None:
    """The links that the rows of subjects say, if these are the subjects, in their order.

    What PostgreSQL has put together has one meaning: no subject that can be printed has a line in it, so as
    many lines as rows are one for each, and without a colon in a kind, each line is a kind and an id.
    """
    counts = list(map(len, about))
    # a subject that is named twice has one link: seldom, so somebody else looks
    if list(map(len, map(set, about))) != counts or len(subjects) != len(about):
        return None
    at, found, colons, lines, links = zip(*subjects, strict=True)
    if at != indexes or found != tuple(counts) or lines != tuple(map("\n".join, about)) or any(colons):
        return None
    return links if [each.count("[") for each in links] == counts else None


def _notes(links: Column, received: list[str]) -> list[bytes]:
    return [
        f'{{"links":[{each}],"received":"{arrival}"}}'.encode()
        for each, arrival in zip(links, received, strict=True)
    ]
