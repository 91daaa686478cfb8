"""How events reach a service's consumers: from the bus when it works, else from the source's feed."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from shared.contracts import ASIDE
from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Aggregate, Command, State
from shared.kernel.events import UnknownEvent, language
from shared.kernel.faults import reached
from shared.kernel.ids import derived_id
from shared.kernel.reactions import Policies, Projection
from shared.runtime.definition import Definition
from shared.runtime.executor import Call, Executor
from shared.runtime.tallying import tallying
from shared.security import duties
from shared.store import builds, eventstore, inbox, sealer
from shared.store.eventstore import Duty
from shared.store.inbox import ChainBroken, Consumer
from shared.wire.envelope import Sealed, Undecodable, read

log = logging.getLogger(__name__)

PAGE = 500
_AT_ONCE = 50  # events of a first transaction: each may be a whole command, or an update
Feed = Callable[[str, int, int], Sequence[bytes]]  # (service, after position, limit) -> sealed bodies


class FeedUnavailable(Exception):
    """The source does not answer now; its events will be asked for again."""


@dataclass
class _Us:
    """Our service as a policy sees it while one event is handled."""

    executor: Executor
    connection: Connection[Any]
    actor: Actor
    cause: Sealed
    said: int = 0

    @property
    def event_id(self) -> str:
        return self.cause.id

    @property
    def event_hash(self) -> str:
        return self.cause.hash.hex()

    def execute(self, command: type[Command], **fields: Any) -> None:
        self.said += 1
        call = Call(
            command_id=derived_id(self.cause.id, command.__name__, str(self.said)),
            actor=self.actor,
            correlation_id=self.cause.attributes["correlationid"],
            causation_id=self.cause.id,
            occurred_at=self.cause.attributes["time"],
        )
        self.executor.within(self.connection, command, fields, call)

    def state(self, aggregate: Aggregate[State], id: str) -> State:
        known: State = self.executor.state(self.connection, aggregate, id)
        return known


def consumers(definition: Definition, executor: Executor | None, body: str) -> list[Consumer]:
    """Who applies events in this service: what it brings itself, duties, policies, the tally, projections."""
    found = list(definition.consumers)
    if definition.policies is not None and executor is not None:
        found += [_noting(definition), _reacting(definition, definition.policies, executor, body)]
        found.append(tallying(definition.name, body))
    found.extend(projecting(definition, projection) for projection in definition.projections)
    return found


def _noting(definition: Definition) -> Consumer:
    """Others' duties, apart from policies: an event that no policy can take shows them all the same."""

    def handle(connection: Connection[Any], events: Sequence[Sealed]) -> None:
        eventstore.note_duties(connection, [duty for sealed in events for duty in shown_duties(sealed)])

    return Consumer("duties", frozenset(definition.sources) - {definition.name}, handle)


def _reacting(definition: Definition, policies: Policies, executor: Executor, body: str) -> Consumer:
    actor = Actor(definition.name, Role.SERVICE, body)
    wanted = {(event.service, event.wire_name) for event in policies.events}

    def handle(connection: Connection[Any], events: Sequence[Sealed]) -> None:
        for sealed in events:
            if (sealed.service, sealed.type) in wanted:
                event = sealed.event()
                handler = policies.handler(type(event))
                assert handler is not None
                handler(event, _Us(executor, connection, actor, sealed))

    return Consumer("policies", policies.sources, handle, at_once=_AT_ONCE)


def projecting(definition: Definition, projection: Projection, number: int | None = None) -> Consumer:
    """What applies our own events to the live build of a projection, or to the growing build `number`."""
    name = projection.name if number is None else builds.consumer_of(projection, number)
    return Consumer(
        name,
        frozenset({definition.name}),
        lambda connection, events: builds.handle(connection, projection, events, number),
        at_once=_AT_ONCE,
    )


def shown_duties(sealed: Sealed) -> Iterable[Duty]:
    """The duties within a batch that an event of another service shows, for roles that exclude others."""
    batch = next((ref for kind, ref in sealed.refs if kind == "batch"), None)
    if batch is None or sealed.type in ASIDE:  # who was refused a duty, or only looked, does not hold it
        return
    actor, role, _ = sealed.actor
    for person, held in [(actor, Role(role)), *_bearers(sealed)]:
        if exclusions := duties.pairs(held):
            yield Duty(batch, person, held.value, exclusions)


def _bearers(sealed: Sealed) -> Iterable[tuple[str, Role]]:
    try:
        event = language(sealed.service).events[sealed.type]
    except (UnknownEvent, KeyError):
        return
    for name, role in event.bearers:
        yield sealed.attributes["data"][name], role


