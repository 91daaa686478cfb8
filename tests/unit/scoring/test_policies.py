"""What scoring does about others' events and its own."""

from typing import Any

from services.scoring.domain.panel import AdmitExaminer, Panel, panel
from services.scoring.domain.result import OpenResult, RecordPart
from services.scoring.domain.sheet import OpenSheet, Sheet, sheet
from services.scoring.policies import policies
from shared.contracts.scheduling import CandidateCheckedIn, ExaminerAssigned, PaperDrawn
from shared.contracts.scoring import ScoreCorrected, ScoreSubmitted, SheetOpened
from shared.kernel.aggregates import Aggregate, Command
from shared.kernel.events import Event
from shared.kernel.ids import derived_id

APPLICATION, CANDIDATE, BATCH = (derived_id("test", each) for each in ("application", "candidate", "batch"))
THEORIST, FIRST, SECOND = (derived_id("test", "examiner", each) for each in "123")
STATION, BLIND = "10012003", "B-7H2K9QXW4M"
PRACTICAL = f"{BLIND}-practical"

OPENED = SheetOpened(
    sheet=PRACTICAL,
    blind_code=BLIND,
    application=APPLICATION,
    batch=BATCH,
    station=STATION,
    part="practical",
    paper="paper-03",
    rubric="practical-100-v1",
    examiners=(FIRST, SECOND),
)
KNOWN: dict[tuple[Aggregate[Any], str], Any] = {
    (panel, BATCH): Panel((("theory", THEORIST), ("practical", FIRST), ("practical", SECOND))),
    (sheet, PRACTICAL): Sheet(opened=OPENED),
}


class Asked:
    """Our service as a policy sees it: knows a panel and a sheet, and writes down what it is asked."""

    event_id, event_hash = derived_id("test", "event"), "00" * 32

    def __init__(self) -> None:
        self.commands: list[tuple[type[Command], dict[str, Any]]] = []

    def execute(self, command: type[Command], **fields: Any) -> None:
        self.commands.append((command, fields))

    def state(self, aggregate: Aggregate[Any], id: str) -> Any:
        return KNOWN[aggregate, id]


def asked_by(event: Event) -> list[tuple[type[Command], dict[str, Any]]]:
    asked = Asked()
    handler = policies.handler(type(event))
    assert handler is not None
    handler(event, asked)
    return asked.commands


def test_an_assigned_examiner_joins_the_panel() -> None:
    event = ExaminerAssigned(batch=BATCH, station=STATION, examiner=FIRST, part="practical", head=True)
    assert asked_by(event) == [(AdmitExaminer, {"panel": BATCH, "examiner": FIRST, "part": "practical"})]


def test_check_in_opens_the_result_and_the_theory_sheet() -> None:
    event = CandidateCheckedIn(
        application=APPLICATION,
        candidate=CANDIDATE,
        batch=BATCH,
        station=STATION,
        ticket="23456789ABCDEFGH",
        room="101",
        blind_code=BLIND,
        checker=derived_id("test", "invigilator"),
    )
    about = {"batch": BATCH, "station": STATION}
    frozen = {"part": "theory", "paper": "", "rubric": "theory-100-v1", "examiners": (THEORIST,)}
    names = {"sheet": f"{BLIND}-theory", "blind_code": BLIND, "application": APPLICATION}
    assert asked_by(event) == [
        (OpenResult, {"result": APPLICATION, "candidate": CANDIDATE, **about}),
        (OpenSheet, {**names, **about, **frozen}),
    ]


def test_a_drawn_paper_opens_the_practical_sheet() -> None:
    event = PaperDrawn(
        application=APPLICATION,
        candidate=CANDIDATE,
        batch=BATCH,
        station=STATION,
        room="101",
        blind_code=BLIND,
        paper="paper-03",
        pool_digest="00" * 32,
        lot="11" * 32,
        algorithm="draw-1",
        witness=derived_id("test", "invigilator"),
    )
    assert asked_by(event) == [(OpenSheet, OPENED.data())]


def test_a_score_reaches_the_result_of_its_application() -> None:
    event = ScoreSubmitted(
        sheet=PRACTICAL,
        blind_code=BLIND,
        batch=BATCH,
        station=STATION,
        part="practical",
        score=58,
        rubric="practical-100-v1",
        examiner=FIRST,
        sheet_digest="ab" * 32,
    )
    recorded = {"result": APPLICATION, "part": "practical", "score": 58, "sheet": PRACTICAL}
    assert asked_by(event) == [(RecordPart, recorded)]


def test_a_correction_reaches_it_too() -> None:
    event = ScoreCorrected(
        sheet=PRACTICAL,
        blind_code=BLIND,
        batch=BATCH,
        station=STATION,
        part="practical",
        old=58,
        new=68,
        reason="小计漏加",
        proposer=FIRST,
        approver=derived_id("test", "reviewer"),
    )
    recorded = {"result": APPLICATION, "part": "practical", "score": 68, "sheet": PRACTICAL}
    assert asked_by(event) == [(RecordPart, recorded)]
