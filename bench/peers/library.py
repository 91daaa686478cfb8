"""The PyPI library `eventsourcing` with its PostgreSQL recorder: pooled connections, no snapshots.

It runs as it comes, or `tuned`: with its database functions, which save it round trips and are off by
default. Its cache is off unless it is asked for, and then trusts the version check alone, as ours does.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.conninfo import conninfo_to_dict


class Sheet(Aggregate):
    """Holds a text; each event carries one."""

    @event("Begun")
    def __init__(self, text: str) -> None:
        self.text = text

    @event("Noted")
    def note(self, text: str) -> None:
        self.text = text


def application(dsn: str, *, create: bool = False, cached: int = 0, tuned: bool = False) -> Application[UUID]:
    """The application over an existing database; clients that start together must not all make its tables."""
    place = conninfo_to_dict(dsn)
    return Application(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": str(place["dbname"]),
            "POSTGRES_HOST": str(place["host"]),
            "POSTGRES_PORT": str(place["port"]),
            "POSTGRES_USER": str(place["user"]),
            "POSTGRES_PASSWORD": str(place["password"]),
            "POSTGRES_POOL_SIZE": "1",  # one thread in each client
            "POSTGRES_ENABLE_DB_FUNCTIONS": "yes" if tuned else "no",
            "CREATE_TABLE": "yes" if create else "no",
            **(
                {"AGGREGATE_CACHE_MAXSIZE": str(cached), "AGGREGATE_CACHE_FASTFORWARD": "no"}
                if cached
                else {}
            ),
        }
    )


def preparing(dsn: str) -> Callable[[], None]:
    """Makes its tables and functions."""
    return application(dsn, create=True, tuned=True).close


def saving(dsn: str, size: int, number: int, tuned: bool = False) -> Callable[[], None]:
    """A new aggregate with one event of `size` stored bytes."""
    app = application(dsn, tuned=tuned)
    text = text_for(app, size)

    def once() -> None:
        app.save(Sheet(text))

    once()
    return once


def filling(dsn: str, size: int, streams: int, length: int) -> Callable[[], list[str]]:
    """Saves `streams` aggregates of `length` events each; their ids."""
    app = application(dsn)
    text = text_for(app, size)

    def once() -> list[str]:
        ids = []
        for _ in range(streams):
            sheet = Sheet(text)
            for _ in range(length - 1):
                sheet.note(text)
            app.save(sheet)
            ids.append(str(sheet.id))
        return ids

    return once


def noting(
    dsn: str, size: int, ids: list[str], number: int, known: bool = False, tuned: bool = False
) -> Callable[[], None]:
    """Loads an aggregate (or has it in its cache), decides, saves one more event."""
    app = application(dsn, cached=len(ids) if known else 0, tuned=tuned)
    text = text_for(app, size)
    place = number

    def once() -> None:
        nonlocal place
        place += 1
        sheet: Any = app.repository.get(UUID(ids[place % len(ids)]))
        sheet.note(text)
        app.save(sheet)

    for _ in ids if known else ids[:1]:
        once()
    return once


def text_for(app: Application[UUID], size: int) -> str:
    """A text with which the stored state of an event has `size` bytes."""
    sheet = Sheet("")
    empty = max(
        len(app.mapper.to_stored_event(each).state) for each in (sheet.pending_events[0], _noted(sheet))
    )
    return "x" * max(0, size - empty)


def _noted(sheet: Sheet) -> Any:
    sheet.note("")
    return sheet.pending_events[-1]
