"""The executor: from a checked message to committed facts, or to a refusal that leaves no trace but itself.

1. the role is checked against the command;  2. the stream is loaded and folded;  3. the aggregate decides;
4. the duties of everybody named by the facts are checked within their batch;  5. facts, answer, claims and
duties are committed together. A conflict means: load again, decide again.

What this executor appended to last it need not load, and a new stream neither: it decides on what it knows,
and `append` checks the version. Only an acceptance counts then. A refusal may come of a stale state, so it is
only believed of a stream that was loaded for it.
"""

import logging
import random
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, NoReturn

import orjson
from psycopg import Connection

from shared.contracts.attempts import Attempt
from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.clock import Clock, moment, stamp, utc_now
from shared.kernel.errors import (
    Busy,
    ClockIsAhead,
    CommandIdReused,
    Conflict,
    DomainError,
    NotEntitled,
    Refusal,
    RoleNotAllowed,
    TooLate,
)
from shared.kernel.events import Event, language
from shared.kernel.ids import derived_id, new_id
from shared.runtime.definition import Definition
from shared.runtime.dutybook import DutyBook
from shared.runtime.knowledge import Knowledge, Known
from shared.store import eventstore
from shared.store.errors import PASSING
from shared.store.eventstore import Append, ClaimTaken, CommandKnown, Duty
from shared.wire.canonical import canonical
from shared.wire.envelope import Origin, draft, drafted_event

log = logging.getLogger(__name__)

ATTEMPTS = 30
LATE_DAYS = 7
_TOLERANCE = timedelta(minutes=5)
KNOWN_EVENTS = 50_000  # some 15 MB of states

Answer = dict[str, Any]
Alongside = Callable[[Connection[Any]], None] | None


@dataclass(frozen=True)
class Call:
    """Who asks for one command, and why: what every event of it will name."""

    command_id: str
    actor: Actor
    correlation_id: str = ""
    causation_id: str = ""
    occurred_at: str = ""


@dataclass(frozen=True)
class _Asked:
    """One command as it was given; `drawn` are fields that the service adds."""

    aggregate: Aggregate[Any]
    command: type[Command]
    fields: dict[str, Any]
    drawn: dict[str, Any]
    call: Call
    print_: bytes

    @property
    def stream(self) -> str:
        """Of the aggregate that the command names."""
        name = self.aggregate.name
        return f"{name}-{self.fields.get(name) or self.drawn.get(name)}"


@dataclass(frozen=True)
class _Decision:
    """What an attempt would commit."""

    append: Append
    answer: Answer
    duties: Sequence[Duty]
    after: Known


