"""The sealer: gives committed events their place in the log. One leader per source, by advisory lock.

Sequence order is not commit order, so a cursor over `seq` would skip events that commit late. Only events
whose transaction lies below `pg_snapshot_xmin` are sealed: everything that could come before them has ended.
"""

from typing import Any, Protocol

from psycopg import Connection
from psycopg.rows import dict_row

from shared.kernel.faults import reached
from shared.wire.envelope import GENESIS, digest, seal

_LEADER = 0x6A69616E  # one lock per database; a source's relay that cannot get it stands by
_COMMITTED = """
SELECT draft, xid::text AS sealed_xid, seq FROM events
 WHERE (xid, seq) > (%s::xid8, %s) AND xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY xid, seq LIMIT %s -- an output column named xid would be sorted as text: '999' after '1000'
"""
_STALL = """
SELECT coalesce(extract(epoch FROM max(now() - xact_start)), 0)::float FROM pg_stat_activity
 WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
"""


_BEAT = """
INSERT INTO heartbeat (position, hash, time, signature) VALUES (%s, %s, %s, %s)
ON CONFLICT (single) DO UPDATE
   SET position = excluded.position, hash = excluded.hash, time = excluded.time,
       signature = excluded.signature
"""


class Signer(Protocol):
    """Signs what a source says about its own log."""

    def sign(self, position: int, head: bytes) -> bytes: ...

    def state(self, position: int, head: bytes, time: str) -> bytes: ...


class Sealer:
    """Seals on one connection in autocommit mode; losing the connection is losing the leadership."""

    def __init__(self, connection: Connection[Any], signer: Signer) -> None:
        self._connection = connection
        self._signer = signer

    def lead(self) -> bool:
        """Whether this sealer is the leader (now, or already)."""
        row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (_LEADER,)).fetchone()
        return bool(row and row[0])

    def seal(self, limit: int = 1000) -> int:
        """Seals up to `limit` committed events in one transaction and signs the head; how many it were."""
        with (
            self._connection.transaction(),
            self._connection.cursor(row_factory=dict_row, binary=True) as cursor,
        ):
            mark = cursor.execute(
                "SELECT xid::text AS xid, seq, position, hash FROM relay FOR UPDATE"
            ).fetchone()
            assert mark is not None
            events = cursor.execute(_COMMITTED, (mark["xid"], mark["seq"], limit)).fetchall()
            if not events:
                return 0
            position, head = self._write(cursor, events, mark["position"], mark["hash"])
            reached("seal")
            cursor.execute(
                "INSERT INTO heads VALUES (%s, %s, %s)", (position, head, self._signer.sign(position, head))
            )
            reached("sign")
            cursor.execute(
                "UPDATE relay SET xid = %s::xid8, seq = %s, position = %s, hash = %s",
                (events[-1]["sealed_xid"], events[-1]["seq"], position, head),
            )
        reached("sealed")
        return len(events)

    def _write(
        self, cursor: Any, events: list[dict[str, Any]], position: int, head: bytes
    ) -> tuple[int, bytes]:
        with cursor.copy("COPY log (position, hash, sealed) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "bytea", "bytea"])
            for event in events:
                position += 1
                sealed = seal(event["draft"], position, head)
                head = digest(sealed)
                copy.write_row((position, head, sealed))
        return position, head

    def beat(self, time: str) -> None:
        """States, signed, how far the log has come at this moment: also when nothing has happened."""
        with self._connection.transaction(), self._connection.cursor(binary=True) as cursor:
            position, head = cursor.execute("SELECT position, hash FROM relay").fetchone() or (0, GENESIS)
            cursor.execute(_BEAT, (position, head, time, self._signer.state(position, head, time)))

    def stalled_for(self) -> float:
        """Seconds for which the oldest writing transaction of the cluster has been holding the log back."""
        row = self._connection.execute(_STALL).fetchone()
        return float(row[0]) if row else 0.0


def published(connection: Connection[Any]) -> int:
    """The last position of the confirmed prefix: everything up to it reached the bus."""
    row = connection.execute("SELECT published FROM relay").fetchone()
    assert row is not None
    return int(row[0])


def sealed_after(connection: Connection[Any], position: int, limit: int) -> list[tuple[int, bytes, bytes]]:
    """(position, sealed, hash) behind `position`, in order, at most `limit`."""
    with connection.cursor(binary=True) as cursor:
        return cursor.execute(
            "SELECT position, sealed, hash FROM log WHERE position > %s ORDER BY position LIMIT %s",
            (position, limit),
        ).fetchall()


def head(connection: Connection[Any]) -> tuple[int, bytes, bytes]:
    """(position, hash, signature) of the newest signed head; (0, GENESIS, b"") of an empty log."""
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute(
            "SELECT position, hash, signature FROM heads ORDER BY position DESC LIMIT 1"
        ).fetchone()
    return (row[0], row[1], row[2]) if row else (0, GENESIS, b"")


def heartbeat(connection: Connection[Any]) -> tuple[int, bytes, str, bytes] | None:
    """(position, hash, time, signature) of the newest statement; None while there is none."""
    with connection.cursor(binary=True) as cursor:
        return cursor.execute("SELECT position, hash, time, signature FROM heartbeat").fetchone()


def mark_published(connection: Connection[Any], position: int) -> None:
    """Moves the confirmed prefix forward."""
    connection.execute("UPDATE relay SET published = %s WHERE published < %s", (position, position))
    reached("marked")
