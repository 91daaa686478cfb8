"""What scoring does about others' events, and about its own."""

from services.scoring.domain.panel import AdmitExaminer, panel
from services.scoring.domain.passing import PRACTICAL, THEORY
from services.scoring.domain.result import OpenResult, RecordPart
from services.scoring.domain.sheet import RUBRICS, OpenSheet, sheet, sheet_of
from shared.contracts.scheduling import CandidateCheckedIn, ExaminerAssigned, PaperDrawn
from shared.contracts.scoring import ScoreCorrected, ScoreSubmitted
from shared.kernel.reactions import Policies, Us

policies = Policies()


@policies.on(ExaminerAssigned)
def on_examiner_assigned(event: ExaminerAssigned, us: Us) -> None:
    us.execute(AdmitExaminer, panel=event.batch, examiner=event.examiner, part=event.part)


@policies.on(CandidateCheckedIn)
def on_candidate_checked_in(event: CandidateCheckedIn, us: Us) -> None:
    us.execute(
        OpenResult,
        result=event.application,
        candidate=event.candidate,
        batch=event.batch,
        station=event.station,
    )
    _open_sheet(event, THEORY, "", us)


@policies.on(PaperDrawn)
def on_paper_drawn(event: PaperDrawn, us: Us) -> None:
    _open_sheet(event, PRACTICAL, event.paper, us)


@policies.on(ScoreSubmitted)
def on_score_submitted(event: ScoreSubmitted, us: Us) -> None:
    _record(event.sheet, event.part, event.score, us)


@policies.on(ScoreCorrected)
def on_score_corrected(event: ScoreCorrected, us: Us) -> None:
    _record(event.sheet, event.part, event.new, us)


def _open_sheet(event: CandidateCheckedIn | PaperDrawn, part: str, paper: str, us: Us) -> None:
    """The panel is closed before anybody is seated, so what it is now is what scores this sheet (R066)."""
    us.execute(
        OpenSheet,
        sheet=sheet_of(event.blind_code, part),
        blind_code=event.blind_code,
        application=event.application,
        batch=event.batch,
        station=event.station,
        part=part,
        paper=paper,
        rubric=RUBRICS[part],
        examiners=us.state(panel, event.batch).examiners(part),
    )


def _record(sheet_id: str, part: str, score: int, us: Us) -> None:
    """Here, and not with an examiner, a blind code becomes an application again (R070)."""
    application = us.state(sheet, sheet_id).facts.application
    us.execute(RecordPart, result=application, part=part, score=score, sheet=sheet_id)
