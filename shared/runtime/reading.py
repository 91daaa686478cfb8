"""Reads of what is sensitive are events of the service that answers (R163): no answer without its event."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from psycopg import Connection

from shared.contracts.attempts import Attempt
from shared.contracts.reads import Read
from shared.kernel.actors import Actor
from shared.kernel.clock import stamp, utc_now
from shared.kernel.errors import Refusal
from shared.kernel.events import Event, language
from shared.kernel.ids import new_id
from shared.store import eventstore
from shared.store.eventstore import Append
from shared.wire.envelope import Origin, draft

Said = Callable[[Connection[Any], Actor, str, Mapping[str, Any], Any], Event | None]
"""(connection, who asks, id of the read, what is asked, the answer) -> what is said of it, if anything."""

_READS = frozenset({"SensitiveRead", "TrailRead"})
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def sensitive(service: str, query: str) -> Said:
    """`SensitiveRead` in the words of a service; every answer is told, also an empty one."""

    def said(_: Connection[Any], _by: Actor, read: str, about: Mapping[str, Any], answer: Any) -> Event:
        rows = len(answer) if isinstance(answer, list) else int(answer is not None)
        return read_of(service, read, query, about, rows)

    return said


def read_of(service: str, read: str, query: str, about: Mapping[str, Any], rows: int) -> Event:
    """`about`: what the query was asked."""
    event = language(service).events["SensitiveRead"]
    assert issubclass(event, Read)
    return event(
        read=read,
        query=query,
        application=about.get("application", ""),
        batch=about.get("batch", ""),
        rows=rows,
    )


def witnessed(
    connection: Connection[Any],
    source: str,
    by: Actor,
    ask: Callable[[], Any],
    about: Mapping[str, Any],
    said: Said,
) -> Any:
    """The answer, with what is said of the read committed in the transaction that reads."""
    with connection.transaction():
        answer, read = ask(), new_id()
        event = said(connection, by, read, about, answer)
        if event is not None:
            commit(connection, source, by, event, f"read-{read}", read)
    return answer


def refuse(
    connection: Connection[Any], source: str, by: Actor, query: str, about: Mapping[str, Any], why: Refusal
) -> None:
    """An attempt to read what the role may not read becomes a fact, as that of a command does (R015)."""
    attempt, kind, id = new_id(), about.get("kind", ""), about.get("id", "")
    known = bool(_ID.fullmatch(id))  # what somebody types who may not read it may be anything
    event = language(source.rpartition("/")[2]).events["AttemptRefused"]
    assert issubclass(event, Attempt)
    said = event(
        attempt=attempt,
        command=query,
        code=why.code,
        stream=f"{kind}-{id}" if known else "",
        batch=about.get("batch") or (id if known and kind == "batch" else ""),
    )
    commit(connection, source, by, said, f"attempt-{attempt}", attempt)


def commit(connection: Connection[Any], source: str, by: Actor, event: Event, stream: str, id: str) -> None:
    """An event that nobody decided on, as a stream of its own, in the caller's transaction."""
    drafted = drafted_as(source, by, event, stream, id)
    eventstore.append(connection, Append(stream, 0, [drafted], id, b"", b"{}"))


def drafted_as(source: str, by: Actor, event: Event, stream: str, id: str) -> bytes:
    """The same as bytes, for whoever commits it by other means; `id` is also that of its command."""
    now = stamp(utc_now())
    return draft(event, new_id(), stream, 1, Origin(source, by, now, now, id, id, id))


def told(by: Actor, bodies: Sequence[str]) -> int:
    """How many sealed events are more than one's own reads.

    Whoever follows a feed to its end would otherwise never reach it: each answer would be the next event.
    """
    return sum(not is_own_read(by, orjson.loads(body)) for body in bodies)


def is_read(event: Mapping[str, Any]) -> bool:
    """Of an event, or of a step of a trail."""
    return event["type"] in _READS


def is_own_read(by: Actor, event: Mapping[str, Any]) -> bool:
    """The same, by this reader."""
    return is_read(event) and event["actor"] == by.id
