"""What a nameko service is built from: commands, queries, a subscription, a feed, and parts of its own."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg_pool import PoolTimeout

from shared.bus.calls import Refused, rpc
from shared.bus.subscription import Subscription as Reading
from shared.contracts import SOURCES
from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Aggregate, Command, State
from shared.kernel.errors import Refusal
from shared.kernel.events import Event
from shared.runtime import delivery, reading
from shared.runtime.callers import FOLLOWERS, STAFF, NotOfThisStation, read_actor, scoped, station_of
from shared.runtime.definition import Definition
from shared.runtime.doors import Door, Errands, Visitors, admit, readable, refuse
from shared.runtime.executor import Alongside, Answer, Call, Executor
from shared.runtime.workshop import Workshop
from shared.store import builds
from shared.store.errors import PASSING
from shared.wire.schemas import CAUSES, Cause, CommandSchema, Number, QuerySchema

__all__ = [
    "STAFF",
    "Accepted",
    "Built",
    "Commands",
    "Door",
    "Errands",
    "Feed",
    "Queries",
    "Subscription",
    "Visitors",
    "Workshop",
    "rpc",
]


class _Part(DependencyProvider):
    """A part of a service that needs its workshop and its definition."""

    workshop = Workshop()

    def __init__(self, definition: Definition) -> None:
        self.definition = definition


@dataclass(frozen=True)
class Accepted:
    """A message that is well-formed: its fields, who sent it, and the way to have a command of it decided."""

    fields: dict[str, Any]
    decide: Callable[..., Answer]
    by: Actor | None = None


class Commands(_Part):
    """`self.execute(schemas.SubmitApplication, message)` -> `{stream, version, events}`, or Refused."""

    def setup(self) -> None:
        self.executor = self.workshop.executor(self.definition)

    def get_dependency(self, worker_ctx: Any) -> "_Desk":
        return _Desk(self.workshop, self.executor, worker_ctx.data)


class _Desk:
    """Takes the messages of one call."""

    def __init__(self, workshop: Workshop, executor: Executor, data: dict[str, Any]) -> None:
        self._workshop, self._executor, self._data = workshop, executor, data

    def __call__(self, schema: type[CommandSchema], message: dict[str, Any], **drawn: Any) -> Answer:
        accepted = self.accept(schema, message)
        return accepted.decide(schema.command, accepted.fields, drawn=drawn)

    def state(self, aggregate: Aggregate[State], id: str) -> State:
        """What another aggregate of ours knows now; for what can no longer become untrue."""
        known: State = self._workshop.persistently(
            lambda connection: self._executor.state(connection, aggregate, id)
        )
        return known

    def accept(
        self, schema: type[CommandSchema], message: dict[str, Any], command: type[Command] | None = None
    ) -> Accepted:
        """Checks message, actor and role; for the entrypoints that have something to do before deciding.

        `command`, where the schema names none. Whoever may not give it learns nothing but that.
        """
        try:
            fields = schema.check(message)
            cause = Cause.check({key: self._data[key] for key in CAUSES if key in self._data})
            call = Call(
                fields.pop("command_id"),
                read_actor(self._data, self._workshop.trust),
                occurred_at=fields.pop("occurred_at", ""),
                **cause,
            )
        except Refusal as refusal:
            raise Refused.of(refusal) from None
        asked = command or schema.command
        if call.actor.role not in self._executor.roles(asked):
            self._refuse(asked, fields, call)

        def decide(
            command: type[Command],
            fields: dict[str, Any],
            alongside: Alongside = None,
            drawn: dict[str, Any] | None = None,
        ) -> Answer:
            return self._decide(command, fields, call, alongside, drawn)

        return Accepted(fields, decide, call.actor)

    def _refuse(self, command: type[Command], fields: dict[str, Any], call: Call) -> None:
        try:
            self._workshop.persistently(
                lambda connection: self._executor.refuse(connection, command, fields, call)
            )
        except Refusal as refusal:
            raise Refused.of(refusal) from None
        finally:
            self._workshop.committed()

    def _decide(
        self,
        command: type[Command],
        fields: dict[str, Any],
        call: Call,
        alongside: Alongside,
        drawn: dict[str, Any] | None,
    ) -> Answer:
        try:
            # the command's id makes asking again safe
            answer: Answer = self._workshop.persistently(
                lambda connection: self._executor.run(
                    connection, command, fields, call, drawn=drawn, alongside=alongside
                )
            )
        except Refusal as refusal:
            raise Refused.of(refusal) from None
        finally:
            self._workshop.committed()
        return answer


# whoever may ask about himself alone, and the argument that says about whom
_OWN = {Role.EXAMINER: "examiner", Role.CANDIDATE: "candidate"}


class Queries(_Part):
    """`self.read(queries.roster, schemas.Roster, message)`: the query gets rows of the live projections."""

    def get_dependency(self, worker_ctx: Any) -> Callable[..., Any]:
        return partial(self._read, worker_ctx.data, worker_ctx.entrypoint.method_name)

    def _read(
        self,
        data: dict[str, Any],
        call: str,
        query: Callable[..., Any],
        schema: type[QuerySchema],
        message: dict[str, Any],
        roles: Collection[Role] | None = None,
        *,
        sensitive: bool = False,
        said: reading.Said | None = None,
    ) -> Any:
        """`roles`: who may ask, where not everybody may. `sensitive`: having asked is an event (R163).

        `said`: which event, where it is another one than SensitiveRead. Who may not ask leaves one as well.
        """
        service = self.definition.name
        if sensitive:
            said = reading.sensitive(service, call)
        try:
            services = roles is not None and Role.SERVICE in roles
            actor = read_actor(data, self.workshop.trust, services=services)
            if roles is not None and actor.role not in roles:
                refuse(self.workshop, service, actor, call, readable(schema, message))
            arguments = schema.check(message)
            if arguments.get(_OWN.get(actor.role, ""), actor.id) != actor.id:
                refuse(self.workshop, service, actor, call, arguments)
            station = station_of(actor)
            if station and arguments.get("station", "") not in ("", station):
                refuse(self.workshop, service, actor, call, arguments, NotOfThisStation())
            query = scoped(query, station)
            if said is not None:
                return self._witnessed(actor, query, arguments, said)
            return self.workshop.persistently(lambda connection: _ask(connection, query, arguments))
        except Refusal as refusal:
            raise Refused.of(refusal) from None

    def _witnessed(
        self, actor: Actor, query: Callable[..., Any], arguments: dict[str, Any], said: reading.Said
    ) -> Any:
        source = self.workshop.settings.source(self.definition.name)

        def work(connection: Connection[Any]) -> Any:
            ask = partial(_ask, connection, query, arguments)
            return reading.witnessed(connection, source, actor, ask, arguments, said)

        answer = self.workshop.persistently(work)
        self.workshop.committed()
        return answer


def _ask(connection: Connection[Any], query: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    with connection.transaction():
        builds.see_live(connection)
        with connection.cursor(row_factory=dict_row) as rows:
            return query(rows, **arguments)


class After(QuerySchema):
    """What a feed is asked: up to `limit` events behind `position`."""

    position = Number(0, 2**53)
    limit = Number(1, 1000, required=False, load_default=500)


class Feed(_Part):
    """`events_after(position, limit)` -> `{events, position, hash, signature}`: our log and signed head.

    For FOLLOWERS: a whole log pairs blind codes with candidates (R070). What people read of it is an event.
    """

    def get_dependency(self, worker_ctx: Any) -> "_Pages":
        return _Pages(self.workshop, self.definition.name, worker_ctx.data)


@dataclass(frozen=True)
class _Pages:
    """A feed for one call."""

    workshop: Workshop
    service: str
    data: dict[str, Any]

    def after(self, message: dict[str, Any]) -> dict[str, Any]:
        """Sealed events as text, exactly as hashed, and the newest signed head (hex)."""
        actor = admit(self.workshop, self.service, "events_after", self.data, FOLLOWERS)
        try:
            asked = After.check(message)
        except Refusal as refusal:
            raise Refused.of(refusal) from None
        page = self.workshop.persistently(lambda connection: self._page(connection, actor, asked))
        self.workshop.committed()
        return page

    def _page(self, connection: Connection[Any], actor: Actor, asked: dict[str, Any]) -> dict[str, Any]:
        if actor.role is Role.SERVICE:
            return delivery.own_page(connection, **asked)
        source, ask = self.workshop.settings.source(self.service), partial(delivery.own_page, connection)
        page: dict[str, Any] = reading.witnessed(
            connection, source, actor, partial(ask, **asked), {}, self._said
        )
        return page

    def _said(self, _: Any, by: Actor, read: str, about: Any, page: dict[str, Any]) -> Event | None:
        rows = reading.told(by, page["events"])
        return reading.read_of(self.service, read, "events_after", about, rows) if rows else None


class Subscription(_Part):
    """Listens for the service's whole life; has no say in its calls."""

    _stopping = False
    _asking: Any = None  # the greenlet that waits for another service's feed

    def setup(self) -> None:
        settings, definition = self.workshop.settings, self.definition
        executor = self.workshop.executor(definition) if definition.aggregates else None
        consumers = delivery.consumers(definition, executor, settings.body)
        for projection in definition.projections:
            self.workshop.persistently(partial(builds.install, projection=projection))
        self.reception = delivery.Reception(
            consumers,
            self.workshop.connect,
            self._feed,
            {service: settings.source(service) for service in SOURCES},
            settings.catch_up_seconds,
        )
        self._reading = Reading(
            self.container.config["AMQP_URI"],
            definition.name,
            sorted({source for consumer in consumers for source in consumer.sources}),
            self._receive,
            self._idle,
            (PoolTimeout, delivery.FeedUnavailable, *PASSING),
        )
        self._reading.declare()

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._reading.run, identifier="subscription")

    def stop(self) -> None:
        self._stopping = True
        self._reading.stop()
        if self._asking is not None:
            eventlet.hubs.get_hub().schedule_call_global(0, self._give_up, self._asking)
        self._thread.wait()

    def _give_up(self, asking: Any) -> None:
        if self._asking is asking:  # and was not answered meanwhile
            asking.throw(delivery.FeedUnavailable("it is not waited for any more"))

    def _feed(self, service: str, position: int, limit: int) -> list[bytes]:
        # where everybody ends at once, nobody answers, and each question would wait for its answer
        if self._stopping:
            raise delivery.FeedUnavailable(f"{service} is not asked any more")
        if service != self.container.service_name:
            self._asking = eventlet.getcurrent()
        try:
            return self.workshop.feed(service, position, limit)
        finally:
            self._asking = None

    def _receive(self, service: str, bodies: Any) -> None:
        self.reception.receive(service, bodies)
        self.workshop.committed()

    def _idle(self) -> None:
        self.reception.idle()


class Built(DependencyProvider):
    """Something of the service's own, made once from its workshop: `people = Built(lambda workshop: ...)`."""

    workshop = Workshop()

    def __init__(self, make: Callable[[Workshop], Any]) -> None:
        self._make = make

    def setup(self) -> None:
        self._made = self._make(self.workshop)

    def get_dependency(self, _worker_ctx: Any) -> Any:
        return self._made
