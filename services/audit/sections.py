"""Checking a section of the log: every entry from an index to another, and what the database says of it."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from operator import itemgetter
from typing import Any

from psycopg import Connection

from services.audit.domain import leaf
from services.audit.domain.leaf import NoLeaf, subjects_of
from services.audit.domain.tree import WIDTH, Edge, Tree, leaf_hash, split
from services.audit.found import Place, Reached, Section, Span, finding, follows
from services.audit.glance import Seen, Stamps, glance
from services.audit.tiles import StoredTiles
from shared.wire.envelope import Sealed, Undecodable, read

PAGE = 8 * WIDTH
_AT_ONCE = 128  # entries that are looked at as a whole: they then stay near the processor
_ENTRIES = """
SELECT index, source, position, event_id::text, type, actor, role, timestamptz_send(received_at), leaf
  FROM entries WHERE index >= %s AND index < %s ORDER BY index
"""
# those that belong to no entry too: with the first page the ones before, with the last the ones behind
_SUBJECTS = "SELECT index, kind, ref, number, previous FROM subjects WHERE index >= %s AND index < %s"
# as PostgreSQL puts them together: sent and walked row by row, they were a fifth of the work
_TOGETHER = """
SELECT index, count(*), max(strpos(kind, ':')), string_agg(coalesce(kind || ':' || ref, ''), E'\\n'),
       string_agg('[' || number || ',' || previous || ']', ',')
  FROM subjects WHERE index >= %s AND index < %s GROUP BY index ORDER BY index
