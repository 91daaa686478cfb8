"""How far everybody has come: what is committed, sealed, and applied."""

from typing import Any

from psycopg import Connection

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
