"""考评小组: who may join one, and what it must be before anybody is seated (R066, R072; P4)."""

from collections.abc import Sequence

from services.scheduling.domain.errors import batch as errors
from shared.contracts.scheduling import ExaminerAssigned

THEORY, PRACTICAL = PARTS = ("theory", "practical")
SMALLEST_PRACTICAL = 3

Panel = Sequence[ExaminerAssigned]


def admit(panel: Panel, examiner: str, part: str, *, head: bool) -> None:
    """Raises unless this examiner may join the panel of this part."""
    members = _members(panel, part)
    if any(member.examiner == examiner for member in members):
        raise errors.ExaminerAlreadyAssigned
    if head and _heads(members):
        raise errors.HeadAlreadyAssigned


def complete(panel: Panel) -> None:
    """Raises unless both parts have the examiners they need."""
    if not _members(panel, THEORY):
        raise errors.TheoryExaminerMissing
    practical = _members(panel, PRACTICAL)
    if len(practical) < SMALLEST_PRACTICAL or len(practical) % 2 == 0 or not _heads(practical):
        raise errors.PracticalPanelIncomplete


def _members(panel: Panel, part: str) -> Panel:
    return [assigned for assigned in panel if assigned.part == part]


def _heads(members: Panel) -> int:
    return sum(member.head for member in members)
