"""Parked events: list, show, repair, replay; and what was rejected, because it was no event."""

from typing import Any

import orjson
from psycopg import Connection
from psycopg.rows import dict_row

from shared.kernel.faults import reached
from shared.store.errors import PASSING
from shared.store.inbox import Consumer, checkpoint, said
from shared.wire.canonical import canonical
from shared.wire.envelope import Sealed, read

_COLUMNS = (
    "consumer, source, position, stream, type, reason, status, repair,"
    """ to_char(parked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS parked_at"""
)
_REJECTED = """
SELECT * FROM (SELECT id, origin, reason, length(body) AS bytes,
                      to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS received_at
                 FROM rejected ORDER BY id DESC LIMIT %s) AS newest ORDER BY id
"""


class NotParked(LookupError):
    """No parked event stands at this place."""


def parked(connection: Connection[Any], *, everything: bool = False) -> list[dict[str, Any]]:
    """What waits for an operator, oldest first; `everything`: with what was replayed or skipped."""
    where = "" if everything else "WHERE status = 'parked'"
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM parked {where} ORDER BY consumer, source, position"  # noqa: S608
        ).fetchall()


def latest(connection: Connection[Any], limit: int) -> list[dict[str, Any]]:
    """What was ever parked, however it ended, newest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM parked ORDER BY parked.parked_at DESC, position DESC LIMIT %s",  # noqa: S608
            (limit,),
        ).fetchall()


def rejected(connection: Connection[Any], limit: int) -> list[dict[str, Any]]:
    """The newest bodies from the bus that were no events, oldest first, without their content."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_REJECTED, (limit,)).fetchall()


def show(connection: Connection[Any], consumer: str, source: str, position: int) -> dict[str, Any]:
    """One parked event with its whole content."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            f"SELECT {_COLUMNS}, sealed, repaired FROM parked"  # noqa: S608
            " WHERE consumer = %s AND source = %s AND position = %s",
            (consumer, source, position),
        ).fetchone()
    if row is None:
        raise NotParked(f"{consumer} {source} {position}")
    event, repaired = orjson.loads(row.pop("sealed")), row.pop("repaired")
    return {**row, "event": event, "repaired": orjson.loads(repaired) if repaired else None}


def repair(
    connection: Connection[Any],
    consumer: str,
    source: str,
    position: int,
    data: dict[str, Any],
    by: str,
    why: str,
) -> None:
    """Gives the handler another payload at replay. The event in the log stays what it is."""
    _note(connection, consumer, source, position, "parked", f"{by}: {why}", canonical(data))


def skip(connection: Connection[Any], consumer: str, source: str, position: int, by: str, why: str) -> None:
    """Decides that this consumer goes on without the event; kept with who and why."""
    _note(connection, consumer, source, position, "skipped", f"{by}: {why}", None)


def _note(
    connection: Connection[Any],
    consumer: str,
    source: str,
    position: int,
    status: str,
    note: str,
    data: bytes | None,
) -> None:
    changed = connection.execute(
        "UPDATE parked SET status = %s, repair = %s, repaired = coalesce(%s, repaired)"
        " WHERE consumer = %s AND source = %s AND position = %s AND status = 'parked'",
        (status, note, data, consumer, source, position),
    )
    if changed.rowcount == 0:
        raise NotParked(f"{consumer} {source} {position}")


def replay(connection: Connection[Any], consumer: Consumer, source: str, stream: str) -> tuple[int, str]:
    """Hands a stream's parked events to their handler, in order: how many went through, and what stopped it.

    Holds the checkpoint meanwhile, so that nothing of the stream overtakes.
    """
    done = 0
    with connection.transaction():
        checkpoint(connection, consumer.name, source)
        for event in _waiting(connection, consumer.name, source, stream):
            try:
                with connection.transaction():
                    consumer.handle(connection, [event])
                    reached("replay")
            except PASSING:
                raise
            except Exception as error:
                return done, said(error)
            connection.execute(
                "UPDATE parked SET status = 'replayed' WHERE consumer = %s AND source = %s AND position = %s",
                (consumer.name, source, event.position),
            )
            done += 1
    return done, ""


def _waiting(connection: Connection[Any], consumer: str, source: str, stream: str) -> list[Sealed]:
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(
            "SELECT sealed, repaired FROM parked WHERE consumer = %s AND source = %s AND stream = %s"
            " AND status = 'parked' ORDER BY position",
            (consumer, source, stream),
        ).fetchall()
    return [_repaired(read(sealed), repaired) for sealed, repaired in rows]


def _repaired(event: Sealed, data: bytes | None) -> Sealed:
    if data is None:
        return event
    return Sealed(event.raw, event.hash, {**event.attributes, "data": orjson.loads(data)})
