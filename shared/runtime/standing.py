"""Whether everything that was decided has reached everybody whom it concerns."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from psycopg import Connection

from shared.contracts import SERVICES, SOURCES
from shared.runtime import delivery
from shared.runtime.databases import as_role
from shared.runtime.definition import definition
from shared.runtime.executor import Executor
from shared.runtime.settings import Settings
from shared.store import migrations, sealer, standing
from shared.store.inbox import Consumer
from shared.store.standing import Waiting

Row = tuple[object, ...]


def settled(settings: Settings, admin: str) -> bool:
    """True when every event is sealed, and every consumer of every service has applied every source.

    Logs are looked at before and after the consumers: what a reaction adds in between shows.
    """
    before = _heads(settings, admin)
    if before is None:
        return False
    positions = [
        (position, before[source.rpartition("/")[2]])
        for service in SERVICES
        for (_, source), position in _applied(settings, admin, service).items()
    ]
    return all(position == head for position, head in positions) and before == _heads(settings, admin)


def arrived(settings: Settings, admin: str, service: str) -> bool:
    """Whether audit has everything that this service has decided so far."""
    with _connected(settings, admin, service) as connection:
        if standing.unsealed(connection):
            return False
        head, _, _ = sealer.head(connection)
    return _applied(settings, admin, "audit").get(("log", settings.source(service)), 0) >= head


@dataclass(frozen=True)
class Lag:
    """Somebody who is behind: a relay (no `consumer`) behind its own log, or a consumer behind a source."""

    service: str
    consumer: str
    source: str
    waiting: Waiting


def lags(settings: Settings, admin: str) -> Iterator[Lag]:
    """Every relay and every consumer that has something left to take up at this moment."""
    with ExitStack() as stack:
        logs = {service: stack.enter_context(_connected(settings, admin, service)) for service in SOURCES}
        published = {service: sealer.published(logs[service]) for service in SOURCES}
        for service, log in logs.items():
            yield from _of_relay(settings.source(service), service, log, published[service])
        for service in SERVICES:
            applied = _applied(settings, admin, service)
            for consumer in _consumers(settings, service):
                for source in sorted(consumer.sources):
                    name = settings.source(source)
                    position = applied.get((consumer.name, name), 0)
                    if waiting := standing.behind(logs[source], position, published[source]):
                        yield Lag(service, consumer.name, name, waiting)


def _of_relay(source: str, service: str, log: Connection[Row], published: int) -> Iterator[Lag]:
    for waiting in (standing.to_seal(log), standing.behind(log, published, sealer.head(log)[0])):
        if waiting:
            yield Lag(service, "", source, waiting)


def _consumers(settings: Settings, service: str) -> list[Consumer]:
    found = definition(service)
    executor = Executor(found, settings.source(service)) if found.aggregates else None
    return delivery.consumers(found, executor, settings.body)


def _heads(settings: Settings, admin: str) -> dict[str, int] | None:
    heads = {}
    for service in SOURCES:
        with _connected(settings, admin, service) as connection:
            if standing.unsealed(connection):
                return None
            heads[service] = sealer.head(connection)[0]
    return heads


def _applied(settings: Settings, admin: str, service: str) -> dict[tuple[str, str], int]:
    with _connected(settings, admin, service) as connection:
        return standing.applied(connection)


def _connected(settings: Settings, admin: str, service: str) -> Connection[Row]:
    return Connection.connect(as_role(settings, admin, service, migrations.service_role(service)))
