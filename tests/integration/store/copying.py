"""A consumer whose effect can be counted: a row for each time that it applied an event."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from psycopg import Connection

from shared.contracts.scheduling import TaskNoticeIssued
from shared.kernel.actors import Role
from shared.kernel.ids import derived_id
from shared.runtime.delivery import Feed, FeedUnavailable, Reception
from shared.store.inbox import Consumer
from shared.wire.envelope import Sealed
from tests.integration.store.office import STATION, Office, somebody
from tests.integration.store.source import Source

OFFICER = somebody("officer", Role.CENTRE_OFFICER)


class CannotTakeIt(Exception):
    """This consumer cannot take this event."""


class Copying:
    """Writes down the notices that it is told of; refuses those in `poison`."""

    def __init__(self, office: Office) -> None:
        self.poison: set[str] = set()
        self.before_effect: Callable[[Connection[Any]], None] = lambda connection: None
        self.after_effect: Callable[[Connection[Any]], None] = lambda connection: None
        self.consumer = Consumer("copy", frozenset({"scheduling", "scoring"}), self._handle)
        self._office = office
        office.connection.execute("CREATE SCHEMA effects")
        office.connection.execute("CREATE TABLE effects.notices (place serial, notice text)")

    def _handle(self, connection: Connection[Any], events: Sequence[Sealed]) -> None:
        for sealed in events:
            notice = sealed.attributes["data"]["notice"]
            self.before_effect(connection)
            connection.execute("INSERT INTO effects.notices (notice) VALUES (%s)", (notice,))
            if notice in self.poison:
                raise CannotTakeIt(f"not {notice}\nDETAIL: a value that nobody should read")
            self.after_effect(connection)

    @property
    def applied(self) -> list[str]:
        """The notices in the order applied, as often as applied."""
        rows = self._office.admin.execute("SELECT notice FROM effects.notices ORDER BY place").fetchall()
        return [row[0] for row in rows]

    @property
    def position(self) -> int:
        row = self._office.admin.execute(
            "SELECT position FROM checkpoints WHERE (consumer, source) = ('copy', '/centre/scheduling')"
        ).fetchone()
        return int(row[0]) if row else 0

    def reception(self, *sources: Source, feed: Feed | None = None) -> Reception:
        """Listens to these sources; `feed` instead of their own."""
        heard = {each.service: each for each in sources}
        consumer = Consumer("copy", frozenset(heard), self._handle)
        names = {service: each.name for service, each in heard.items()}
        return Reception([consumer], self._office.visit, feed or partial(_feed, heard), names, 5.0)


def _feed(heard: dict[str, Source], service: str, position: int, limit: int) -> Sequence[bytes]:
    return heard[service].bodies[position : position + limit]


def tell(source: Source, *notices: str) -> list[bytes]:
    """Says notices such as `a1`: the letter tells the stream."""
    return [source.say(_notice(notice), OFFICER) for notice in notices]


def _notice(notice: str) -> TaskNoticeIssued:
    return TaskNoticeIssued(batch=batch_of(notice), station=STATION, notice=notice, approved=1)


def batch_of(notice: str) -> str:
    return derived_id("batch", notice[0])


def stream_of(notice: str) -> str:
    return f"batch-{batch_of(notice)}"


def no_feed(service: str, position: int, limit: int) -> Sequence[bytes]:
    """A source that does not answer."""
    raise FeedUnavailable(service)
