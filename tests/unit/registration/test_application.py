"""An application, from the counter to its conclusion."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.registration.domain.application import (
    Application,
    ConcludeApplication,
    IssueAdmissionTicket,
    PassCentreReview,
    PassStationReview,
    RejectAtCentre,
    RejectAtStation,
    SubmitApplication,
    WithdrawApplication,
    application,
)
from services.registration.domain.errors import (
    ApplicationAlreadyOpen,
    ApplicationExists,
    ApplicationUnknown,
    ConditionsNotMet,
    NotAwaitingThis,
    NotTheCentre,
    OtherStation,
    SecondPersonNeeded,
)
from shared.contracts.registration import (
    AdmissionTicketIssued,
    ApplicationConcluded,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    CandidateRegistered,
    CentreReviewPassed,
    CentreReviewRejected,
    StationReviewPassed,
    StationReviewRejected,
)
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.testing.scenario import scenario

NOW = datetime(2026, 4, 1, 1, 30, tzinfo=UTC)
STATION, WELDER = "10012003", "6-04-02-05"
ABOUT = {
    "application": derived_id("application"),
    "candidate": derived_id("candidate"),
    "batch": derived_id("batch"),
    "station": STATION,
}
APPLICATION = ABOUT["application"]
CLAIM = {
    "occupation": WELDER,
    "catalogue": "1999",
    "level": 4,
    "kind": "society",
    "held_level": 5,
    "years_in_trade": 2,
    "education": "none",
    "evidence": ("0f" * 32,),
}
SEAT = {
    "ticket": "ABCDEFGH23456789",
    "room": "一号考场",
    "seat": 7,
    "theory_at": "2026-04-16T01:30:00.000000Z",
    "practical_at": "2026-04-16T06:00:00.000000Z",
}

AFFAIRS = Actor(derived_id("affairs"), Role.EXAM_AFFAIRS, f"station-{STATION}")
FIRST = Actor(derived_id("first"), Role.STATION_REVIEWER, f"station-{STATION}")
SECOND = Actor(derived_id("second"), Role.CENTRE_REVIEWER, "centre")
SERVICE = Actor("registration", Role.SERVICE, "centre")
ELSEWHERE = "station-10012004"

SUBMIT = SubmitApplication(by=AFFAIRS, at=NOW, **ABOUT, **CLAIM)
PASS = PassStationReview(by=FIRST, at=NOW, application=APPLICATION)
REJECT = RejectAtStation(by=FIRST, at=NOW, application=APPLICATION, reason="证件不全")
PASS_AGAIN = PassCentreReview(by=SECOND, at=NOW, application=APPLICATION)
REJECT_AFTER_ALL = RejectAtCentre(by=SECOND, at=NOW, application=APPLICATION, reason="工龄不足")
ISSUE = IssueAdmissionTicket(by=SERVICE, at=NOW, application=APPLICATION, **SEAT)
WITHDRAW = WithdrawApplication(by=AFFAIRS, at=NOW, application=APPLICATION, reason="本人要求")
CONCLUDE = ConcludeApplication(by=SERVICE, at=NOW, application=APPLICATION, outcome="passed")

SUBMITTED = ApplicationSubmitted(**ABOUT, **CLAIM)
PASSED = StationReviewPassed(**ABOUT, reviewer=FIRST.id, rule_version="2018-1", clause="4.1")
REJECTED = StationReviewRejected(**ABOUT, reviewer=FIRST.id, reason="证件不全")
PASSED_AGAIN = CentreReviewPassed(**ABOUT, reviewer=SECOND.id, rule_version="2018-1", clause="4.1")
REJECTED_AFTER_ALL = CentreReviewRejected(**ABOUT, reviewer=SECOND.id, reason="工龄不足")
REGISTERED = CandidateRegistered(
    **ABOUT,
    occupation=WELDER,
    catalogue="1999",
    level=4,
    parts=("theory", "practical"),
    rule_version="2018-1",
)
TICKETED = AdmissionTicketIssued(**ABOUT, **SEAT)
WITHDRAWN = ApplicationWithdrawn(**ABOUT, reason="本人要求")
CONCLUDED = ApplicationConcluded(**ABOUT, outcome="passed")

new = scenario(application)
submitted = new.given(SUBMITTED)
passed = submitted.given(PASSED)
registered = passed.given(PASSED_AGAIN, REGISTERED)
ticketed = registered.given(TICKETED)
rejected = submitted.given(REJECTED)
rejected_after_all = passed.given(REJECTED_AFTER_ALL)
withdrawn = submitted.given(WITHDRAWN)
withdrawn_late = registered.given(WITHDRAWN)
concluded = ticketed.given(CONCLUDED)

OPEN = [submitted, passed, registered, ticketed]
CLOSED = [rejected, rejected_after_all, withdrawn, withdrawn_late, concluded]


@pytest.mark.parametrize(
    ("command", "role"),
    [
        (SubmitApplication, Role.EXAM_AFFAIRS),
        (PassStationReview, Role.STATION_REVIEWER),
        (RejectAtStation, Role.STATION_REVIEWER),
        (PassCentreReview, Role.CENTRE_REVIEWER),
        (RejectAtCentre, Role.CENTRE_REVIEWER),
        (IssueAdmissionTicket, Role.SERVICE),
        (WithdrawApplication, Role.EXAM_AFFAIRS),
        (ConcludeApplication, Role.SERVICE),
    ],
)
def test_each_step_belongs_to_one_role(command, role):
    assert application.roles[command] == {role}


def test_an_application_is_submitted():
    new.when(SUBMIT).then(SUBMITTED)


@pytest.mark.parametrize("history", OPEN + CLOSED)
def test_an_application_is_submitted_once(history):
    history.when(SUBMIT).refused(ApplicationExists)


def test_the_station_passes_it_by_a_branch_of_the_rules():
    submitted.when(PASS).then(PASSED)


def test_the_station_rejects_it_for_a_reason():
    submitted.when(REJECT).then(REJECTED)


def test_the_centre_passes_it_and_the_candidate_is_registered():
    passed.when(PASS_AGAIN).then(PASSED_AGAIN, REGISTERED)


def test_the_centre_rejects_it_for_a_reason():
    passed.when(REJECT_AFTER_ALL).then(REJECTED_AFTER_ALL)


@pytest.mark.parametrize("command", [PASS_AGAIN, REJECT_AFTER_ALL])
def test_the_second_review_is_another_persons(command):
    same_person = replace(SECOND, id=FIRST.id)
    passed.when(replace(command, by=same_person)).refused(SecondPersonNeeded)


@pytest.mark.parametrize(("history", "command"), [(submitted, PASS), (passed, PASS_AGAIN)])
def test_nobody_waives_the_conditions(history, command):
    unfit = replace(SUBMITTED, years_in_trade=1)
    scenario(application).given(unfit, *history.history[1:]).when(command).refused(ConditionsNotMet)


@pytest.mark.parametrize(("history", "command"), [(new, SUBMIT), (submitted, PASS), (submitted, REJECT)])
def test_another_station_has_no_say(history, command):
    history.when(replace(command, by=replace(command.by, body=ELSEWHERE))).refused(OtherStation)


def test_whoever_has_a_ticket_does_not_withdraw_but_stays_away():
    ticketed.when(WITHDRAW).refused(NotAwaitingThis)


@pytest.mark.parametrize("body", [ELSEWHERE, AFFAIRS.body])
@pytest.mark.parametrize("command", [PASS_AGAIN, REJECT_AFTER_ALL])
def test_the_second_review_is_the_centres(command, body):
    passed.when(replace(command, by=replace(command.by, body=body))).refused(NotTheCentre)


@pytest.mark.parametrize("history", OPEN[:-1])
def test_only_its_own_station_withdraws_it(history):
    history.when(replace(WITHDRAW, by=replace(AFFAIRS, body=ELSEWHERE))).refused(OtherStation)


@pytest.mark.parametrize("command", [PASS, REJECT, PASS_AGAIN, REJECT_AFTER_ALL, ISSUE])
def test_nothing_is_done_to_an_unknown_application(command):
    new.when(command).refused(ApplicationUnknown)


@pytest.mark.parametrize("command", [PASS, REJECT])
@pytest.mark.parametrize("history", [passed, registered, ticketed, *CLOSED])
def test_the_station_reviews_only_what_was_just_submitted(history, command):
    history.when(command).refused(NotAwaitingThis)


@pytest.mark.parametrize("command", [PASS_AGAIN, REJECT_AFTER_ALL])
@pytest.mark.parametrize("history", [submitted, registered, ticketed, *CLOSED])
def test_the_centre_reviews_only_what_the_station_passed(history, command):
    history.when(command).refused(NotAwaitingThis)


def test_a_registered_candidate_gets_a_ticket():
    registered.when(ISSUE).then(TICKETED)


@pytest.mark.parametrize("history", [submitted, passed, rejected, rejected_after_all])
def test_nobody_gets_a_ticket_without_being_registered(history):
    history.when(ISSUE).refused(NotAwaitingThis)


@pytest.mark.parametrize("ticket", [SEAT["ticket"], "23456789ABCDEFGH"])
def test_a_second_ticket_is_not_issued(ticket):
    ticketed.when(replace(ISSUE, ticket=ticket)).then_nothing()


@pytest.mark.parametrize("history", [withdrawn, withdrawn_late, ticketed.given(WITHDRAWN), concluded])
def test_a_seat_for_what_was_withdrawn_or_concluded_gets_no_ticket(history):
    history.when(ISSUE).then_nothing()


@pytest.mark.parametrize("history", OPEN[:-1])
def test_an_open_application_may_be_withdrawn(history):
    history.when(WITHDRAW).then(WITHDRAWN)


@pytest.mark.parametrize("history", [new, *CLOSED])
def test_only_an_open_application_may_be_withdrawn(history):
    history.when(WITHDRAW).refused(NotAwaitingThis)


@pytest.mark.parametrize("outcome", ["passed", "failed", "absent"])
def test_an_application_is_concluded(outcome):
    ticketed.when(replace(CONCLUDE, outcome=outcome)).then(replace(CONCLUDED, outcome=outcome))


@pytest.mark.parametrize("history", [new, *CLOSED])
def test_concluding_what_is_not_open_changes_nothing(history):
    history.when(CONCLUDE).then_nothing()


def claims_after(history):
    return application.claims(application.fold(Application(), history.history))


@pytest.mark.parametrize("history", OPEN)
def test_while_open_it_holds_person_trade_and_level(history):
    assert claims_after(history) == {f"application:{ABOUT['candidate']}/{WELDER}/4"}


@pytest.mark.parametrize("history", [new, *CLOSED])
def test_otherwise_it_holds_nothing(history):
    assert claims_after(history) == frozenset()


def test_who_claims_the_same_hears_of_the_open_application():
    assert application.taken is ApplicationAlreadyOpen
