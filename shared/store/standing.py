"""How far everybody has come: what is committed, sealed, and applied."""

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from shared.wire.envelope import read

_FIRST_UNSEALED = """
SELECT convert_from(draft, 'UTF8')::json ->> 'recordedtime' FROM events, relay
 WHERE (events.xid, events.seq) > (relay.xid, relay.seq) ORDER BY events.xid, events.seq LIMIT 1
"""
_UNSEALED = "SELECT count(*) FROM events, relay WHERE (events.xid, events.seq) > (relay.xid, relay.seq)"


def unsealed(connection: Connection[Any]) -> int:
    """Events that are committed and not yet in the log."""
    row = connection.execute(_UNSEALED).fetchone()
    assert row is not None
    return int(row[0])


def applied(connection: Connection[Any]) -> dict[tuple[str, str], int]:
    """(consumer, source) -> position."""
    rows = connection.execute("SELECT consumer, source, position FROM checkpoints").fetchall()
    return {(consumer, source): position for consumer, source, position in rows}


@dataclass(frozen=True)
class Waiting:
    """Events that somebody has not taken up yet, and when the first of them was recorded."""

    count: int
    since: str


def to_seal(connection: Connection[Any]) -> Waiting | None:
    """What is committed and not yet in the log."""
    row = connection.execute(_FIRST_UNSEALED).fetchone()
    return Waiting(unsealed(connection), row[0]) if row else None


def behind(connection: Connection[Any], position: int, upto: int) -> Waiting | None:
    """What this log has behind `position`, up to position `upto`."""
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute("SELECT sealed FROM log WHERE position = %s", (position + 1,)).fetchone()
    if row is None or upto <= position:
        return None
    return Waiting(upto - position, read(row[0]).attributes["recordedtime"])


def parked(connection: Connection[Any]) -> int:
    """Events that wait for an operator."""
    row = connection.execute("SELECT count(*) FROM parked WHERE status = 'parked'").fetchone()
    assert row is not None
    return int(row[0])


def rejected(connection: Connection[Any]) -> Waiting | None:
    """Bodies from the bus that were no events of ours, and when the first of them came."""
    row = connection.execute(
        """SELECT count(*), to_char(min(received_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
        " FROM rejected"
    ).fetchone()
    return Waiting(*row) if row and row[0] else None
