"""评分表: one blind code and part, scored once, changed only as a correction (R070, R114, R115).

No command of an examiner and no event that answers one names the candidate or the application.
"""

from dataclasses import dataclass, replace

from services.scoring.domain.passing import PRACTICAL, THEORY
from shared.contracts.scoring import (
    CorrectionProposed,
    ScoreCorrected,
    ScoreSubmitted,
    SheetOpened,
    SheetSigned,
)
from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.errors import DomainError, NotEntitled

RUBRICS = {THEORY: "theory-100-v1", PRACTICAL: "practical-100-v1"}


def sheet_of(blind_code: str, part: str) -> str:
    """The id of the sheet on which this part of a blind code is scored."""
    return f"{blind_code}-{part}"


@dataclass(frozen=True, kw_only=True)
class OpenSheet(Command):
    """建立评分表, frozen to paper, rubric and panel; theory has no drawn `paper`, so it is empty (R089)."""

    sheet: str
    blind_code: str
    application: str
    batch: str
    station: str
    part: str
    paper: str
    rubric: str
    examiners: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SubmitScore(Command):
    """提交成绩: whole points out of 100, and the sha256 of the scanned paper sheet (R114, R127).

    `signature`, if there is one, was checked with `public_key` before.
    """

    sheet: str
    score: int
    sheet_digest: str
    signature: str = ""
    public_key: str = ""


@dataclass(frozen=True, kw_only=True)
class ProposeCorrection(Command):
    """申请更正成绩; it takes the place of an earlier proposal that nobody approved (R115)."""

    sheet: str
    new: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class ApproveCorrection(Command):
    """批准更正: `new` is the score that the approver saw, lest he approve a later proposal unseen."""

    sheet: str
    new: int


class SheetUnknown(DomainError):
    """没有这张评分表；请核对盲码和科目。

    There is no such score sheet; check blind code and part.
    """

    field = "sheet"


class NotOnThisPanel(NotEntitled):
    """您不是此评分表指派的考评员；请由中心委派的考评员评分。

    You are not an examiner of this sheet; let one whom the centre assigned to this part score it.
    """

    rule = "R011"
    field = "actor"


class ScoreAlreadySubmitted(DomainError):
    """此评分表已提交成绩；如有差错，请申请更正并说明理由。

    This sheet has its score; if that is wrong, propose a correction and say why.
    """

    rule = "R115"
    field = "sheet"


class ScoreMissing(DomainError):
    """此评分表尚未提交成绩，无从更正；请先提交成绩。

    This sheet has no score to correct; submit one first.
    """

    rule = "R115"
    field = "sheet"


class ScoreUnchanged(DomainError):
    """更正后的成绩与现有成绩相同；请核对后填写不同的成绩。

    The corrected score equals the present one; check it and give the score it should be.
    """

    rule = "R115"
    field = "new"


class ProposalMissing(DomainError):
    """此评分表没有待批准的更正申请；请由此评分表的考评员提出申请。

    No correction of this sheet is waiting for approval; let an examiner of the sheet propose one.
    """

    rule = "R115"
    field = "sheet"


class ProposalReplaced(DomainError):
    """更正申请已被新的申请取代；请查看最新申请后再批准。

    A newer proposal has taken this one's place; look at that one and approve the score it names.
    """

    rule = "R115"
    field = "new"


class SecondPersonNeeded(NotEntitled):
    """成绩更正须由申请人以外的人员批准；请由另一名成绩复核人员批准。

    A correction needs the approval of another person than its proposer; let a second score reviewer approve.
    """

    rule = "R115"
    field = "actor"


class OtherStation(NotEntitled):
    """此评分表属于其他鉴定所；请由所属鉴定所或指导中心办理。

    This sheet belongs to another station; that station or the centre has to act.
    """

    rule = "R001"
    field = "actor.body"


@dataclass(frozen=True)
class Sheet:
    """What a sheet's history amounts to."""

    opened: SheetOpened | None = None
    score: int | None = None
    proposal: CorrectionProposed | None = None

    @property
    def facts(self) -> SheetOpened:
        if self.opened is None:
            raise SheetUnknown
        return self.opened


sheet: Aggregate[Sheet] = Aggregate("sheet", Sheet())


@sheet.decides(Role.SERVICE)
def open_sheet(command: OpenSheet, state: Sheet) -> Facts:
    if state.opened is not None:
        return []
    return [
        SheetOpened(
            sheet=command.sheet,
            blind_code=command.blind_code,
            application=command.application,
            batch=command.batch,
            station=command.station,
            part=command.part,
            paper=command.paper,
            rubric=command.rubric,
            examiners=command.examiners,
        )
    ]


@sheet.decides(Role.EXAMINER)
def submit(command: SubmitScore, state: Sheet) -> Facts:
    _on_the_panel(command.by, state)
    if state.score is not None:
        raise ScoreAlreadySubmitted
    submitted = ScoreSubmitted(
        **_about(state),
        score=command.score,
        rubric=state.facts.rubric,
        examiner=command.by.id,
        sheet_digest=command.sheet_digest,
    )
    return [submitted, *_signed(command, state)]


@sheet.decides(Role.EXAMINER)
def propose(command: ProposeCorrection, state: Sheet) -> Facts:
    _on_the_panel(command.by, state)
    if state.score is None:
        raise ScoreMissing
    if command.new == state.score:
        raise ScoreUnchanged
    return [
        CorrectionProposed(
            **_about(state),
            old=state.score,
            new=command.new,
            reason=command.reason,
            proposer=command.by.id,
        )
    ]


@sheet.decides(Role.SCORE_REVIEWER)
def approve(command: ApproveCorrection, state: Sheet) -> Facts:
    _centre_or_same_station(command.by, state)
    proposal = state.proposal
    if proposal is None:
        raise ProposalMissing
    if command.by.id == proposal.proposer:
        raise SecondPersonNeeded
    if command.new != proposal.new:
        raise ProposalReplaced
    return [
        ScoreCorrected(
            **_about(state),
            old=proposal.old,
            new=proposal.new,
            reason=proposal.reason,
            proposer=proposal.proposer,
            approver=command.by.id,
        )
    ]


@sheet.evolves
def opened(event: SheetOpened, state: Sheet) -> Sheet:
    return replace(state, opened=event)


@sheet.evolves
def submitted(event: ScoreSubmitted, state: Sheet) -> Sheet:
    return replace(state, score=event.score)


@sheet.evolves
def proposed(event: CorrectionProposed, state: Sheet) -> Sheet:
    return replace(state, proposal=event)


@sheet.evolves
def corrected(event: ScoreCorrected, state: Sheet) -> Sheet:
    return replace(state, score=event.new, proposal=None)


def _about(state: Sheet) -> dict[str, str]:
    facts = state.facts
    return {
        "sheet": facts.sheet,
        "blind_code": facts.blind_code,
        "batch": facts.batch,
        "station": facts.station,
        "part": facts.part,
    }


def _signed(command: SubmitScore, state: Sheet) -> Facts:
    if not command.signature:
        return []
    return [
        SheetSigned(
            **_about(state),
            examiner=command.by.id,
            sheet_digest=command.sheet_digest,
            public_key=command.public_key,
            signature=command.signature,
        )
    ]


def _on_the_panel(by: Actor, state: Sheet) -> None:
    if by.id not in state.facts.examiners:
        raise NotOnThisPanel


def _centre_or_same_station(by: Actor, state: Sheet) -> None:
    if by.body not in ("centre", f"station-{state.facts.station}"):
        raise OtherStation
