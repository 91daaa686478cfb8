"""Appending to the audit log, as one more consumer of every source."""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Connection, errors

from services.audit.domain.tree import Tree, leaf_hash
from shared.contracts import SOURCES
from shared.kernel.errors import Conflict
from shared.store.inbox import Consumer
from shared.wire.envelope import Sealed

_APPEND = "SELECT append_entries(%s, %s, %s, %s::uuid[], %s, %s, %s, %s::bytea[], %s, %s, %s::int[], %s, %s)"


def newest(connection: Connection[Any]) -> Tree:
    """The tree as it stands."""
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute("SELECT size, peaks FROM tree_heads ORDER BY size DESC LIMIT 1").fetchone()
    return Tree.stored(*row) if row else Tree()


def append(connection: Connection[Any], events: Sequence[Sealed]) -> None:
    """The events become leaves, all or none, in the caller's transaction."""
    if not events:
        return
    tree = newest(connection)
    grown = tree.append(leaf_hash(event.raw) for event in events)
    subjects = [
        (kind, ref, offset) for offset, event in enumerate(events) for kind, ref in subjects_of(event)
    ]
    kinds, refs, offsets = zip(*subjects, strict=True)
    values = (
        tree.size,
        [event.source for event in events],
        [event.position for event in events],
        [event.id for event in events],
        [event.type for event in events],
        [event.actor[0] for event in events],
        [event.actor[1] for event in events],
        [event.raw for event in events],
        list(kinds),
        list(refs),
        list(offsets),
        grown.root,
        b"".join(grown.peaks),
    )
    try:
        connection.execute(_APPEND, values)
    except errors.DatabaseError as error:
        if error.sqlstate == "JD001":
            raise Conflict("the audit log") from None
        raise


def subjects_of(event: Sealed) -> Iterable[tuple[str, str]]:
    """(kind, id) that a trail may be asked for, each once: its refs, and who acted."""
    return dict.fromkeys([*event.refs, ("actor", event.actor[0])])


recorder = Consumer("log", frozenset(SOURCES), append)
