"""Given what happened, when somebody asks, then this follows."""

from dataclasses import dataclass, field
from typing import Any

from shared.kernel.aggregates import Aggregate, Command
from shared.kernel.errors import DomainError
from shared.kernel.events import Event


@dataclass(frozen=True)
class Scenario:
    """`scenario(application).given(submitted).when(PassStationReview(...)).then(StationReviewPassed(...))`."""

    aggregate: Aggregate[Any]
    history: tuple[Event, ...] = ()
    command: Command | None = field(default=None)

    def given(self, *events: Event) -> "Scenario":
        return Scenario(self.aggregate, self.history + events)

    def when(self, command: Command) -> "Scenario":
        return Scenario(self.aggregate, self.history, command)

    def then(self, *expected: Event) -> None:
        """Exactly these facts, in this order."""
        assert list(self._decide()) == list(expected)

    def then_nothing(self) -> None:
        assert list(self._decide()) == []

    def refused(self, error: type[DomainError]) -> None:
        """Refused for exactly this reason."""
        refusal: DomainError | None = None
        facts: Any = None
        try:
            facts = self._decide()
        except DomainError as reason:
            refusal = reason
        assert refusal is not None, f"not refused: {facts}"
        assert type(refusal) is error, f"refused with {type(refusal).__name__}, not {error.__name__}"

    def _decide(self) -> Any:
        assert self.command is not None
        return self.aggregate.decide(self.command, self.aggregate.fold(self.aggregate.initial, self.history))


def scenario(aggregate: Aggregate[Any]) -> Scenario:
    return Scenario(aggregate)
