"""Who may score which part is what the centre assigned."""

from datetime import UTC, datetime

from services.scoring.domain.panel import AdmitExaminer, Panel, panel
from shared.contracts.scoring import ExaminerAdmitted
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.testing.scenario import scenario

AT = datetime(2026, 4, 16, 1, 30, tzinfo=UTC)
SERVICE = Actor("scoring", Role.SERVICE, "centre")
BATCH = derived_id("test", "batch")
FIRST, SECOND = derived_id("test", "examiner", "1"), derived_id("test", "examiner", "2")


def admit(examiner: str, part: str) -> AdmitExaminer:
    return AdmitExaminer(panel=BATCH, examiner=examiner, part=part, by=SERVICE, at=AT)


def admitted(examiner: str, part: str) -> ExaminerAdmitted:
    return ExaminerAdmitted(batch=BATCH, examiner=examiner, part=part)


def test_an_assigned_examiner_is_admitted() -> None:
    scenario(panel).when(admit(FIRST, "theory")).then(admitted(FIRST, "theory"))


def test_the_same_assignment_twice_changes_nothing() -> None:
    scenario(panel).given(admitted(FIRST, "theory")).when(admit(FIRST, "theory")).then_nothing()


def test_one_examiner_may_score_both_parts() -> None:
    given = scenario(panel).given(admitted(FIRST, "theory"))
    given.when(admit(FIRST, "practical")).then(admitted(FIRST, "practical"))


def test_each_part_has_its_own_examiners() -> None:
    history = [admitted(FIRST, "theory"), admitted(SECOND, "practical"), admitted(FIRST, "practical")]
    state = panel.fold(Panel(), history)
    assert state.examiners("theory") == (FIRST,)
    assert state.examiners("practical") == (SECOND, FIRST)


def test_only_the_service_admits() -> None:
    assert panel.roles[AdmitExaminer] == {Role.SERVICE}
