"""What audit has of a source, for a comparison with the source's own log."""

from collections.abc import Iterator
from typing import Any

from psycopg import Connection

_PAGE = 10_000
# a leaf is the sealed event and, behind a line feed, audit's note; greatest(): one without any is damaged;
# the note of one that stands in for an event ends with the hash of that
_HASHES = r"""
SELECT position, CASE
       WHEN encode(substring(leaf FROM length(leaf) - 82), 'escape') ~ '^,"unrecordable":"[0-9a-f]{64}"\}$'
       THEN decode(encode(substring(leaf FROM length(leaf) - 65 FOR 64), 'escape'), 'hex')
       ELSE sha256(substring(leaf FROM 1 FOR greatest(position('\x0a'::bytea IN leaf) - 1, 0))) END
  FROM entries WHERE source = %s AND position > %s ORDER BY position LIMIT %s
"""
_INDEX = "SELECT index FROM entries WHERE source = %s AND position = %s"


def hashes(connection: Connection[Any], source: str) -> Iterator[tuple[int, bytes]]:
    """(position, hash of the sealed event) of everything that audit has of `source`, in order."""
    after = 0
    while True:
        with connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_HASHES, (source, after, _PAGE)).fetchall()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def index(connection: Connection[Any], source: str, position: int) -> int | None:
    """Of the entry that audit has of an event; None if it has none."""
    row = connection.execute(_INDEX, (source, position)).fetchone()
    return row[0] if row else None
