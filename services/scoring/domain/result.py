"""成绩: the parts of one application, combined by a rule, reviewed and published (R119, R120, R122).

Nobody reviews where he scored: the executor holds everybody to his duties within a batch and records the
attempt (R015), which a refusal from here would not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.scoring.domain import passing
from shared.contracts.scoring import (
    PartScored,
    ResultOpened,
    ResultPublished,
    ScoresCombined,
    ScoresReviewed,
)
from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.errors import DomainError, NotEntitled


@dataclass(frozen=True, kw_only=True)
class OpenResult(Command):
    """建立成绩册; `result` is the application."""

    result: str
    candidate: str
    batch: str
    station: str


@dataclass(frozen=True, kw_only=True)
class RecordPart(Command):
    """单科成绩入册, from a sheet's first score or a correction of it."""

    result: str
    part: str
    score: int
    sheet: str


@dataclass(frozen=True, kw_only=True)
class ReviewScores(Command):
    """成绩审核 at the centre."""

    result: str


@dataclass(frozen=True, kw_only=True)
class PublishResult(Command):
    """成绩公布 by the centre."""

    result: str


class ResultUnknown(DomainError):
    """没有这份成绩；请核对申请编号，考生签到后才有成绩。

    There is no such result; check the application's id, a result exists once the candidate is checked in.
    """

    field = "result"


class NotTheCentre(NotEntitled):
    """此事项由指导中心办理；请由中心人员办理。

    This is for the guidance centre to do; let somebody of the centre do it.
    """

    rule = "R001"
    field = "actor.body"


class NotAwaitingThis(DomainError):
    """成绩不在可办理此步骤的状态；请待两科齐全后审核，审核后公布，更正后重新审核和公布。

    The result is not waiting for this step; let both parts come in, then review, then publish, and after a
    correction review and publish again.
    """

    rule = "R120"
    field = "result"


@dataclass(frozen=True)
class Result:
    """What a result's history amounts to."""

    status: str = "new"
    opened: ResultOpened | None = None
    scores: Mapping[str, int] = field(default_factory=dict)
    combined: ScoresCombined | None = None

    @property
    def facts(self) -> ResultOpened:
        if self.opened is None:
            raise ResultUnknown
        return self.opened


result: Aggregate[Result] = Aggregate("result", Result())


@result.decides(Role.SERVICE)
def open_result(command: OpenResult, state: Result) -> Facts:
    if state.opened is not None:
        return []
    return [
        ResultOpened(
            application=command.result,
            candidate=command.candidate,
            batch=command.batch,
            station=command.station,
        )
    ]


@result.decides(Role.SERVICE)
def record_part(command: RecordPart, state: Result) -> Facts:
    facts = state.facts
    scored = PartScored(
        application=facts.application,
        batch=facts.batch,
        part=command.part,
        score=command.score,
        sheet=command.sheet,
    )
    scores = {**state.scores, command.part: command.score}
    return [scored, _combined(facts, scores)] if passing.complete(scores) else [scored]


@result.decides(Role.SCORE_REVIEWER)
def review(command: ReviewScores, state: Result) -> Facts:
    _centre(command.by)
    _awaits("combined", state)
    facts = state.facts
    return [
        ScoresReviewed(
            application=facts.application,
            batch=facts.batch,
            station=facts.station,
            reviewer=command.by.id,
        )
    ]


@result.decides(Role.CENTRE_OFFICER)
def publish(command: PublishResult, state: Result) -> Facts:
    _centre(command.by)
    _awaits("reviewed", state)
    combined = state.combined
    assert combined is not None
    return [
        ResultPublished(
            application=combined.application,
            candidate=combined.candidate,
            batch=combined.batch,
            station=combined.station,
            theory=combined.theory,
            practical=combined.practical,
            passed=combined.passed,
        )
    ]


@result.evolves
def opened(event: ResultOpened, state: Result) -> Result:
    return replace(state, status="open", opened=event)


@result.evolves
def part_scored(event: PartScored, state: Result) -> Result:
    return replace(state, scores={**state.scores, event.part: event.score})


@result.evolves
def combined(event: ScoresCombined, state: Result) -> Result:
    # also after review or publication: what was corrected is reviewed and published anew
    return replace(state, status="combined", combined=event)


@result.evolves
def reviewed(_event: ScoresReviewed, state: Result) -> Result:
    return replace(state, status="reviewed")


@result.evolves
def published(_event: ResultPublished, state: Result) -> Result:
    return replace(state, status="published")


def _combined(facts: ResultOpened, scores: Mapping[str, int]) -> ScoresCombined:
    return ScoresCombined(
        application=facts.application,
        candidate=facts.candidate,
        batch=facts.batch,
        station=facts.station,
        theory=scores[passing.THEORY],
        practical=scores[passing.PRACTICAL],
        passed=passing.passed(scores),
        rule=passing.CURRENT,
    )


def _awaits(status: str, state: Result) -> None:
    if state.opened is None:
        raise ResultUnknown
    if state.status != status:
        raise NotAwaitingThis


def _centre(by: Actor) -> None:
    if by.body != "centre":
        raise NotTheCentre