class Reception:
    """Takes bodies from the bus for all consumers of a service, and fills what is missing from feeds."""

    def __init__(
        self,
        consumers: Sequence[Consumer],
        connect: Callable[[], Any],
        feed: Feed,
        sources: dict[str, str],
        catch_up_seconds: float,
    ) -> None:
        self.consumers = consumers
        self._connect = connect
        self._feed = feed
        self._sources = sources  # service -> the source it speaks as, such as /centre/scoring
        self._every = catch_up_seconds
        self._next = 0.0

    def receive(self, service: str, bodies: Sequence[bytes]) -> None:
        """Commits what the bodies say to every consumer, or raises; may be called again with the same."""
        with self._connect() as connection:
            events = self._decode(connection, service, bodies)
            for consumer in self.consumers:
                if service in consumer.sources and events:
                    self._apply(connection, consumer, service, events)

    def idle(self) -> None:
        """From time to time, asks the sources for what the bus may have lost at its end."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            self.catch_up()

    def catch_up(self) -> int:
        """Applies everything that the sources' feeds have; how many events it were."""
        with self._connect() as connection:
            return sum(
                self._catch_up_if_it_answers(connection, consumer, service)
                for consumer in self.consumers
                for service in sorted(consumer.sources)
            )

    def _catch_up_if_it_answers(self, connection: Connection[Any], consumer: Consumer, service: str) -> int:
        try:
            return self.catch_up_with(connection, consumer, service)
        except FeedUnavailable as error:
            log.info("%s; asked again later", error)
            return 0

    def catch_up_with(self, connection: Connection[Any], consumer: Consumer, service: str) -> int:
        """The same for one consumer and source."""
        source, count = self._sources[service], 0
        while True:
            with connection.transaction():
                position, _ = inbox.checkpoint(connection, consumer.name, source)
            bodies = self._feed(service, position, PAGE)
            if not bodies:
                return count
            reached("catch-up")
            events, wrong = _first_readable(bodies)
            try:
                inbox.apply(connection, consumer, source, events)
                if wrong is not None:
                    raise wrong
            except (ChainBroken, Undecodable) as broken:
                # the source contradicts what was applied, or speaks a language newer than this program:
                # it waits for a person, the others go on
                log.error("%s stops following %s: %s", consumer.name, service, broken)
                self._doubt(connection, consumer, list(_readable(bodies)))
                if broken is wrong and consumer.set_aside is not None:
                    at = position + len(events) + 1
                    consumer.set_aside(connection, source, bodies[len(events)], str(wrong), at)
                return count
            count += len(bodies)

    def _apply(
        self, connection: Connection[Any], consumer: Consumer, service: str, events: Sequence[Sealed]
    ) -> None:
        try:
            applied = inbox.apply(connection, consumer, self._sources[service], events)
        except ChainBroken as broken:
            self._quarantine(connection, service, events, str(broken))
        else:
            if not applied.gap:
                return
        self.catch_up_with(connection, consumer, service)
        self._doubt(connection, consumer, events)

    def _quarantine(
        self, connection: Connection[Any], service: str, events: Sequence[Sealed], reason: str
    ) -> None:
        # what the bus brought contradicts what was applied: keep it as evidence, believe the source's feed
        log.error("%s: %s", service, reason)
        for event in events:
            inbox.reject(connection, service, event.raw, reason)

    def _doubt(self, connection: Connection[Any], consumer: Consumer, events: Sequence[Sealed]) -> None:
        # what was not applied may contradict what was
        if consumer.doubted is not None:
            consumer.doubted(connection, events)

    def _set_aside(self, connection: Connection[Any], service: str, body: bytes, reason: str) -> None:
        log.error("%s: a body was set aside: %s", service, reason)
        inbox.reject(connection, service, body, reason)
        for consumer in self.consumers:
            if consumer.set_aside is not None and service in consumer.sources:
                consumer.set_aside(connection, self._sources[service], body, reason, None)

    def _decode(self, connection: Connection[Any], service: str, bodies: Sequence[bytes]) -> list[Sealed]:
        events = []
        for body in bodies:
            try:
                event = read(body)
                if event.source != self._sources[service]:
                    raise Undecodable("the source is not the one of this exchange")
            except Undecodable as error:
                self._set_aside(connection, service, body, str(error))
            else:
                events.append(event)
        return events


def _first_readable(bodies: Iterable[bytes]) -> tuple[list[Sealed], Undecodable | None]:
    """The events before the first body that is none, and what is wrong with that."""
    events = []
    for body in bodies:
        try:
            events.append(read(body))
        except Undecodable as wrong:
            return events, wrong
    return events, None


def _readable(bodies: Iterable[bytes]) -> Iterable[Sealed]:
    for body in bodies:
        with suppress(Undecodable):
            yield read(body)


def own_feed(connection: Connection[Any], position: int, limit: int) -> list[bytes]:
    """Our own log as others see it through `events_after`."""
    return [sealed for _, sealed, _ in sealer.sealed_after(connection, position, limit)]


def own_page(connection: Connection[Any], position: int, limit: int) -> dict[str, Any]:
    """The same as `events_after` answers it, with the newest signed head and what was stated last."""
    events = own_feed(connection, position, limit)
    head, hash, signature = sealer.head(connection)
    return {
        "events": [event.decode() for event in events],
        "position": head,
        "hash": hash.hex(),
        "signature": signature.hex(),
        "heartbeat": _stated(connection),
    }


def _stated(connection: Connection[Any]) -> dict[str, Any] | None:
    """What our relay has stated last."""
    said = sealer.heartbeat(connection)
    if said is None:
        return None
    position, hash, time, signature = said
    return {"position": position, "hash": hash.hex(), "time": time, "signature": signature.hex()}