class Executor:
    """Decides for one service. It holds no connection; callers bring theirs."""

    def __init__(
        self,
        definition: Definition,
        source: str,
        clock: Clock = utc_now,
        late: timedelta = timedelta(days=LATE_DAYS),
        known_events: int = KNOWN_EVENTS,
    ) -> None:
        """`late`: how long after it happened something may still be reported (R108).

        `known_events`: how many events' worth of states is kept, so that their streams need not be loaded.
        """
        self._definition = definition
        self._source = source
        self._clock = clock
        self._late = late
        self._known = Knowledge(known_events)
        self._duties = DutyBook()
        self._opening: set[type[Command]] = set()  # commands whose stream was new the last time
        self._refused = _attempt_class(definition.name)

    def roles(self, command: type[Command]) -> Collection[Role]:
        """Who may give a command."""
        return self._definition.aggregate(command).roles[command]

    def refuse(
        self, connection: Connection[Any], command: type[Command], fields: dict[str, Any], call: Call
    ) -> NoReturn:
        """Records the attempt of somebody whose role may not give the command, and raises RoleNotAllowed."""
        self._record(connection, command, fields, call, RoleNotAllowed())
        raise RoleNotAllowed

    def run(
        self,
        connection: Connection[Any],
        command: type[Command],
        fields: dict[str, Any],
        call: Call,
        *,
        drawn: dict[str, Any] | None = None,
        alongside: Alongside = None,
    ) -> Answer:
        """One command on an autocommit connection, to its answer `{stream, version, events}`; raises Refusal.

        `drawn` are fields that the service adds (a random lot): a repeated command need not repeat them.
        `alongside` writes what has to be true together with the facts (a row of the vault).
        """
        print_ = _fingerprint(command, fields, call.actor)
        aggregate = self._definition.aggregate(command)
        asked = _Asked(aggregate, command, fields, drawn or {}, call, print_)
        for attempt in range(ATTEMPTS):
            guess = self._guess(asked) if attempt == 0 else None
            try:
                return self._attempt(connection, asked, alongside, guess)
            except Conflict:
                self._known.forget(asked.stream)
                self._opening.discard(asked.command)
                if guess is None:
                    time.sleep(random.uniform(0, 0.002 * (attempt + 1)))  # noqa: S311
            except CommandKnown:
                continue
            except PASSING:
                self._known.forget_all()  # who knows which server answers next, restored from what
                raise
        raise Busy

    def _guess(self, asked: _Asked) -> Known | None:
        """What the stream may look like: as it was left last, or new, where the last one was.

        Loading took a third of the time of a command on a new stream, nine tenths on one of 1,000 events.
        """
        known = self._known.get(asked.stream)
        if known is None and asked.command in self._opening:
            return Known(asked.aggregate.initial, 0)
        return known

    def _attempt(
        self, connection: Connection[Any], asked: _Asked, alongside: Alongside, guess: Known | None
    ) -> Answer:
        try:
            decision = (guess and self._guessed(connection, asked, guess)) or self._decide(connection, asked)
            if alongside is None:
                eventstore.append(connection, decision.append)
            else:
                with connection.transaction():
                    alongside(connection)
                    eventstore.append(connection, decision.append)
        except (Refusal, ClaimTaken, CommandKnown) as refusal:
            known = eventstore.remembered(connection, asked.call.command_id)
            if known is not None:
                return _answer_again(known, asked.print_)
            if isinstance(refusal, NotEntitled):
                self._record(connection, asked.command, asked.fields, asked.call, refusal)
            raise asked.aggregate.taken() if isinstance(refusal, ClaimTaken) else refusal from None
        self._duties.hold(decision.duties)
        if decision.append.drafts:
            self._known.put(asked.stream, decision.after)
        if decision.append.expected == 0:
            self._opening.add(asked.command)
        else:
            self._opening.discard(asked.command)
        return decision.answer

    def within(
        self, connection: Connection[Any], command: type[Command], fields: dict[str, Any], call: Call
    ) -> None:
        """One command inside the caller's transaction (a policy's). Conflict: roll back and start over."""
        if eventstore.remembered(connection, call.command_id) is not None:
            return
        aggregate = self._definition.aggregate(command)
        asked = _Asked(aggregate, command, fields, {}, call, _fingerprint(command, fields, call.actor))
        decision = self._decide(connection, asked)
        try:
            eventstore.append(connection, decision.append)
        except ClaimTaken:
            raise aggregate.taken() from None
        except CommandKnown:
            raise Conflict(call.command_id) from None

    def state(self, connection: Connection[Any], aggregate: Aggregate[Any], id: str) -> Any:
        """What an aggregate knows now."""
        return self._load(connection, aggregate, f"{aggregate.name}-{id}")[0]

    def _load(self, connection: Connection[Any], aggregate: Aggregate[Any], stream: str) -> tuple[Any, int]:
        drafts, version = eventstore.load(connection, stream, aggregate.remembers)
        return aggregate.fold(aggregate.initial, map(drafted_event, drafts)), version

    def _guessed(self, connection: Connection[Any], asked: _Asked, guess: Known) -> _Decision | None:
        """What follows if the guess is right, which `append` checks; None where nothing would follow."""
        try:
            decision = self._decide(connection, asked, guess)
        except Refusal:  # of a stream that may have moved on: load it, then judge
            return None
        return decision if decision.append.drafts else None

    def _decide(self, connection: Connection[Any], asked: _Asked, guess: Known | None = None) -> _Decision:
        aggregate, call = asked.aggregate, asked.call
        if call.actor.role not in aggregate.roles[asked.command]:
            raise RoleNotAllowed
        recorded, occurred = self._times(call)
        command = asked.command(**{**asked.fields, **asked.drawn}, by=call.actor, at=moment(occurred))
        stream = aggregate.stream(command)
        if guess is None:
            state, version = self._load(connection, aggregate, stream)
        else:
            state, version = guess.state, guess.version
        facts = aggregate.decide(command, state)
        new_duties = self._duties.added(connection, facts, call.actor)
        drafts, answer = self._draft(stream, version, facts, call, recorded, occurred)
        after = aggregate.fold(state, facts)
        before, claims = aggregate.claims(state), aggregate.claims(after)
        claimed, released = sorted(claims - before), sorted(before - claims)
        said = (call.command_id, asked.print_, orjson.dumps(answer))
        entry = Append(stream, version, drafts, *said, claimed, released, new_duties)
        version += len(facts)
        return _Decision(entry, answer, new_duties, Known(after, version, aggregate.remembers or version))

    def _times(self, call: Call) -> tuple[str, str]:
        now = self._clock()
        recorded = stamp(now)
        if call.occurred_at and call.actor.role is not Role.SERVICE:
            occurred = moment(call.occurred_at)
            if occurred > now + _TOLERANCE:
                raise ClockIsAhead
            if occurred < now - self._late:
                raise TooLate
        return recorded, call.occurred_at or recorded

    def _draft(
        self, stream: str, version: int, facts: Facts, call: Call, recorded: str, occurred: str
    ) -> tuple[list[bytes], Answer]:
        origin = Origin(
            source=self._source,
            actor=call.actor,
            occurred_at=occurred,
            recorded_at=recorded,
            correlation_id=call.correlation_id or call.command_id,
            causation_id=call.causation_id or call.command_id,
            command_id=call.command_id,
        )
        ids = [new_id() for _ in facts]
        drafts = [
            draft(event, id, stream, version + place, origin)
            for place, (event, id) in enumerate(zip(facts, ids, strict=True), start=1)
        ]
        events = [{"id": id, "type": event.wire_name} for id, event in zip(ids, facts, strict=True)]
        return drafts, {"stream": stream, "version": version + len(facts), "events": events}

    def _record(
        self,
        connection: Connection[Any],
        command: type[Command],
        fields: dict[str, Any],
        call: Call,
        refusal: Refusal,
    ) -> None:
        """The attempt itself becomes a fact (R015, D3), once per command id."""
        attempt = derived_id(call.command_id, "attempt")
        aggregate = self._definition.aggregate(command)
        stream = f"{aggregate.name}-{fields[aggregate.name]}"
        event = self._refused(
            attempt=attempt,
            command=command.__name__,
            code=refusal.code,
            stream=stream,
            batch=fields.get("batch") or _batch_of(connection, stream),
        )
        again = replace(call, command_id=attempt, causation_id=call.command_id, occurred_at="")
        recorded, occurred = self._times(again)
        drafts, answer = self._draft(f"attempt-{attempt}", 0, [event], again, recorded, occurred)
        entry = Append(f"attempt-{attempt}", 0, drafts, attempt, b"", orjson.dumps(answer))
        try:
            eventstore.append(connection, entry)
        except (Conflict, CommandKnown):
            log.info("a refused attempt was repeated")


def _batch_of(connection: Connection[Any], stream: str) -> str:
    """The batch that a stream's history names, or nothing."""
    drafts, _ = eventstore.load(connection, stream)
    refs = (ref for drafted in drafts for ref in drafted_event(drafted).refs())
    return next((ref for kind, ref in refs if kind == "batch"), "")


def _attempt_class(service: str) -> Callable[..., Event]:
    """`AttemptRefused` in the words of this service."""
    event = language(service).events["AttemptRefused"]
    assert issubclass(event, Attempt)
    return event


def _fingerprint(command: type[Command], fields: dict[str, Any], actor: Actor) -> bytes:
    return sha256(canonical([command.__name__, fields, actor.id, actor.role.value, actor.body])).digest()


def _answer_again(known: tuple[bytes, bytes], print_: bytes) -> Answer:
    if known[0] != print_:
        raise CommandIdReused
    answer: Answer = orjson.loads(known[1])
    return answer


def command_fields(command: type[Command]) -> list[str]:
    """What a caller says, without who and when."""
    return [field.name for field in fields(command) if field.name not in ("by", "at")]


__all__ = ["ATTEMPTS", "Answer", "Call", "DomainError", "Executor", "command_fields"]
