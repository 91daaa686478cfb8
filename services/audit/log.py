"""Appending to the audit log, as one more consumer of every source.

Each subject's entries form a chain of their own: a leaf names, for each of its subjects, how many entries
there are now and which was the one before. What was newest of a subject, and the edge of the tree, are
remembered between batches for as long as nobody else has appended: the root says so, for equal roots mean
equal logs.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import orjson
from psycopg import Connection, errors

from services.audit.domain import leaf
from services.audit.domain.leaf import Link, subjects_of
from services.audit.domain.tree import EMPTY, Edge, Tree, leaf_hash
from services.audit.raising import raise_finding
from services.audit.tiles import StoredTiles
from shared.contracts import SOURCES
from shared.kernel.clock import stamp, utc_now
from shared.kernel.errors import Conflict
from shared.kernel.ids import derived_id
from shared.store.errors import PASSING
from shared.store.inbox import Consumer
from shared.wire.canonical import canonical
from shared.wire.envelope import Sealed, Undecodable, digest, read

log = logging.getLogger(__name__)

Subject = tuple[str, str]
UNRECORDABLE = "EventUnrecordable"

_AT_ONCE = 256  # entries of a first transaction: a tile's, and some 20 ms
_REMEMBERED = 50_000  # subjects
_FAR = 10_000  # entries that others have appended: reading their tiles is quicker then
# texts and numbers of many rows travel as one text each, which costs a tenth of a list
_APPEND = r"""
SELECT append_entries(
    %s, string_to_array(%s, E'\n'), %s::bigint[], %s::uuid[], string_to_array(%s, E'\n'),
    string_to_array(%s, E'\n'), string_to_array(%s, E'\n'), %s::timestamptz, %b::bytea[],
    string_to_array(%s, E'\n'), string_to_array(%s, E'\n'), %s::int[], %s::bigint[], %s::bigint[],
    %s::int[], %s::bigint[], %b::bytea[], %b, %b)
"""
_NEWEST = """
SELECT asked.place, last.number, last.index
  FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS asked (kind, ref, place),
       LATERAL (SELECT number, index FROM subjects s WHERE s.kind = asked.kind AND s.ref = asked.ref
                 ORDER BY index DESC LIMIT 1) AS last
"""
_LEAVES = "SELECT leaf FROM entries WHERE index >= %s AND index < %s ORDER BY index"
_KNOWN = """
SELECT source, position, index, leaf FROM entries
  JOIN unnest(%s::text[], %s::bigint[]) AS asked (source, position) USING (source, position)
"""
_PARKED = """
SELECT source, position, NULL, sealed FROM parked
  JOIN unnest(%s::text[], %s::bigint[]) AS asked (source, position) USING (source, position)
 WHERE consumer = %s
"""
_KEEP = "SELECT keep_evidence(%s, %s, %s, %s, %s)"


def newest(connection: Connection[Any]) -> Tree:
    """The tree as it stands."""
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute("SELECT size, peaks FROM tree_heads ORDER BY size DESC LIMIT 1").fetchone()
    return Tree.stored(*row) if row else Tree()


class _Memory:
    """What is known of the log with a certain root: the tree's edge, and the newest entries of subjects."""

    def __init__(self, root: bytes, edge: Edge) -> None:
        self.root = root
        self.edge = edge
        self.newest: dict[Subject, Link] = {}

    def learn(self, connection: Connection[Any], subjects: Iterable[Subject]) -> None:
        """Asks the log for those that are not known."""
        asked = [subject for subject in dict.fromkeys(subjects) if subject not in self.newest]
        if not asked:
            return
        found = dict.fromkeys(asked, (0, -1))
        if self.edge.size:
            columns = [list(column) for column in zip(*asked, strict=True)]
            with connection.cursor(binary=True) as cursor:
                rows = cursor.execute(_NEWEST, columns).fetchall()
            found.update((asked[place - 1], (number, index)) for place, number, index in rows)
        self.newest.update(found)

    def links(self, subjects: Iterable[list[Subject]]) -> tuple[list[list[Link]], dict[Subject, Link]]:
        """The links of entries about these subjects, and what is newest then."""
        links, newest = [], dict[Subject, Link]()
        for index, each in enumerate(subjects, start=self.edge.size):
            pairs = []
            for subject in each:
                number, previous = newest.get(subject) or self.newest[subject]
                pairs.append((number + 1, previous))
                newest[subject] = number + 1, index
            links.append(pairs)
        return links, newest

    def move(self, root: bytes, edge: Edge, newest: dict[Subject, Link]) -> None:
        """Knows the log with another root. The subjects that were met last are forgotten last."""
        self.root, self.edge = root, edge
        for subject in newest:
            self.newest.pop(subject, None)
        self.newest.update(newest)
        for subject in list(self.newest)[:-_REMEMBERED] if len(self.newest) > 2 * _REMEMBERED else ():
            del self.newest[subject]


