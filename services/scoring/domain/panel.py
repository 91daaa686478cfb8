"""考评小组: whom the centre sent to score which part of a batch (R066)."""

from dataclasses import dataclass

from shared.contracts.scoring import ExaminerAdmitted
from shared.kernel.actors import Role
from shared.kernel.aggregates import Aggregate, Command, Facts


@dataclass(frozen=True, kw_only=True)
class AdmitExaminer(Command):
    """考评员进组; `panel` is the batch."""

    panel: str
    examiner: str
    part: str


@dataclass(frozen=True)
class Panel:
    """(part, examiner) of everybody admitted, in the order they came."""

    members: tuple[tuple[str, str], ...] = ()

    def examiners(self, part: str) -> tuple[str, ...]:
        """Who may score this part."""
        return tuple(examiner for scored, examiner in self.members if scored == part)


panel: Aggregate[Panel] = Aggregate("panel", Panel())


@panel.decides(Role.SERVICE)
def admit(command: AdmitExaminer, state: Panel) -> Facts:
    if command.examiner in state.examiners(command.part):
        return []
    return [ExaminerAdmitted(batch=command.panel, examiner=command.examiner, part=command.part)]


@panel.evolves
def admitted(event: ExaminerAdmitted, state: Panel) -> Panel:
    return Panel((*state.members, (event.part, event.examiner)))
