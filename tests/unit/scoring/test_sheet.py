"""A sheet is scored once by an examiner of its panel, and changed only with a second person's approval."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from services.scoring.domain import sheet as domain
from services.scoring.domain.sheet import (
    ApproveCorrection,
    OpenSheet,
    ProposeCorrection,
    SubmitScore,
    sheet,
    sheet_of,
)
from shared.contracts.scoring import CorrectionProposed, ScoreCorrected, ScoreSubmitted, SheetOpened
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.testing.scenario import Scenario, scenario

AT = datetime(2026, 4, 16, 1, 30, tzinfo=UTC)
BATCH, APPLICATION = derived_id("test", "batch"), derived_id("test", "application")
FIRST, SECOND, STRANGER, REVIEWER = (
    derived_id("test", "person", each) for each in ("first", "second", "stranger", "reviewer")
)
STATION = "10012003"
BLIND = "B-7H2K9QXW4M"
SHEET = sheet_of(BLIND, "practical")
DIGEST = "ab" * 32

ABOUT: dict[str, Any] = {
    "sheet": SHEET,
    "blind_code": BLIND,
    "batch": BATCH,
    "station": STATION,
    "part": "practical",
}
FROZEN: dict[str, Any] = {
    **ABOUT,
    "application": APPLICATION,
    "paper": "paper-03",
    "rubric": "practical-100-v1",
    "examiners": (FIRST, SECOND),
}
OPENED = SheetOpened(**FROZEN)
SUBMITTED = ScoreSubmitted(**ABOUT, score=58, rubric="practical-100-v1", examiner=FIRST, sheet_digest=DIGEST)


def examiner(id: str = FIRST) -> Actor:
    return Actor(id, Role.EXAMINER, "centre")


def reviewer(id: str = REVIEWER, body: str = "centre") -> Actor:
    return Actor(id, Role.SCORE_REVIEWER, body)


def open_sheet() -> OpenSheet:
    return OpenSheet(**FROZEN, by=Actor("scoring", Role.SERVICE, "centre"), at=AT)


def submit(by: Actor | None = None) -> SubmitScore:
    return SubmitScore(sheet=SHEET, score=58, sheet_digest=DIGEST, by=by or examiner(), at=AT)


def propose(new: int = 68, by: Actor | None = None) -> ProposeCorrection:
    return ProposeCorrection(sheet=SHEET, new=new, reason="小计漏加", by=by or examiner(), at=AT)


def approve(new: int = 68, by: Actor | None = None) -> ApproveCorrection:
    return ApproveCorrection(sheet=SHEET, new=new, by=by or reviewer(), at=AT)


def proposed(new: int = 68, proposer: str = FIRST) -> CorrectionProposed:
    return CorrectionProposed(**ABOUT, old=58, new=new, reason="小计漏加", proposer=proposer)


def corrected(new: int = 68, approver: str = REVIEWER) -> ScoreCorrected:
    return ScoreCorrected(**ABOUT, old=58, new=new, reason="小计漏加", proposer=FIRST, approver=approver)


def opened() -> Scenario:
    return scenario(sheet).given(OPENED)


def scored() -> Scenario:
    return opened().given(SUBMITTED)


def test_a_sheet_is_opened_for_a_blind_code_and_part() -> None:
    scenario(sheet).when(open_sheet()).then(OPENED)


def test_opening_twice_changes_nothing() -> None:
    opened().when(open_sheet()).then_nothing()


def test_an_examiner_of_the_sheet_submits_its_score() -> None:
    opened().when(submit()).then(SUBMITTED)


def test_any_examiner_of_the_sheet_may_be_the_one() -> None:
    opened().when(submit(examiner(SECOND))).then(
        ScoreSubmitted(**ABOUT, score=58, rubric="practical-100-v1", examiner=SECOND, sheet_digest=DIGEST)
    )


def test_a_sheet_that_was_not_opened_takes_no_score() -> None:
    scenario(sheet).when(submit()).refused(domain.SheetUnknown)


def test_an_examiner_of_another_panel_cannot_score() -> None:
    opened().when(submit(examiner(STRANGER))).refused(domain.NotOnThisPanel)


def test_the_panel_is_told_before_the_score() -> None:
    scored().when(submit(examiner(STRANGER))).refused(domain.NotOnThisPanel)


def test_a_score_is_submitted_once() -> None:
    scored().when(submit(examiner(SECOND))).refused(domain.ScoreAlreadySubmitted)


def test_a_score_of_zero_is_a_score() -> None:
    zero = ScoreSubmitted(**ABOUT, score=0, rubric="practical-100-v1", examiner=FIRST, sheet_digest=DIGEST)
    opened().given(zero).when(submit()).refused(domain.ScoreAlreadySubmitted)


def test_an_examiner_proposes_a_correction() -> None:
    scored().when(propose()).then(proposed())


def test_a_stranger_proposes_nothing() -> None:
    scored().when(propose(by=examiner(STRANGER))).refused(domain.NotOnThisPanel)


def test_an_unknown_sheet_has_nothing_to_correct() -> None:
    scenario(sheet).when(propose()).refused(domain.SheetUnknown)


def test_without_a_score_there_is_nothing_to_correct() -> None:
    opened().when(propose()).refused(domain.ScoreMissing)


def test_a_correction_has_to_change_the_score() -> None:
    scored().when(propose(new=58)).refused(domain.ScoreUnchanged)


def test_a_newer_proposal_takes_the_place_of_the_older() -> None:
    scored().given(proposed(68), proposed(61)).when(approve(61)).then(corrected(61))


def test_a_replaced_proposal_cannot_be_approved() -> None:
    scored().given(proposed(68), proposed(61)).when(approve(68)).refused(domain.ProposalReplaced)


def test_a_second_person_approves_a_correction() -> None:
    scored().given(proposed()).when(approve()).then(corrected())


def test_a_reviewer_of_the_sheets_own_station_may_approve() -> None:
    by = reviewer(body=f"station-{STATION}")
    scored().given(proposed()).when(approve(by=by)).then(corrected())


def test_another_station_cannot_approve() -> None:
    by = reviewer(body="station-10012004")
    scored().given(proposed()).when(approve(by=by)).refused(domain.OtherStation)


def test_nobody_approves_his_own_correction() -> None:
    scored().given(proposed()).when(approve(by=reviewer(FIRST))).refused(domain.SecondPersonNeeded)


def test_without_a_proposal_there_is_nothing_to_approve() -> None:
    scored().when(approve()).refused(domain.ProposalMissing)


def test_a_proposal_is_approved_once() -> None:
    scored().given(proposed(), corrected()).when(approve()).refused(domain.ProposalMissing)


def test_an_unknown_sheet_has_no_proposal() -> None:
    scenario(sheet).when(approve()).refused(domain.SheetUnknown)


def test_a_corrected_score_can_be_corrected_again() -> None:
    again = CorrectionProposed(**ABOUT, old=68, new=67, reason="小计漏加", proposer=FIRST)
    scored().given(proposed(), corrected()).when(propose(67)).then(again)


def test_a_correction_back_to_the_corrected_score_changes_nothing() -> None:
    scored().given(proposed(), corrected()).when(propose(68)).refused(domain.ScoreUnchanged)


@pytest.mark.parametrize("command", [SubmitScore, ProposeCorrection])
def test_what_an_examiner_sends_names_no_candidate(command: type) -> None:
    assert not {"candidate", "application"} & {field.name for field in fields(command)}


@pytest.mark.parametrize("event", [ScoreSubmitted, CorrectionProposed])
def test_what_an_examiner_says_names_no_candidate(event: type) -> None:
    assert not {"candidate", "application"} & {field.name for field in fields(event)}


def test_each_step_belongs_to_one_role() -> None:
    assert sheet.roles == {
        OpenSheet: {Role.SERVICE},
        SubmitScore: {Role.EXAMINER},
        ProposeCorrection: {Role.EXAMINER},
        ApproveCorrection: {Role.SCORE_REVIEWER},
    }