"""
_TYPED = "SELECT index, kind, ref, number, previous FROM subjects LIMIT 0"
_TYPES = [20, 25, 25, 20, 20]  # bigint, text: of other types, the texts might say something else
_HEADS = "SELECT size, root, peaks FROM tree_heads WHERE size > %s AND size <= %s"
_HEAD = "SELECT size, peaks FROM tree_heads WHERE size = %s"
_TILE = "SELECT hashes FROM tiles WHERE level = %s AND index = %s"
_RAISED = "FindingRaised"
_WHERE = ("kind", "about", "first_position", "last_position", "first_index", "last_index")
_BEGINNING, _END = -(2**63), 2**63 - 1
UNLED = "the tree head does not follow from the entries"  # whose last one is named, whichever was changed
_index = itemgetter(0)
# of a table of subjects, by entry: {(kind, id): (number, previous)}
_Rows = dict[int, dict[tuple[str, str], tuple[int, int]]]


def check(
    connection: Connection[Any],
    span: Span,
    claimed: Mapping[tuple[str, int], bytes],
    progress: Callable[[int], None],
) -> Section:
    """Reads a span in the caller's snapshot. `claimed`: the hash that a source's head states of a position.

    A span that does not begin the log begins behind a tree head, and relies on it and on the tiles before:
    they are what the span before it checks. `progress` is told how many entries were read, page by page.
    """
    return _Check(connection, span, claimed, progress).run()


class _Check:
    def __init__(
        self,
        connection: Connection[Any],
        span: Span,
        claimed: Mapping[tuple[str, int], bytes],
        progress: Callable[[int], None],
    ) -> None:
        self._connection = connection
        self._span = span
        self._claimed = claimed
        self._progress = progress
        self._found = Section(span)
        self._next = span.start
        self._stamps = Stamps()

    def run(self) -> Section:
        self._tree, self._edge = self._begun()
        self._stated, self._plain = self._heads(), self._is_plain()
        newest = max(self._stated, default=self._span.start)
        for start in range(self._span.start, self._span.stop, PAGE):
            self._page(start, min(start + PAGE, self._span.stop))
            self._progress(self._tree.size - self._span.start)
        if not self._span.last and self._next < self._span.stop:
            self._missing(self._span.stop)
        self._tree_ends(newest)
        self._found.tree = self._tree
        return self._found

    def _problem(self, index: int, what: str) -> None:
        self._found.problems.append((index, what))

    # -- the tree

    def _begun(self) -> tuple[Tree, Edge | None]:
        start = self._span.start
        if start == 0:
            return Tree(), Edge()
        with self._connection.cursor(binary=True) as cursor:
            row = cursor.execute(_HEAD, (start,)).fetchone()
        assert row is not None, "a span begins behind a tree head"
        try:
            return Tree.stored(*row), Edge.of(start, StoredTiles(self._connection))
        except (LookupError, ValueError):  # told by whoever reads what is before
            return Tree(start, (b"",) * start.bit_count()), None

    def _heads(self) -> dict[int, tuple[bytes, bytes]]:
        stop = _END if self._span.last else self._span.stop
        with self._connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_HEADS, (self._span.start, stop)).fetchall()
        return {size: (root, peaks) for size, root, peaks in rows}

    def _is_plain(self) -> bool:
        """Whether subjects have the columns that they were made with; nobody alters them while this reads."""
        columns = self._connection.execute(_TYPED).description or ()
        return [column.type_code for column in columns] == _TYPES

    def _grow(self, hashes: list[bytes]) -> None:
        start = self._tree.size
        # ahead of what a missing entry has moved, no tree head is looked for
        sizes = [size for size in range(start + 1, start + len(hashes) + 1) if size in self._stated]
        done = start
        for size in sizes:
            self._tree = self._tree.append(hashes[done - start : size - start])
            done = size
            if self._stated.pop(size) != (self._tree.root, b"".join(self._tree.peaks)):
                self._problem(size - 1, UNLED)
        self._tree = self._tree.append(hashes[done - start :])
        for level, index, tile in self._edge.extend(hashes) if self._edge else ():
            self._tile(level, index, tile)

    def _tile(self, level: int, index: int, hashes: bytes) -> None:
        with self._connection.cursor(binary=True) as cursor:
            row = cursor.execute(_TILE, (level, index)).fetchone()
        first = index * WIDTH ** (level + 1)
        if row is None:
            self._problem(first, f"tile {level}/{index} is missing")
        elif row[0] != hashes:
            pairs = enumerate(zip(split(row[0]), split(hashes), strict=True))
            place = next(place for place, (stored, computed) in pairs if stored != computed)
            what = f"tile {level}/{index} does not follow from the entries"
            self._problem(first + place * WIDTH**level, what)

    def _tree_ends(self, newest: int) -> None:
        if self._span.last and self._tree.size > newest:
            self._problem(newest, "from this entry on no tree head speaks of them")
        for _ in self._stated:
            self._problem(self._tree.size, "a tree head speaks of entries that are not there")

    # -- the entries

    def _page(self, start: int, stop: int) -> None:
        first = _BEGINNING if start == 0 else start
        behind = _END if self._span.last and stop == self._span.stop else stop
        with self._connection.cursor(binary=True) as cursor:
            entries = cursor.execute(_ENTRIES, (start, behind)).fetchall()
            self._grow([leaf_hash(row[-1]) for row in entries])
            together = cursor.execute(_TOGETHER, (first, behind)).fetchall() if self._plain else []
            if not self._glance(entries, together):
                self._one_by_one(entries, cursor.execute(_SUBJECTS, (first, behind)).fetchall())

    def _glance(self, entries: list[Any], subjects: list[Any]) -> bool:
        """Whether the page, looked at as a whole, is as it was appended; then its chains are followed too."""
        if [row[0] for row in entries] != list(range(self._next, self._next + len(entries))):
            return False
        seen, at = [], 0
        for start in range(0, len(entries), _AT_ONCE):
            part = entries[start : start + _AT_ONCE]
            end = bisect_right(subjects, part[-1][0], at, key=_index)
            found = glance(part, subjects[at:end], self._stamps)
            if found is None:
                return False
            seen.append(found)
            at = end
        if at != len(subjects):
            return False
        for found in seen:
            self._chains(self._next, found)
            self._batches(self._next, found)
            self._next += len(found.hashes)
        return True

    def _chains(self, start: int, seen: Seen) -> None:
        events = zip(
            seen.sources, seen.positions, map(bytes.fromhex, seen.previous), seen.hashes, strict=True
        )
        count = len(seen.hashes)
        if seen.is_one_chain and not self._is_claimed(seen):
            # within, nothing can be wrong any more; only the first meets what was before
            self._chain(start, *next(events))
            self._found.ends[seen.sources[0]] = Reached(
                seen.positions[-1], seen.hashes[-1], start + count - 1
            )
        else:
            for index, event in enumerate(events, start):
                self._chain(index, *event)

    def _batches(self, start: int, seen: Seen) -> None:
        rows = zip(seen.sources, seen.positions, seen.hashes, seen.types, seen.refs, seen.data, strict=True)
        for index, row in enumerate(rows, start):
            self._found.batches.saw(index, *row)
        if _RAISED in seen.types:
            for index, said in enumerate(zip(seen.sources, seen.types, seen.data, strict=True), start):
                self._raised(index, *said)

    def _raised(self, index: int, source: str, type: str, data: Any) -> None:
        if type == _RAISED and source.endswith("/audit"):
            self._found.raised.append((index, finding(map(data.get, _WHERE))))

    def _is_claimed(self, seen: Seen) -> bool:
        first, last = seen.positions[0], seen.positions[-1]
        return any(
            source == seen.sources[0] and first <= position <= last for source, position in self._claimed
        )

    def _one_by_one(self, entries: list[Any], subjects: list[Any]) -> None:
        rows, as_appended = iter(subjects), True
        for row in entries:
            if (event := self._event(row)) is None:
                as_appended = False
                continue
            self._columns(row, event)
            self._chain(row[0], event.source, event.position, event.previous, event.hash)
            refs = {":".join(ref) for ref in event.refs}
            said = event.type, refs, event.attributes["data"]
            self._found.batches.saw(row[0], event.source, event.position, event.hash, *said)
            self._raised(row[0], event.source, event.type, event.attributes["data"])
            as_appended = as_appended and self._is_as_appended(row, event, rows)
        if not as_appended or next(rows, None) is not None:
            self._look_closer(entries, subjects)

    def _event(self, row: Any) -> Sealed | None:
        index, entry = row[0], row[-1]
        if index != self._next:
            self._missing(index)
        self._next = index + 1
        try:
            event = read(entry.partition(b"\n")[0])
        except Undecodable as error:
            self._problem(index, str(error))
            return None
        with suppress(NoLeaf):  # which is told with its note
            return replace(event, hash=leaf.hash_of(entry))
        return event

    def _missing(self, stop: int) -> None:
        several = stop > self._next + 1
        missing = f"entries {self._next} to {stop - 1} are" if several else f"entry {self._next} is"
        self._problem(self._next, f"{missing} missing")

    def _is_as_appended(self, row: Any, event: Sealed, rows: Iterator[Any]) -> bool:
        """Whether the next rows of subjects, in their order, and the time are exactly what the leaf says."""
        wanted = subjects_of(event)
        found = list(islice(rows, len(wanted)))
        if [each[1:3] for each in found] != wanted or {each[0] for each in found} != {row[0]}:
            return False
        with suppress(ValueError):  # what the rows say is no note
            return leaf.encode(event.raw, [each[3:] for each in found], self._stamps[row[7]]) == row[-1]
        return False

    def _look_closer(self, entries: list[Any], subjects: list[Any]) -> None:
        """Names the entries whose note, subjects or time are not what they have to be."""
        rows: _Rows = {}
        for index, kind, ref, number, previous in subjects:
            rows.setdefault(index, {})[kind, ref] = number, previous
        for row in entries:
            found = rows.pop(row[0], {})
            with suppress(Undecodable):  # which is told already
                self._note(row, read(row[-1].partition(b"\n")[0]), found)
        for index in sorted(rows):
            self._problem(index, "there are subjects, and no entry")

    def _note(self, row: Any, event: Sealed, found: dict[tuple[str, str], tuple[int, int]]) -> None:
        index, entry, wanted = row[0], row[-1], subjects_of(event)
        try:
            _, links, received = leaf.decode(entry)
        except NoLeaf as error:
            self._problem(index, str(error))
            return
        if len(links) != len(wanted):
            self._problem(index, "its note does not have a link for each subject")
        elif dict(zip(wanted, links, strict=True)) != found:
            self._problem(index, "the subjects are not those of the event")
        if received != self._stamps[row[7]]:
            self._problem(index, "the columns do not say what the event says")

    def _columns(self, row: Any, event: Sealed) -> None:
        said = event.attributes
        if row[1:7] != (
            said["source"], said["position"], said["id"], said["type"], said["actor"], said["role"]
        ):  # fmt: skip
            self._problem(row[0], "the columns do not say what the event says")

    def _chain(self, index: int, source: str, position: int, previous: bytes, hash: bytes) -> None:
        before = self._found.ends.get(source)
        if before is None:
            self._found.begins[source] = Place(index, position, previous)
        else:
            follows(self._found, source, before, Place(index, position, previous))
        self._found.ends[source] = Reached(position, hash, index)
        claimed = self._claimed.get((source, position))
        if claimed is not None:
            self._found.met.add((source, position))
            if claimed != hash:
                self._problem(index, f"{source}: its head at {position} is another event")
