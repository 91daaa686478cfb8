"""A result is combined from both parts, reviewed and published, and all that anew after a correction."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.scoring.domain import result as domain
from services.scoring.domain.passing import CURRENT
from services.scoring.domain.result import OpenResult, PublishResult, RecordPart, ReviewScores, result
from shared.contracts.scoring import (
    PartScored,
    ResultOpened,
    ResultPublished,
    ScoresCombined,
    ScoresReviewed,
)
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.security import duties
from shared.testing.scenario import Scenario, scenario

AT = datetime(2026, 4, 16, 1, 30, tzinfo=UTC)
SERVICE = Actor("scoring", Role.SERVICE, "centre")
REVIEWER, OFFICER = derived_id("test", "reviewer"), derived_id("test", "officer")
APPLICATION, CANDIDATE, BATCH = (derived_id("test", each) for each in ("application", "candidate", "batch"))
STATION = "10012003"

ABOUT: dict[str, Any] = {
    "application": APPLICATION,
    "candidate": CANDIDATE,
    "batch": BATCH,
    "station": STATION,
}
OPENED = ResultOpened(**ABOUT)
REVIEWED = ScoresReviewed(application=APPLICATION, batch=BATCH, station=STATION, reviewer=REVIEWER)


def open_result() -> OpenResult:
    return OpenResult(
        result=APPLICATION, candidate=CANDIDATE, batch=BATCH, station=STATION, by=SERVICE, at=AT
    )


def record(part: str, score: int) -> RecordPart:
    return RecordPart(
        result=APPLICATION, part=part, score=score, sheet=f"B-7H2K9QXW4M-{part}", by=SERVICE, at=AT
    )


def review(body: str = "centre") -> ReviewScores:
    return ReviewScores(result=APPLICATION, by=Actor(REVIEWER, Role.SCORE_REVIEWER, body), at=AT)


def publish(body: str = "centre") -> PublishResult:
    return PublishResult(result=APPLICATION, by=Actor(OFFICER, Role.CENTRE_OFFICER, body), at=AT)


def scored(part: str, score: int) -> PartScored:
    return PartScored(
        application=APPLICATION, batch=BATCH, part=part, score=score, sheet=f"B-7H2K9QXW4M-{part}"
    )


def combined(theory: int, practical: int, *, passed: bool) -> ScoresCombined:
    return ScoresCombined(**ABOUT, theory=theory, practical=practical, passed=passed, rule=CURRENT)


def published(theory: int, practical: int, *, passed: bool) -> ResultPublished:
    return ResultPublished(**ABOUT, theory=theory, practical=practical, passed=passed)


def opened() -> Scenario:
    return scenario(result).given(OPENED)


def both() -> Scenario:
    return opened().given(scored("theory", 72), scored("practical", 58), combined(72, 58, passed=False))


def test_a_result_is_opened_once_the_candidate_is_checked_in() -> None:
    scenario(result).when(open_result()).then(OPENED)


def test_opening_twice_changes_nothing() -> None:
    opened().when(open_result()).then_nothing()


def test_one_part_alone_is_recorded() -> None:
    opened().when(record("theory", 72)).then(scored("theory", 72))


def test_the_second_part_combines_both() -> None:
    given = opened().given(scored("theory", 72))
    given.when(record("practical", 60)).then(scored("practical", 60), combined(72, 60, passed=True))


def test_the_parts_may_come_in_any_order() -> None:
    given = opened().given(scored("practical", 60))
    given.when(record("theory", 72)).then(scored("theory", 72), combined(72, 60, passed=True))


def test_one_part_below_the_line_fails_the_whole() -> None:
    given = opened().given(scored("theory", 100))
    given.when(record("practical", 59)).then(scored("practical", 59), combined(100, 59, passed=False))


def test_a_corrected_first_part_combines_nothing_yet() -> None:
    opened().given(scored("theory", 72)).when(record("theory", 70)).then(scored("theory", 70))


def test_a_score_without_a_result_is_refused() -> None:
    scenario(result).when(record("theory", 72)).refused(domain.ResultUnknown)


def test_combined_scores_are_reviewed() -> None:
    both().when(review()).then(REVIEWED)


def test_half_a_result_is_not_reviewed() -> None:
    opened().given(scored("theory", 72)).when(review()).refused(domain.NotAwaitingThis)


def test_an_unknown_result_is_not_reviewed() -> None:
    scenario(result).when(review()).refused(domain.ResultUnknown)


def test_a_station_does_not_review() -> None:
    both().when(review(f"station-{STATION}")).refused(domain.NotTheCentre)


def test_scores_are_reviewed_once() -> None:
    both().given(REVIEWED).when(review()).refused(domain.NotAwaitingThis)


def test_who_scores_in_a_batch_cannot_review_in_it() -> None:
    assert duties.conflict(Role.SCORE_REVIEWER, {Role.EXAMINER}) is Role.EXAMINER


def test_a_reviewed_result_is_published() -> None:
    both().given(REVIEWED).when(publish()).then(published(72, 58, passed=False))


def test_nothing_is_published_before_its_review() -> None:
    both().when(publish()).refused(domain.NotAwaitingThis)


def test_nothing_unknown_is_published() -> None:
    scenario(result).when(publish()).refused(domain.ResultUnknown)


def test_a_station_does_not_publish() -> None:
    both().given(REVIEWED).when(publish(f"station-{STATION}")).refused(domain.NotTheCentre)


def test_a_result_is_published_once() -> None:
    given = both().given(REVIEWED, published(72, 58, passed=False))
    given.when(publish()).refused(domain.NotAwaitingThis)


CORRECTED = scored("practical", 68), combined(72, 68, passed=True)


@pytest.mark.parametrize("behind", [(), (REVIEWED,), (REVIEWED, published(72, 58, passed=False))])
def test_a_correction_combines_again_whatever_was_done(behind: tuple[Any, ...]) -> None:
    both().given(*behind).when(record("practical", 68)).then(*CORRECTED)


def test_a_correction_after_review_asks_for_another_review() -> None:
    both().given(REVIEWED, *CORRECTED).when(publish()).refused(domain.NotAwaitingThis)


def test_a_correction_after_publication_is_reviewed_and_published_anew() -> None:
    given = both().given(REVIEWED, published(72, 58, passed=False), *CORRECTED)
    given.when(review()).then(REVIEWED)
    given.given(REVIEWED).when(publish()).then(published(72, 68, passed=True))


def test_each_step_belongs_to_one_role() -> None:
    assert result.roles == {
        OpenResult: {Role.SERVICE},
        RecordPart: {Role.SERVICE},
        ReviewScores: {Role.SCORE_REVIEWER},
        PublishResult: {Role.CENTRE_OFFICER},
    }
