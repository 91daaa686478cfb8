"""What an operator does with a running service: how it stands, what is parked, a projection built anew.

`@operated(definition)` gives a class these calls; `jianding parked` and `jianding rebuild` do the same.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypedDict, TypeVar

import eventlet
import orjson
from psycopg import Connection
from psycopg_pool import PoolClosed

from shared.bus.calls import rpc
from shared.kernel.actors import Actor, Role
from shared.kernel.errors import DomainError, InvalidInput
from shared.kernel.reactions import Projection
from shared.runtime import delivery, reading, rebuilding
from shared.runtime.chassis import Built, Errands
from shared.runtime.definition import Definition
from shared.runtime.workshop import Workshop
from shared.store import builds, parking
from shared.store.inbox import Consumer
from shared.wire.answers import Count, Done, Position, Stamp
from shared.wire.canonical import NotCanonical, canonical
from shared.wire.schemas import Number, QuerySchema, Text, Truth

log = logging.getLogger(__name__)

OPERATORS = frozenset({Role.ADMINISTRATOR})
ServiceClass = TypeVar("ServiceClass", bound=type)

_SHOWN = 200  # parked events that are told at once


class NothingParked(DomainError):
    """此处没有搁置的事件；请刷新列表。

    Nothing is parked there; reload the list.
    """

    field = "position"


class NoSuchConsumer(DomainError):
    """没有这个消费者；请从列表中选择。

    The service has no such consumer; choose one from the list.
    """

    field = "consumer"


class NoSuchProjection(DomainError):
    """没有这个视图；请从列表中选择。

    The service has no such projection; choose one from the list.
    """

    field = "projection"


class StillBroken(DomainError):
    """重放仍未成功；请先修复事件内容，或跳过。

    The replay stopped at an event again; repair its payload first, or skip it.
    """

    field = "position"


class RebuildRuns(DomainError):
    """此视图正在重建；请等待其完成。

    This projection is being built anew already; wait until that has ended.
    """

    field = "projection"


class Nothing(QuerySchema):
    """No arguments."""


class Either(QuerySchema):
    """`everything`: also what was replayed or skipped."""

    everything = Truth(required=False, load_default=False)


class Latest(QuerySchema):
    """The newest so many."""

    limit = Number(1, 500, required=False, load_default=100)


class Place(QuerySchema):
    """Where something is parked."""

    consumer = Text(60)
    source = Text(100)
    position = Number(1, 2**53)


class Skipping(Place):
    why = Text(200)


class Repairing(Place):
    data = Text(60_000)
    why = Text(200)


class Rebuilding(QuerySchema):
    projection = Text(60)


class Build(TypedDict):
    """The number of the build of a projection that is read, and of one that grows."""

    projection: str
    live: Count
    building: Count | None


class Parked(TypedDict):
    """An event that a consumer could not take; `repair` says who has mended its content, and why."""

    consumer: str
    source: str
    position: Position
    stream: str
    type: str
    reason: str
    status: Literal["parked", "replayed", "skipped"]
    repair: str | None
    parked_at: Stamp


class ParkedEvent(Parked):
    """The same with the event as the log has it, and the content that replaces its own at replay."""

    event: dict[str, Any]
    repaired: dict[str, Any] | None


class Foreign(TypedDict):
    """A body from the bus that was no event, without its content."""

    id: Count
    origin: str
    reason: str
    received_at: Stamp
    bytes: Count


class Replayed(TypedDict):
    """How many events went through."""

    replayed: Count


class Operations:
    """The work behind the calls."""

    def __init__(self, definition: Definition, workshop: Workshop) -> None:
        self._definition, self._workshop = definition, workshop

    def projections(self, _by: Actor) -> list[dict[str, Any]]:
        """[{projection, live, building}]: the number of the build that is read, and of one that grows."""
        with self._workshop.connect() as connection:
            rows = connection.execute("SELECT name, live, building FROM projections ORDER BY name").fetchall()
        return [{"projection": name, "live": live, "building": building} for name, live, building in rows]

    def parked(self, _by: Actor, *, everything: bool) -> list[dict[str, Any]]:
        with self._workshop.connect() as connection:
            if everything:
                return parking.latest(connection, _SHOWN)
            return parking.parked(connection)[:_SHOWN]

    def rejected(self, _by: Actor, limit: int) -> list[dict[str, Any]]:
        with self._workshop.connect() as connection:
            return parking.rejected(connection, limit)

    def show(self, by: Actor, consumer: str, source: str, position: int) -> dict[str, Any]:
        service, settings = self._definition.name, self._workshop.settings

        def work(connection: Connection[Any]) -> Any:
            ask = partial(parking.show, connection, consumer, source, position)
            said = reading.sensitive(service, "show_parked")
            return reading.witnessed(connection, settings.source(service), by, ask, {}, said)

        found: dict[str, Any] = self._at(work)
        self._workshop.committed()
        return found

    def repair(
        self, by: Actor, consumer: str, source: str, position: int, data: str, why: str
    ) -> dict[str, Any]:
        payload = _payload(data)
        self._at(
            lambda connection: parking.repair(connection, consumer, source, position, payload, by.id, why)
        )
        return {}

    def skip(self, by: Actor, consumer: str, source: str, position: int, why: str) -> dict[str, Any]:
        self._at(lambda connection: parking.skip(connection, consumer, source, position, by.id, why))
        return {}

    def replay(self, _by: Actor, consumer: str, source: str, position: int) -> dict[str, Any]:
        """{replayed}; StillBroken where an event cannot be taken again."""

        def work(connection: Connection[Any]) -> tuple[int, str]:
            stream = parking.show(connection, consumer, source, position)["stream"]
            return parking.replay(connection, self._consumer(consumer), source, stream)

        done, stopped_by = self._at(work)
        if stopped_by:
            raise StillBroken(zh=f"（已重放 {done} 条）", en=f"({done} went through.)")
        return {"replayed": done}

    def rebuild(self, _by: Actor, projection: str) -> dict[str, Any]:
        """{} once it has begun; `projections` and `standing` tell how far it has come."""
        try:
            found = self._definition.projection(projection)
        except LookupError:
            raise NoSuchProjection from None
        with self._workshop.connect() as connection:
            if _builds(connection, found):
                raise RebuildRuns
        eventlet.spawn(self._rebuild, found)
        return {}

    def _rebuild(self, projection: Projection) -> None:
        source = self._workshop.settings.source(self._definition.name)
        try:
            with self._workshop.connect() as connection:
                rebuilding.rebuild(
                    connection, self._definition, projection, source, lambda _: eventlet.sleep(0)
                )
        except (builds.RebuildRunning, PoolClosed) as error:
            log.warning("%s is not built anew: %s", projection.name, type(error).__name__)
        except Exception:
            log.exception("building %s anew failed", projection.name)

    def _consumer(self, name: str) -> Consumer:
        definition, settings = self._definition, self._workshop.settings
        executor = self._workshop.executor(definition) if definition.aggregates else None
        for consumer in delivery.consumers(definition, executor, settings.body):
            if consumer.name == name:
                return consumer
        raise NoSuchConsumer

    def _at(self, work: Callable[[Connection[Any]], Any]) -> Any:
        try:
            with self._workshop.connect() as connection:
                return work(connection)
        except parking.NotParked:
            raise NothingParked from None


class _Operated:
    """The calls, as they are hung into a service's class."""

    operations: Any
    errand: Any

    @rpc
    def projections(self, **message: Any) -> list[Build]:
        """Which build of each projection is read, and which one grows."""
        return self.errand(self.operations.projections, Nothing, message, roles=OPERATORS)

    @rpc
    def parked(self, **message: Any) -> list[Parked]:
        """Events that a consumer could not take, oldest first; with `everything` all ever, newest first."""
        return self.errand(self.operations.parked, Either, message, roles=OPERATORS)

    @rpc
    def rejected(self, **message: Any) -> list[Foreign]:
        """The newest bodies from the bus that were no events, oldest first, without their content."""
        return self.errand(self.operations.rejected, Latest, message, roles=OPERATORS)

    @rpc
    def show_parked(self, **message: Any) -> ParkedEvent:
        """One parked event with its whole content; that it was shown is an event (R163)."""
        return self.errand(self.operations.show, Place, message, roles=OPERATORS)

    @rpc
    def repair_parked(self, **message: Any) -> Done:
        """Gives the handler another payload at replay; the log keeps the original, and this repair."""
        return self.errand(self.operations.repair, Repairing, message, roles=OPERATORS)

    @rpc
    def skip_parked(self, **message: Any) -> Done:
        """Lets the consumer go on without the event; who and why is kept."""
        return self.errand(self.operations.skip, Skipping, message, roles=OPERATORS)

    @rpc
    def replay_parked(self, **message: Any) -> Replayed:
        """Hands on the parked events of this one's stream, in order, until one fails again."""
        return self.errand(self.operations.replay, Place, message, roles=OPERATORS)

    @rpc
    def rebuild(self, **message: Any) -> Done:
        """Begins to build a projection anew beside the live one, which it replaces at its end."""
        return self.errand(self.operations.rebuild, Rebuilding, message, roles=OPERATORS)


_CALLS = (
    "projections", "parked", "rejected", "show_parked", "repair_parked", "skip_parked", "replay_parked",
    "rebuild",
)  # fmt: skip


def operated(definition: Definition) -> Callable[[ServiceClass], ServiceClass]:
    """Marks a service's class: an operator may ask and mend it over the bus."""

    def hang(service: ServiceClass) -> ServiceClass:
        parts = {"operations": Built(partial(Operations, definition)), "errand": Errands()}
        for name, part in {**parts, **{name: vars(_Operated)[name] for name in _CALLS}}.items():
            setattr(service, name, part)
        return service

    return hang


def _builds(connection: Connection[Any], projection: Projection) -> bool:
    try:
        with builds.alone(connection, projection):
            return False
    except builds.RebuildRunning:
        return True


def _payload(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
        if not isinstance(found, dict):
            raise ValueError
        canonical(found)
    except (ValueError, NotCanonical):
        en = "It has to be a JSON object of texts and whole numbers."
        raise InvalidInput("data", zh="须为由文字和整数组成的 JSON 对象。", en=en) from None
    return found
