"""How a service stands, for whoever watches over it: what waits, how far it has come, what is parked."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, TypedDict

from nameko.extensions import DependencyProvider
from psycopg import Connection

from shared.contracts import SOURCES
from shared.kernel.actors import Role
from shared.runtime.doors import admit
from shared.runtime.settings import Settings
from shared.runtime.workshop import Workshop
from shared.store import sealer, standing
from shared.store.standing import Waiting
from shared.wire.answers import Count, Position, Stamp


class Queue(TypedDict):
    """How many wait, and since when the oldest does."""

    count: Count
    since: Stamp


class Applied(TypedDict):
    """How far a consumer has come in a source's log."""

    consumer: str
    source: str
    position: Position


class Log(TypedDict):
    """How far the service's own log is sealed and published, and what waits to be."""

    head: Position
    published: Position
    unsealed: Queue | None
    unpublished: Queue | None


class Standing(TypedDict):
    """How a service stands; `log` of one that speaks."""

    service: str
    parked: Count
    rejected: Queue | None
    consumers: list[Applied]
    log: Log | None


More = Callable[[Connection[Any], Settings], dict[str, Any]]


class Gauges(DependencyProvider):
    """`self.gauges(roles=FOLLOWERS)` -> `{service, parked, rejected, consumers, log}`, and what `more` says.

    `consumers` are `{consumer, source, position}`. `log`, of a service that speaks: `{head, published,
    unsealed, unpublished}`, the last two `{count, since}` or None.
    """

    workshop = Workshop()

    def __init__(self, more: More | None = None) -> None:
        self._more = more

    def get_dependency(self, worker_ctx: Any) -> Callable[..., dict[str, Any]]:
        return partial(self._tell, worker_ctx)

    def _tell(self, call: Any, roles: Collection[Role]) -> dict[str, Any]:
        admit(self.workshop, call.service_name, call.entrypoint.method_name, call.data, roles)
        told: dict[str, Any] = self.workshop.persistently(self._look)
        return told

    def _look(self, connection: Connection[Any]) -> dict[str, Any]:
        service: str = self.workshop.container.service_name
        with connection.transaction():
            return {
                "service": service,
                "parked": standing.parked(connection),
                "rejected": _waiting(standing.rejected(connection)),
                "consumers": _consumers(connection),
                "log": _log(connection) if service in SOURCES else None,
                **(self._more(connection, self.workshop.settings) if self._more else {}),
            }


def _consumers(connection: Connection[Any]) -> list[dict[str, Any]]:
    return [
        {"consumer": consumer, "source": source, "position": position}
        for (consumer, source), position in sorted(standing.applied(connection).items())
    ]


def _log(connection: Connection[Any]) -> dict[str, Any]:
    head, published = sealer.head(connection)[0], sealer.published(connection)
    return {
        "head": head,
        "published": published,
        "unsealed": _waiting(standing.to_seal(connection)),
        "unpublished": _waiting(standing.behind(connection, published, head)),
    }


def _waiting(found: Waiting | None) -> dict[str, Any] | None:
    return {"count": found.count, "since": found.since} if found else None