class _Instead(Sealed):
    """What is recorded in the place of an event: `hash` is that of the event itself."""


def _instead(event: Sealed, reason: str) -> _Instead:
    said = {
        **event.attributes,
        "id": derived_id("unrecordable", event.source, str(event.position), event.hash.hex()),
        "type": UNRECORDABLE,
        "schemaversion": 1,
        "data": {"event": event.id, "type": event.type[:100], "reason": reason[:100]},
    }
    return _Instead(canonical(said), event.hash, said)


class Recorder:
    """Appends sealed events; one for each process."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._kept: list[_Memory] = []

    def append(self, connection: Connection[Any], events: Sequence[Sealed]) -> None:
        """The events become leaves, all or none, in the caller's transaction; Conflict if overtaken."""
        if not events:
            return
        tree = newest(connection)
        memory = self._taken(connection, tree)
        try:
            self._append(connection, events, tree, memory)
        finally:
            self._kept[:] = [memory]

    def stand_in(self, connection: Connection[Any], event: Sealed, reason: str) -> int:
        """An entry that says that this event cannot be one takes its place; its index.

        It has the place, the subjects and the hash of the event, so that chains and trails go on.
        """
        index = newest(connection).size
        self.append(connection, [_instead(event, reason)])
        return index

    def _append(
        self, connection: Connection[Any], events: Sequence[Sealed], tree: Tree, memory: _Memory
    ) -> None:
        subjects = [subjects_of(event) for event in events]
        memory.learn(connection, (subject for each in subjects for subject in each))
        links, newest = memory.links(subjects)
        received = stamp(self._clock())
        leaves = [
            leaf.encode(event.raw, each, received, event.hash.hex() if type(event) is _Instead else "")
            for event, each in zip(events, links, strict=True)
        ]
        hashes = [leaf_hash(each) for each in leaves]
        edge = memory.edge.copy()
        grown, full = tree.append(hashes), edge.extend(hashes)
        told = (
            tree.size,
            *_of_entries(events, received, leaves),
            *_of_subjects(subjects, links),
            _array(level for level, _, _ in full),
            _array(index for _, index, _ in full),
            [tile for _, _, tile in full],
            grown.root,
            b"".join(grown.peaks),
        )
        try:
            connection.execute(_APPEND, told)
        except errors.DatabaseError as error:
            if error.sqlstate == "JD001":
                raise Conflict("the audit log") from None
            raise
        memory.move(grown.root, edge, newest)

    def _taken(self, connection: Connection[Any], tree: Tree) -> _Memory:
        """What is known of this tree, to be used by nobody else meanwhile."""
        try:
            memory = self._kept.pop()
        except IndexError:
            memory = _Memory(EMPTY, Edge())
        if memory.root == tree.root:
            return memory
        return _followed(connection, memory, tree) or _Memory(
            tree.root, Edge.of(tree.size, StoredTiles(connection))
        )


def _followed(connection: Connection[Any], memory: _Memory, tree: Tree) -> _Memory | None:
    """What is known after somebody else has appended to the log that was known; None if that is long ago."""
    edge = memory.edge.copy()
    if not 0 < edge.size < tree.size < edge.size + _FAR:
        return None
    with connection.cursor(binary=True) as cursor:
        known = cursor.execute("SELECT root FROM tree_heads WHERE size = %s", (edge.size,)).fetchone()
        if known is None or known[0] != memory.root:
            return None
        rows = cursor.execute(_LEAVES, (edge.size, tree.size)).fetchall()
    edge.extend(leaf_hash(each) for (each,) in rows)
    return _Memory(tree.root, edge)


