"""A batch, from the station's application to the last seat."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.scheduling.domain import chance
from services.scheduling.domain.batch import (
    AllocateSeats,
    ApplyForBatch,
    AssignExaminer,
    Batch,
    CloseBatch,
    EnrolCandidate,
    IssueTaskNotice,
    SealPaperPool,
    StrikeOffCandidate,
    batch,
)
from services.scheduling.domain.errors import OtherStation
from services.scheduling.domain.errors import batch as errors
from shared.contracts.scheduling import (
    BatchApplied,
    BatchClosed,
    CandidateEnrolled,
    CandidateStruckOff,
    EnrolmentRefused,
    ExaminerAssigned,
    PaperPoolSealed,
    SeatsAllocated,
    TaskNoticeIssued,
)
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.testing.scenario import scenario

NOW = datetime(2026, 4, 1, 1, 30, tzinfo=UTC)
BATCH, STATION, SEED = derived_id("batch"), "10012003", "0f" * 32
WELDER, CATALOGUE = "6-04-02-05", "1999"
PAPERS = tuple(sorted(derived_id("paper", str(number)) for number in range(4)))
EXAMINERS = [derived_id("examiner", str(number)) for number in range(5)]

DIRECTOR = Actor(derived_id("director"), Role.STATION_DIRECTOR, f"station-{STATION}")
AFFAIRS = Actor(derived_id("affairs"), Role.EXAM_AFFAIRS, f"station-{STATION}")
OFFICER = Actor(derived_id("officer"), Role.CENTRE_OFFICER, "centre")
SERVICE = Actor("scheduling", Role.SERVICE, "centre")
NEIGHBOUR = replace(DIRECTOR, body="station-10012004")
CUSTODIAN = Actor(derived_id("custodian"), Role.PAPER_CUSTODIAN, "centre")
OFFICER_IN_STATION = replace(OFFICER, body=f"station-{STATION}")

APPLY = ApplyForBatch(
    by=DIRECTOR,
    at=NOW,
    batch=BATCH,
    station=STATION,
    occupation=WELDER,
    catalogue=CATALOGUE,
    levels=(5, 4),
    planned=70,
    theory_at="2026-04-16T01:30:00.000000Z",
    practical_at="2026-04-16T06:00:00.000000Z",
)
APPLIED = BatchApplied(
    batch=BATCH,
    station=STATION,
    occupation=WELDER,
    catalogue=CATALOGUE,
    levels=(5, 4),
    planned=70,
    theory_at="2026-04-16T01:30:00.000000Z",
    practical_at="2026-04-16T06:00:00.000000Z",
)
NOTICED = TaskNoticeIssued(batch=BATCH, station=STATION, notice="2026-017", approved=1)
SEALED = PaperPoolSealed(batch=BATCH, papers=PAPERS, pool_digest=chance.digest_of(PAPERS))

ENROL = EnrolCandidate(
    by=SERVICE,
    at=NOW,
    batch=BATCH,
    application=derived_id("application", "0"),
    candidate=derived_id("candidate", "0"),
    station=STATION,
    occupation=WELDER,
    catalogue=CATALOGUE,
    level=4,
)
STRIKE_OFF = StrikeOffCandidate(by=SERVICE, at=NOW, batch=BATCH, application=ENROL.application)
NOTICE = IssueTaskNotice(by=OFFICER, at=NOW, batch=BATCH, notice="2026-017")
SEAL = SealPaperPool(by=CUSTODIAN, at=NOW, batch=BATCH, papers=PAPERS)
ASSIGN = AssignExaminer(by=OFFICER, at=NOW, batch=BATCH, examiner=EXAMINERS[0], part="practical", head=True)
ALLOCATE = AllocateSeats(by=AFFAIRS, at=NOW, batch=BATCH, rooms=("一号考场", "二号考场"), seed=SEED)

CLOSE = CloseBatch(by=OFFICER, at=NOW, batch=BATCH, ended=1)
CLOSED = BatchClosed(batch=BATCH, station=STATION)


def enrolled(number: int) -> CandidateEnrolled:
    return CandidateEnrolled(
        batch=BATCH,
        application=derived_id("application", str(number)),
        candidate=derived_id("candidate", str(number)),
        level=4,
    )


def assigned(number: int, part: str, *, head: bool = False) -> ExaminerAssigned:
    return ExaminerAssigned(batch=BATCH, station=STATION, examiner=EXAMINERS[number], part=part, head=head)


STRUCK_OFF = CandidateStruckOff(batch=BATCH, application=ENROL.application, candidate=ENROL.candidate)
THEORY = assigned(0, "theory")
PRACTICAL = (assigned(1, "practical", head=True), assigned(2, "practical"), assigned(3, "practical"))
SEATED = SeatsAllocated(
    batch=BATCH,
    station=STATION,
    room="一号考场",
    seed=SEED,
    algorithm="sha256-order-1",
    applications=(ENROL.application,),
)

new = scenario(batch)
open_batch = new.given(APPLIED)
with_candidate = open_batch.given(enrolled(0))
approved = with_candidate.given(NOTICED)
supplied = approved.given(SEALED)
ready = supplied.given(THEORY, *PRACTICAL)
seated = ready.given(SEATED)
closed = seated.given(CLOSED)


@pytest.mark.parametrize(
    ("command", "role"),
    [
        (ApplyForBatch, Role.STATION_DIRECTOR),
        (EnrolCandidate, Role.SERVICE),
        (StrikeOffCandidate, Role.SERVICE),
        (IssueTaskNotice, Role.CENTRE_OFFICER),
        (SealPaperPool, Role.PAPER_CUSTODIAN),
        (AssignExaminer, Role.CENTRE_OFFICER),
        (AllocateSeats, Role.EXAM_AFFAIRS),
        (CloseBatch, Role.CENTRE_OFFICER),
    ],
)
def test_each_step_belongs_to_one_role(command, role):
    assert batch.roles[command] == {role}


def test_a_station_applies_for_a_batch():
    new.when(APPLY).then(APPLIED)


def test_a_batch_is_applied_for_once():
    open_batch.when(APPLY).refused(errors.BatchExists)


def test_a_station_applies_for_itself_only():
    new.when(replace(APPLY, by=NEIGHBOUR)).refused(OtherStation)


def test_theory_is_not_planned_for_yesterday():
    new.when(replace(APPLY, theory_at="2026-03-31T23:59:59.999999Z")).refused(errors.TheoryInThePast)


def test_the_practical_part_is_not_planned_for_yesterday():
    new.when(replace(APPLY, practical_at="2026-03-31T23:59:59.999999Z")).refused(errors.PracticalInThePast)


def test_a_batch_may_take_place_on_the_day_it_is_applied_for():
    today = "2026-04-01T00:00:00.000000Z"
    new.when(replace(APPLY, theory_at=today)).then(replace(APPLIED, theory_at=today))


def not_enrolled(command, obstacle):
    return EnrolmentRefused(
        batch=command.batch,
        application=command.application,
        candidate=command.candidate,
        code=obstacle.__name__,
    )


def test_a_registered_candidate_is_enrolled():
    open_batch.when(ENROL).then(enrolled(0))


def test_nobody_is_added_to_what_the_centre_has_approved():
    late = replace(ENROL, application=derived_id("application", "1"))
    approved.when(late).then(not_enrolled(late, errors.RosterIsClosed))


def test_enrolling_twice_changes_nothing():
    with_candidate.when(ENROL).then_nothing()


def test_enrolling_twice_changes_nothing_even_when_the_roster_is_closed():
    seated.when(ENROL).then_nothing()


def test_nobody_is_enrolled_in_an_unknown_batch():
    new.when(ENROL).then(not_enrolled(ENROL, errors.BatchUnknown))


@pytest.mark.parametrize(
    "other", [{"station": "10012004"}, {"occupation": "6-04-01-01"}, {"catalogue": "2015"}, {"level": 3}]
)
def test_a_candidate_has_to_fit_the_batch(other):
    wrong = replace(ENROL, **other)
    open_batch.when(wrong).then(not_enrolled(wrong, errors.NotForThisBatch))


def test_a_batch_holds_as_many_as_planned():
    small = new.given(replace(APPLIED, planned=1), enrolled(1))
    small.when(ENROL).then(not_enrolled(ENROL, errors.BatchIsFull))


def test_nobody_is_enrolled_after_the_seats_are_allocated():
    late = replace(ENROL, application=derived_id("late"))
    seated.when(late).then(not_enrolled(late, errors.RosterIsClosed))


def test_a_batch_may_be_applied_for_after_somebody_found_it_missing():
    new.given(not_enrolled(ENROL, errors.BatchUnknown)).when(APPLY).then(APPLIED)


@pytest.mark.parametrize("history", [with_candidate, approved, ready])
def test_who_withdraws_before_the_seats_are_allocated_leaves_the_roster(history):
    history.when(STRIKE_OFF).then(STRUCK_OFF)


@pytest.mark.parametrize("history", [new, open_batch, open_batch.given(enrolled(1))])
def test_who_never_stood_on_the_roster_is_not_struck_off(history):
    history.when(STRIKE_OFF).then_nothing()


def test_striking_off_twice_changes_nothing():
    with_candidate.given(STRUCK_OFF).when(STRIKE_OFF).then_nothing()


def test_who_has_a_seat_is_not_struck_off():
    seated.when(STRIKE_OFF).then_nothing()


def test_who_is_struck_off_leaves_his_place_to_another():
    full = new.given(replace(APPLIED, planned=1), enrolled(1))
    left = full.given(replace(STRUCK_OFF, application=enrolled(1).application))
    left.when(ENROL).then(enrolled(0))


def test_who_is_struck_off_is_not_counted_in_the_notice():
    with_candidate.given(enrolled(1), STRUCK_OFF).when(NOTICE).then(NOTICED)


def test_who_is_struck_off_gets_no_seat():
    remaining = (enrolled(1).application,)
    ready.given(enrolled(1), STRUCK_OFF).when(ALLOCATE).then(replace(SEATED, applications=remaining))


def test_no_seats_when_everybody_was_struck_off():
    ready.given(STRUCK_OFF).when(ALLOCATE).refused(errors.RosterIsEmpty)


def test_the_centre_issues_the_task_notice():
    with_candidate.when(NOTICE).then(NOTICED)


def test_the_notice_says_how_many_stand_on_the_roster():
    with_candidate.given(enrolled(1), enrolled(2)).when(NOTICE).then(replace(NOTICED, approved=3))


def test_an_empty_roster_gets_no_notice():
    open_batch.when(NOTICE).refused(errors.RosterIsEmpty)


def test_an_unknown_batch_gets_no_notice():
    new.when(NOTICE).refused(errors.BatchUnknown)


def test_the_notice_is_issued_once():
    approved.when(NOTICE).refused(errors.NoticeAlreadyIssued)


@pytest.mark.parametrize("command", [NOTICE, SEAL])
def test_a_station_does_not_do_the_centres_part(command):
    elsewhere = replace(command.by, body=f"station-{STATION}")
    approved.when(replace(command, by=elsewhere)).refused(errors.NotTheCentre)


def test_the_centre_seals_the_pool():
    approved.when(SEAL).then(SEALED)


def test_the_order_in_which_papers_are_named_does_not_matter():
    approved.when(replace(SEAL, papers=PAPERS[::-1])).then(SEALED)


def test_the_pool_is_sealed_once():
    supplied.when(SEAL).refused(errors.PoolAlreadySealed)


@pytest.mark.parametrize("command", [SEAL, ASSIGN, ALLOCATE])
def test_nothing_is_carried_out_without_a_notice(command):
    with_candidate.when(command).refused(errors.NoticeMissing)


@pytest.mark.parametrize("command", [SEAL, ASSIGN, ALLOCATE])
def test_nothing_is_carried_out_for_an_unknown_batch(command):
    new.when(command).refused(errors.BatchUnknown)


def test_the_centre_assigns_an_examiner():
    approved.when(ASSIGN).then(assigned(0, "practical", head=True))


def test_a_station_cannot_assign_an_examiner():
    approved.when(replace(ASSIGN, by=OFFICER_IN_STATION)).refused(errors.StationCannotAssign)


def test_an_examiner_is_assigned_once_to_a_part():
    approved.given(assigned(0, "practical")).when(ASSIGN).refused(errors.ExaminerAlreadyAssigned)


def test_an_examiner_may_serve_in_both_parts():
    approved.given(assigned(0, "theory", head=True)).when(ASSIGN).then(assigned(0, "practical", head=True))


def test_a_part_has_one_head():
    approved.given(assigned(1, "practical", head=True)).when(ASSIGN).refused(errors.HeadAlreadyAssigned)


def test_the_panel_is_closed_once_the_seats_are_allocated():
    seated.when(replace(ASSIGN, examiner=EXAMINERS[4], head=False)).refused(errors.PanelIsClosed)


def test_the_station_allocates_the_seats():
    ready.when(ALLOCATE).then(SEATED)


def test_only_the_batchs_station_allocates_its_seats():
    ready.when(replace(ALLOCATE, by=replace(AFFAIRS, body="station-10012004"))).refused(OtherStation)


def test_no_seats_without_a_sealed_pool():
    approved.given(THEORY, *PRACTICAL).when(ALLOCATE).refused(errors.PoolNotSealed)


def test_no_seats_without_an_examiner_for_theory():
    supplied.given(*PRACTICAL).when(ALLOCATE).refused(errors.TheoryExaminerMissing)


@pytest.mark.parametrize(
    "panel",
    [
        (),
        PRACTICAL[:1],
        PRACTICAL[:2],
        (*PRACTICAL, assigned(4, "practical")),
        (assigned(4, "practical"), *PRACTICAL[1:]),
    ],
    ids=["nobody", "one", "two", "even", "no head"],
)
def test_no_seats_without_a_whole_practical_panel(panel):
    supplied.given(THEORY, *panel).when(ALLOCATE).refused(errors.PracticalPanelIncomplete)


def test_a_room_holds_thirty():
    crowd = ready.given(*(enrolled(number) for number in range(1, 31)))
    crowd.when(replace(ALLOCATE, rooms=("一号考场",))).refused(errors.RoomsTooFew)


def test_seats_are_allocated_once():
    seated.when(ALLOCATE).refused(errors.SeatsAlreadyAllocated)


def test_rooms_are_filled_one_after_the_other_in_an_order_that_anybody_can_recompute():
    roster = [enrolled(number).application for number in range(61)]
    order = chance.in_seat_order(reversed(roster), SEED)
    parts = {"一": order[:30], "二": order[30:60], "三": order[60:]}
    crowd = ready.given(*(enrolled(number) for number in range(1, 61)))
    crowd.when(replace(ALLOCATE, rooms=("一", "二", "三", "四"))).then(
        *(replace(SEATED, room=room, applications=part) for room, part in parts.items())
    )


def claims_after(*events):
    return batch.claims(batch.fold(Batch(), events))


def test_a_batch_without_seats_holds_no_room():
    assert claims_after(*ready.history) == frozenset()


def test_a_batch_holds_its_rooms_on_its_day():
    both = (SEATED, replace(SEATED, room="二号考场", applications=()))
    assert claims_after(*ready.history, *both) == {
        f"batch:{STATION}/2026-04-16/一号考场",
        f"batch:{STATION}/2026-04-16/二号考场",
    }


def test_a_batch_holds_its_rooms_on_both_of_its_days_as_china_counts_them():
    late = replace(
        APPLIED, theory_at="2026-04-15T15:59:59.999999Z", practical_at="2026-04-15T16:00:00.000000Z"
    )
    assert claims_after(late, SEATED) == {
        f"batch:{STATION}/2026-04-15/一号考场",
        f"batch:{STATION}/2026-04-16/一号考场",
    }


@pytest.mark.parametrize(
    "other",
    [
        {"station": "10012004"},
        {"theory_at": "2026-04-17T01:30:00.000000Z", "practical_at": "2026-04-17T06:00:00.000000Z"},
    ],
)
def test_the_same_room_at_another_station_or_on_another_day_is_another_claim(other):
    assert not claims_after(APPLIED, SEATED) & claims_after(replace(APPLIED, **other), SEATED)


def test_who_claims_the_same_room_hears_that_it_is_taken():
    assert batch.taken is errors.RoomTaken


def test_a_batch_is_closed_once_the_exam_has_ended_for_everybody_on_the_roster():  # R172
    seated.when(CLOSE).then(CLOSED)


def test_a_batch_in_which_somebody_has_yet_to_end_stays_open():  # R172
    seated.when(replace(CLOSE, ended=0)).refused(errors.SittingsNotEnded)
    seated.given(enrolled(1)).when(CLOSE).refused(errors.SittingsNotEnded)


def test_a_batch_that_was_not_carried_out_is_not_closed():
    new.when(CLOSE).refused(errors.BatchUnknown)
    with_candidate.when(CLOSE).refused(errors.NoticeMissing)
    ready.when(CLOSE).refused(errors.SeatsMissing)


def test_the_centre_closes_a_batch_and_nobody_else():
    seated.when(replace(CLOSE, by=OFFICER_IN_STATION)).refused(errors.NotTheCentre)


@pytest.mark.parametrize("command", [CLOSE, SEAL, ASSIGN, ALLOCATE])
def test_in_a_closed_batch_nothing_more_is_done(command):  # R172
    closed.when(command).refused(errors.BatchIsClosed)


def test_who_registers_for_a_closed_batch_finds_no_place_and_hears_why():
    late = replace(ENROL, application=derived_id("application", "late"))
    closed.when(late).then(
        EnrolmentRefused(
            batch=BATCH, application=late.application, candidate=late.candidate, code="BatchIsClosed"
        )
    )
