"""考前培训: optional, kept apart from assessment; its trainer is barred from the panel (R198, §4)."""

from dataclasses import dataclass

from services.registration.domain.errors import OtherStation
from shared.contracts.registration import TrainingHeld
from shared.kernel.actors import Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.errors import DomainError


@dataclass(frozen=True, kw_only=True)
class RecordTraining(Command):
    """培训登记 by its trainer: who was trained, for which batch, for how many hours."""

    training: str
    batch: str
    station: str
    occupation: str
    trainees: tuple[str, ...]
    hours: int


class TrainingExists(DomainError):
    """该培训编号已登记；新的培训请使用新的编号。

    This training is recorded already; use a new id for another one.
    """

    field = "training"


@dataclass(frozen=True)
class Training:
    """Whether it was held."""

    held: bool = False


training: Aggregate[Training] = Aggregate("training", Training())


@training.decides(Role.TRAINER)
def record(command: RecordTraining, state: Training) -> Facts:
    if state.held:
        raise TrainingExists
    if command.by.body != f"station-{command.station}":
        raise OtherStation
    return [
        TrainingHeld(
            training=command.training,
            batch=command.batch,
            station=command.station,
            occupation=command.occupation,
            trainer=command.by.id,
            trainees=command.trainees,
            hours=command.hours,
        )
    ]


@training.evolves
def held(_event: TrainingHeld, _state: Training) -> Training:
    return Training(held=True)