def compare(connection: Connection[Any], events: Sequence[Sealed]) -> None:
    """Keeps and tells what contradicts the log; repetitions are normal, and nothing is done about them.

    Other bytes at a position that the log has are an equivocation of their source. So is an event that
    follows another one than the log has at the position before.
    """
    if not events:
        return
    known = _known(connection, events)
    for event in events:
        if (at := known.get((event.source, event.position))) is not None:
            index, hash = at
            if hash != event.hash:
                _contradiction(connection, event, event.position, index, "other bytes at a known position")
        elif (before := known.get((event.source, event.position - 1))) is not None:
            index, hash = before
            if event.previous != hash:
                reason = "follows another event than the one at the position before"
                _contradiction(connection, event, event.position - 1, index, reason)


def set_aside(
    connection: Connection[Any], source: str, body: bytes, reason: str, at: int | None = None
) -> None:
    """Keeps and tells a body that came from `source` and is no event of it.

    `at`: the position at which the source's own feed has it; of the bus, nobody knows which it should be.
    """
    kind, position = "unreadable", at
    with suppress(Undecodable):
        kind, position = "forged", read(body).position
    connection.execute(_KEEP, (source, position, None, body, reason))
    _raise(connection, kind, source, at, None, body, reason)


def refused(connection: Connection[Any], event: Sealed, reason: str) -> bool:
    """Keeps and tells an event that the log does not take, such as one with the id of another one.

    Whether an entry stands in for it. Where not even that is taken, the log has been tampered with.
    """
    index = None
    try:
        with connection.transaction():
            index = recording.stand_in(connection, event, reason)
    except PASSING:
        raise
    except Exception:
        log.exception("%s %s cannot be recorded", event.source, event.position)
    connection.execute(_KEEP, (event.source, event.position, index, event.raw, reason))
    _raise(connection, "unrecordable", event.source, event.position, index, event.raw, reason)
    return index is not None


def _known(connection: Connection[Any], events: Sequence[Sealed]) -> dict[tuple[str, int], tuple[Any, bytes]]:
    places = {(event.source, event.position - back) for event in events for back in (0, 1)}
    asked = [list(column) for column in zip(*places, strict=True)]
    with connection.cursor(binary=True) as cursor:
        parked = cursor.execute(_PARKED, (*asked, recorder.name)).fetchall()
        rows = parked + cursor.execute(_KNOWN, asked).fetchall()
    # a leaf begins with the line of the event, a parked event is one
    return {
        (source, position): (index, leaf.hash_of(body) if index is not None else digest(body))
        for source, position, index, body in rows
    }


def _contradiction(
    connection: Connection[Any], event: Sealed, position: int, index: int | None, reason: str
) -> None:
    connection.execute(_KEEP, (event.source, event.position, index, event.raw, reason))
    _raise(connection, "equivocation", event.source, position, index, event.raw, reason)


def _raise(
    connection: Connection[Any],
    kind: str,
    source: str,
    position: int | None,
    index: int | None,
    body: bytes,
    reason: str,
) -> None:
    detail = orjson.dumps({"evidence": digest(body).hex(), "reason": reason})
    ours = source.split("/")[1]  # what audit follows are the sources of its own body
    raise_finding(connection, ours, kind, source, (position, position), (index, index), detail)


def _of_entries(events: Sequence[Sealed], received: str, leaves: list[bytes]) -> tuple[Any, ...]:
    """The columns of entries, as `append_entries` takes them."""
    return (
        _lines(event.source for event in events),
        _array(event.position for event in events),
        _array(event.id for event in events),
        _lines(event.type for event in events),
        _lines(event.actor[0] for event in events),
        _lines(event.actor[1] for event in events),
        received,
        leaves,
    )


def _of_subjects(subjects: list[list[Subject]], links: list[list[Link]]) -> tuple[Any, ...]:
    """The columns of subjects: kind, ref, which of the entries, number, and the entry before."""
    return (
        _lines(kind for each in subjects for kind, _ in each),
        _lines(ref for each in subjects for _, ref in each),
        _array(offset for offset, each in enumerate(subjects) for _ in each),
        _array(number for each in links for number, _ in each),
        _array(previous for each in links for _, previous in each),
    )


def _lines(texts: Iterable[str]) -> str:
    """Texts that have no line breaks (the envelope's have none), for string_to_array."""
    return "\n".join(texts)


def _array(values: Iterable[Any]) -> str:
    """Numbers or UUIDs as an array."""
    return "{" + ",".join(map(str, values)) + "}"


recording = Recorder()
append = recording.append
recorder = Consumer(
    "log",
    frozenset(SOURCES),
    append,
    at_once=_AT_ONCE,
    doubted=compare,
    set_aside=set_aside,
    refused=refused,
)
