"""Growing a projection anew out of our own log.

While PostgreSQL writes one page of events, a thread with a connection of its own reads and decodes the next:
one after the other, each of the two waited half of the time for the other.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import orjson
import psycopg
from psycopg import Connection

from shared.kernel.faults import reached
from shared.kernel.reactions import Projection
from shared.runtime.definition import Definition
from shared.runtime.delivery import own_feed, projecting
from shared.store import builds, inbox
from shared.store.inbox import ChainBroken, Consumer
from shared.wire.envelope import Sealed, Undecodable, digest

_PAGE = 5000
_READ_ALWAYS = {"source", "position", "previoushash", "type", "subject", "data"}


def rebuild(
    connection: Connection[Any],
    definition: Definition,
    projection: Projection,
    source: str,
    progress: Callable[[int], None] = lambda _: None,
    page: int = _PAGE,
) -> int:
    """Grows a new build from the log's beginning beside the live one, and switches; events applied.

    It reads and commits `page` events at once; an interrupted rebuild goes on where it stopped. Readers see
    the old build until the switch.
    RebuildRunning if somebody else is at it: two would apply everything twice.
    """
    with builds.alone(connection, projection):
        builds.install(connection, projection)  # where no node has run yet
        number = builds.begin(connection, projection)
        growing = projecting(definition, projection, number)
        with _Pages(connection, page) as pages:
            applied = 0
            while True:
                for done in _grow(connection, growing, source, pages):
                    applied += done
                    progress(applied)
                if builds.switch(connection, projection, source, number):
                    return applied


def _grow(connection: Connection[Any], growing: Consumer, source: str, pages: "_Pages") -> Iterator[int]:
    """Applies what the log has by now, page by page; how many events each had."""
    with connection.transaction():
        position, _ = inbox.checkpoint(connection, growing.name, source)
    page = pages.after(position)
    while events := page.result():
        page = pages.after(events[-1].position)
        done = inbox.apply(connection, growing, source, events)
        if done.gap:  # our own log has none, unless it was altered: there is nobody else to ask for it
            raise ChainBroken(source, done.position + 1)
        reached("rebuild")
        yield len(events)


class _Pages:
    """Our log, page by page, read by a thread while the one before is written."""

    def __init__(self, connection: Connection[Any], size: int) -> None:
        """Connects as `connection` did; a page has `size` events."""
        info = connection.info
        self._connection = psycopg.connect(info.dsn, password=info.password, autocommit=True)
        self._thread = ThreadPoolExecutor(1, "pages")
        self._size = size

    def __enter__(self) -> "_Pages":
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self._connection.close()

    def after(self, position: int) -> "Future[list[Sealed]]":
        """The events behind `position`, none at the log's end; Undecodable if a body is no event."""
        return self._thread.submit(self._read, position)

    def _read(self, position: int) -> list[Sealed]:
        return [_of_our_log(body) for body in own_feed(self._connection, position, self._size)]


def _of_our_log(body: bytes) -> Sealed:
    """Sealed here, and checked in full when it was drafted: checking again took a third of a rebuild.

    That nobody has changed the bytes since is what the chain of hashes shows. Undecodable if it is no event.
    """
    try:
        attributes = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Undecodable("a body of the log is not JSON") from None
    if not (isinstance(attributes, dict) and attributes.keys() >= _READ_ALWAYS):
        raise Undecodable("a body of the log is no event")
    return Sealed(body, digest(body), attributes)
