"""Aggregates: what a service decides, as pure functions over its own history."""

import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from shared.kernel.actors import Actor, Role
from shared.kernel.errors import DomainError
from shared.kernel.events import Event

State = TypeVar("State")
Facts = Sequence[Event]


@dataclass(frozen=True, kw_only=True)
class Command:
    """What somebody asks for. `by` and `at` arrive with the call; a subclass adds what the caller says.

    The field that is named like the aggregate tells which one is meant.
    """

    by: Actor
    at: datetime


Decide = Callable[[Any, Any], Facts]
Evolve = Callable[[Any, Any], Any]
AnyDecide = TypeVar("AnyDecide", bound=Decide)
AnyEvolve = TypeVar("AnyEvolve", bound=Evolve)


class Aggregate(Generic[State]):
    """One kind of stream: its first state, the commands it decides on, the events it folds.

    `claims(state)` names what this stream alone may hold while it is in that state (a seat, an open
    application); the store refuses a second holder with `taken`. `remembers=1` is for a state that the
    newest event alone tells.
    """

    def __init__(
        self,
        name: str,
        initial: State,
        *,
        claims: Callable[[State], Iterable[str]] | None = None,
        taken: type[DomainError] = DomainError,
        remembers: int | None = None,
    ) -> None:
        self.name = name
        self.initial = initial
        self.taken = taken
        self.remembers = remembers
        self.roles: dict[type[Command], frozenset[Role]] = {}
        self._claims = claims
        self._decisions: dict[type[Command], Decide] = {}
        self._evolutions: dict[type[Event], Evolve] = {}

    def decides(self, *roles: Role) -> Callable[[AnyDecide], AnyDecide]:
        """Marks `(command, state) -> facts`; only these roles may ask for it."""

        def register(decide: AnyDecide) -> AnyDecide:
            command = _first_parameter(decide)
            self._decisions[command] = decide
            self.roles[command] = frozenset(roles)
            return decide

        return register

    def evolves(self, evolve: AnyEvolve) -> AnyEvolve:
        """Marks `(event, state) -> state`. It never refuses: the past has already happened."""
        self._evolutions[_first_parameter(evolve)] = evolve
        return evolve

    @property
    def commands(self) -> Iterable[type[Command]]:
        return self._decisions.keys()

    def stream(self, command: Command) -> str:
        """`application-<id>`."""
        return f"{self.name}-{getattr(command, self.name)}"

    def decide(self, command: Command, state: State) -> Facts:
        """The facts that follow; raises the DomainError that stands against it."""
        return self._decisions[type(command)](command, state)

    def fold(self, state: State, events: Iterable[Event]) -> State:
        """`state` after `events`; an event that changes nothing here needs no evolution."""
        for event in events:
            evolve = self._evolutions.get(type(event))
            if evolve is not None:
                state = evolve(event, state)
        return state

    def claims(self, state: State) -> frozenset[str]:
        claimed = self._claims(state) if self._claims else ()
        return frozenset(f"{self.name}:{claim}" for claim in claimed)


def _first_parameter(function: Callable[..., Any]) -> Any:
    hints = typing.get_type_hints(function)
    return next(iter(hints.values()))
