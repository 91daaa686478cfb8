"""Services in memory: commands decided and events delivered one step at a time, without a database or a bus.

It keeps the promises of executor, store and inbox in the simplest way: what follows from one command or one
event is there as a whole or not at all, a claim has one holder, a person stands on one side of an exclusion,
each source is delivered in order, and a stream whose event cannot be taken is parked.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Aggregate, Command
from shared.kernel.errors import DomainError, DutyConflict, RoleNotAllowed
from shared.kernel.events import Event
from shared.kernel.reactions import Policies
from shared.security import duties


@dataclass(frozen=True)
class Said:
    """One event as a log holds it."""

    id: str
    service: str
    stream: str
    by: Actor
    at: datetime
    event: Event

    @property
    def hash(self) -> str:
        return sha256(self.id.encode()).hexdigest()


@dataclass
class Service:
    """One service: what it decides and reacts to, and all that it knows."""

    name: str
    aggregates: Sequence[Aggregate[Any]]
    policies: Policies
    log: list[Said] = field(default_factory=list)
    states: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    held: set[tuple[str, str, Role]] = field(default_factory=set)
    taken: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    parked: dict[tuple[str, str], str] = field(default_factory=dict)

    def aggregate(self, command: type[Command]) -> Aggregate[Any]:
        return next(each for each in self.aggregates if command in each.commands)

    def state(self, aggregate: Aggregate[Any], id: str) -> Any:
        return self.states.get(f"{aggregate.name}-{id}", aggregate.initial)

    def ask(self, command: Command) -> list[Said]:
        """What follows is in the log when this returns; raises the Refusal otherwise."""
        aggregate = self.aggregate(type(command))
        if command.by.role not in aggregate.roles[type(command)]:
            raise RoleNotAllowed
        stream = aggregate.stream(command)
        before = self.states.get(stream, aggregate.initial)
        facts = aggregate.decide(command, before)
        after = aggregate.fold(before, facts)
        shown = {duty for event in facts for duty in _duties(event, command.by)}
        self._hold(shown)
        self._claim(aggregate, stream, before, after)
        self.held |= shown
        self.states[stream] = after
        return [self._say(stream, command, event) for event in facts]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything within, or nothing of it."""
        size, states, claims, held = len(self.log), dict(self.states), dict(self.claims), set(self.held)
        try:
            yield
        except BaseException:
            del self.log[size:]
            self.states, self.claims, self.held = states, claims, held
            raise

    def _say(self, stream: str, command: Command, event: Event) -> Said:
        said = Said(f"{self.name}-{len(self.log) + 1}", self.name, stream, command.by, command.at, event)
        self.log.append(said)
        return said

    def _claim(self, aggregate: Aggregate[Any], stream: str, before: Any, after: Any) -> None:
        old, new = aggregate.claims(before), aggregate.claims(after)
        if any(self.claims.get(claim, stream) != stream for claim in new):
            raise aggregate.taken
        self.claims = {claim: holder for claim, holder in self.claims.items() if claim not in old - new}
        self.claims.update(dict.fromkeys(new, stream))

    def _hold(self, shown: set[tuple[str, str, Role]]) -> None:
        for batch, person, role in shown - self.held:
            others = {held for where, who, held in self.held | shown if (where, who) == (batch, person)}
            if duties.conflict(role, others - {role}):
                raise DutyConflict


@dataclass
class _Us:
    """A service as its policies see it while one event is handled."""

    service: Service
    cause: Said

    @property
    def event_id(self) -> str:
        return self.cause.id

    @property
    def event_hash(self) -> str:
        return self.cause.hash

    def execute(self, command: type[Command], **fields: Any) -> None:
        by = Actor(self.service.name, Role.SERVICE, "centre")
        self.service.ask(command(**fields, by=by, at=self.cause.at))

    def state(self, aggregate: Aggregate[Any], id: str) -> Any:
        return self.service.state(aggregate, id)


class World:
    """Some services, and what is on its way between them."""

    def __init__(self, *services: Service) -> None:
        self.services = {service.name: service for service in services}

    def deliver(self, consumer: str, source: str) -> bool:
        """Hands the next event of `source` to the policies of `consumer`; False if there is none."""
        us, log = self.services[consumer], self.services[source].log
        place = us.taken[source]
        if place == len(log):
            return False
        us.taken[source] = place + 1
        self._react(us, log[place])
        return True

    def drain(self, away: tuple[str, str] = ("", "")) -> None:
        """Delivers until nobody has anything to react to; `away` is a (consumer, source) that waits."""
        pairs = [(one, other) for one in self.services for other in self.services if (one, other) != away]
        while any(self.deliver(*pair) for pair in pairs):
            pass

    @property
    def said(self) -> list[Said]:
        """All logs, each in its order."""
        return [said for service in self.services.values() for said in service.log]

    def _react(self, us: Service, said: Said) -> None:
        if said.service != us.name:
            us.held |= _duties(said.event, said.by)
        handler = us.policies.handler(type(said.event))
        if handler is None or (said.service, said.stream) in us.parked:
            return
        try:
            with us.transaction():
                handler(said.event, _Us(us, said))
        except DomainError as refusal:  # anything else is a mistake of ours, and ends the test
            us.parked[said.service, said.stream] = refusal.code


def _duties(event: Event, by: Actor) -> set[tuple[str, str, Role]]:
    batch = next((ref for kind, ref in event.refs() if kind == "batch"), None)
    if batch is None:
        return set()
    named = [(getattr(event, name), role) for name, role in type(event).bearers]
    return {(batch, person, role) for person, role in [(by.id, by.role), *named] if duties.pairs(role)}
