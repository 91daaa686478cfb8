"""Reads of what is sensitive are events of the service that answers (R163): no answer without its event."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from psycopg import Connection

from shared.contracts.reads import Read
from shared.kernel.actors import Actor
from shared.kernel.clock import stamp, utc_now
from shared.kernel.events import language
from shared.kernel.ids import new_id
from shared.store import eventstore
from shared.store.eventstore import Append
from shared.wire.envelope import Origin, draft


def record(
    connection: Connection[Any], source: str, by: Actor, query: str, about: Mapping[str, Any], rows: int
) -> None:
    """Says in the caller's transaction that somebody has read; `about`: what the query was asked."""
    read, now = new_id(), stamp(utc_now())
    event = language(source.rpartition("/")[2]).events["SensitiveRead"]
    assert issubclass(event, Read)
    said = event(
        read=read,
        query=query,
        application=about.get("application", ""),
        batch=about.get("batch", ""),
        rows=rows,
    )
    stream = f"read-{read}"
    drafted = draft(said, new_id(), stream, 1, Origin(source, by, now, now, read, read, read))
    eventstore.append(connection, Append(stream, 0, [drafted], read, b"", b"{}"))


def told(by: Actor, bodies: Sequence[str]) -> int:
    """How many sealed events are more than one's own reads.

    Whoever follows a feed to its end would otherwise never reach it: each answer would be the next event.
    """
    return sum(not _is_own_read(by, orjson.loads(body)) for body in bodies)


def _is_own_read(by: Actor, event: Mapping[str, Any]) -> bool:
    return event["type"] == "SensitiveRead" and event["actor"] == by.id
