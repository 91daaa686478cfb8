"""职责分离: nobody holds two duties that exclude each other in a batch, whoever commits first (R015, D3)."""

from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

import pytest

from services.registration.domain.application import PassCentreReview, PassStationReview, SubmitApplication
from services.registration.domain.errors import SecondPersonNeeded
from services.scheduling.domain.batch import (
    ApplyForBatch,
    AssignExaminer,
    EnrolCandidate,
    IssueTaskNotice,
    SealPaperPool,
)
from shared.contracts.scheduling import (
    AttemptRefused,
    ExaminerAssigned,
    PaperDrawn,
    PaperPoolSealed,
    SeatAssigned,
)
from shared.kernel.actors import Actor, Role
from shared.kernel.errors import DutyConflict, InvalidInput, RoleNotAllowed
from shared.kernel.ids import derived_id, new_id
from shared.runtime.chassis import read_actor
from shared.runtime.delivery import consumers
from shared.runtime.executor import Executor
from shared.store import inbox
from shared.store.inbox import Consumer
from shared.wire.canonical import canonical
from shared.wire.envelope import Undecodable, read
from tests.integration.store.office import (
    CLERK,
    DEADLINE,
    STATION,
    WELDER,
    Office,
    at_once,
    claim,
    somebody,
    until,
)
from tests.integration.store.source import Source

BATCH = derived_id("batch", "spring")
OFFICER = somebody("officer", Role.CENTRE_OFFICER)


def _centre(name: str) -> Actor:
    return somebody(name, Role.CENTRE_REVIEWER)


def _review(office: Office, name: str, application: str, **more: Any) -> Any:
    return office.run(PassCentreReview, _centre(name), application=application, **more)


def _attempts(office: Office) -> list[dict[str, Any]]:
    return [event for event in office.drafts() if event["type"] == "AttemptRefused"]


def test_who_reviewed_for_the_station_may_not_review_for_the_centre_in_the_same_batch(office: Office) -> None:
    office.submit_reviewed("Ling", "spring", "Gao")
    of_another = office.submit_reviewed("Hua", "spring", "Bai")
    before = office.count("events")
    with pytest.raises(DutyConflict):
        _review(office, "Gao", of_another)
    (attempt,) = _attempts(office)
    assert office.count("events") == before + 1
    assert attempt["data"] == {
        "attempt": attempt["data"]["attempt"],
        "command": "PassCentreReview",
        "code": "DutyConflict",
        "stream": f"application-{of_another}",
        "batch": BATCH,
    }
    assert (attempt["actor"], attempt["role"]) == (_centre("Gao").id, "centre_reviewer")


def test_in_another_batch_he_may(office: Office) -> None:
    office.submit_reviewed("Ling", "spring", "Gao")
    in_autumn = office.submit_reviewed("Hua", "autumn", "Bai")
    assert _review(office, "Gao", in_autumn)["version"] == 4
    assert _attempts(office) == []


def test_the_same_duty_again_is_no_conflict_even_after_a_restart(office: Office) -> None:
    office.submit_reviewed("Ling", "spring", "Gao")
    application = office.submit("Hua", "spring")
    restarted = Executor(office.definition, office.source)
    reviewer = somebody("Gao", Role.STATION_REVIEWER)
    office.run(PassStationReview, reviewer, executor=restarted, application=application)
    office.run(PassStationReview, reviewer, executor=restarted, application=office.submit("Ming", "spring"))


def test_a_refused_attempt_that_is_repeated_stays_one_fact_and_stays_refused(office: Office) -> None:
    office.submit_reviewed("Ling", "spring", "Gao")
    application, id = office.submit_reviewed("Hua", "spring", "Bai"), new_id()
    outcomes = at_once(
        partial(_refused, partial(_review, office, "Gao", application, id=id, connection=office.connect()))
        for _ in range(8)
    )
    assert outcomes == ["DutyConflict"] * 8
    assert len(_attempts(office)) == 1
    assert _refused(partial(_review, office, "Gao", application)) == "DutyConflict"
    assert len(_attempts(office)) == 2, "another command is another attempt"


def _refused(work: Callable[[], object]) -> str:
    with pytest.raises(Exception, match=r".") as refusal:
        work()
    return type(refusal.value).__name__


def test_of_two_duties_taken_at_once_exactly_one_wins(office: Office) -> None:
    for round in range(8):
        batch, name = f"batch {round}", f"reviewer {round}"
        new, reviewed = (
            office.submit(f"new {round}", batch),
            office.submit_reviewed(f"old {round}", batch, "Bai"),
        )
        tries = [
            (PassStationReview, somebody(name, Role.STATION_REVIEWER), new),
            (PassCentreReview, _centre(name), reviewed),
        ]
        outcomes = at_once(
            partial(
                office.run,
                command,
                by,
                connection=office.connect(),
                executor=Executor(office.definition, office.source),
                application=application,
            )
            for command, by, application in tries
        )
        assert sorted(type(each).__name__ for each in outcomes) == ["DutyConflict", "dict"]
    assert len(_attempts(office)) == 8


def test_a_duty_that_another_transaction_is_just_taking_is_waited_for_and_then_seen(office: Office) -> None:
    new, reviewed = office.submit("Ling", "spring"), office.submit_reviewed("Hua", "spring", "Bai")
    first, second, taken = office.connect(), office.connect(), Event()

    def take_and_hold() -> None:
        with first.transaction():
            by = somebody("Gao", Role.STATION_REVIEWER)
            office.run(PassStationReview, by, connection=first, application=new)
            taken.set()
            until(lambda: office.waits_for_a_lock(second))

    def come_second() -> None:
        assert taken.wait(DEADLINE)
        restarted = Executor(office.definition, office.source)
        _review(office, "Gao", reviewed, connection=second, executor=restarted)

    assert [type(each).__name__ for each in at_once([take_and_hold, come_second])] == [
        "NoneType",
        "DutyConflict",
    ]
    assert len(_attempts(office)) == 1


def test_a_duty_that_was_rolled_back_was_never_held(office: Office) -> None:
    new, reviewed = office.submit("Ling", "spring"), office.submit_reviewed("Hua", "spring", "Bai")
    doomed = office.connect()
    with doomed.transaction(force_rollback=True):
        by = somebody("Gao", Role.STATION_REVIEWER)
        restarted = Executor(office.definition, office.source)
        office.run(PassStationReview, by, connection=doomed, executor=restarted, application=new)
    _review(office, "Gao", reviewed)


def test_a_role_without_the_right_is_refused_and_the_attempt_names_the_batch_where_it_is_known(
    office: Office,
) -> None:
    intruder = somebody("Gao", Role.STATION_REVIEWER)
    with pytest.raises(RoleNotAllowed):
        office.run(SubmitApplication, intruder, **claim("Ling", "spring"))
    application = office.submit("Ling", "spring")
    with pytest.raises(RoleNotAllowed):
        office.run(PassStationReview, CLERK, application=application)
    assert [
        (a["data"]["command"], a["data"]["code"], a["data"]["batch"]) for a in _sorted(_attempts(office))
    ] == [
        ("PassStationReview", "RoleNotAllowed", BATCH),
        ("SubmitApplication", "RoleNotAllowed", BATCH),
    ]
    assert office.count("duties") == 0


def _sorted(attempts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(attempts, key=lambda attempt: str(attempt["data"]["command"]))


@pytest.mark.parametrize("role", ["emperor", "", "service", "EXAMINER"])
def test_a_role_that_does_not_exist_or_is_no_persons_is_refused_at_the_door(role: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_actor({"actor": "somebody", "role": role, "body": "centre"})
    assert refusal.value.field == "role"


def _batch_with_notice(scheduling: Office) -> None:
    day, service = "2126-05-01T01:00:00.000000Z", Actor("scheduling", Role.SERVICE, "centre")
    trade = {"station": STATION, "occupation": WELDER, "catalogue": "1999"}
    director = somebody("director", Role.STATION_DIRECTOR)
    scheduling.run(
        ApplyForBatch,
        director,
        batch=BATCH,
        levels=(4,),
        planned=30,
        theory_at=day,
        practical_at=day,
        **trade,
    )
    candidate = {"application": derived_id("application"), "candidate": derived_id("candidate")}
    scheduling.run(EnrolCandidate, service, batch=BATCH, level=4, **candidate, **trade)
    scheduling.run(IssueTaskNotice, OFFICER, batch=BATCH, notice="2126-001")


def _assign(scheduling: Office, name: str) -> Any:
    examiner = somebody(name, Role.EXAMINER).id
    return scheduling.run(AssignExaminer, OFFICER, batch=BATCH, examiner=examiner, part="theory", head=False)


def test_a_duty_that_an_event_gives_somebody_counts_as_held(scheduling: Office) -> None:
    _batch_with_notice(scheduling)
    _assign(scheduling, "Shi")
    held = scheduling.admin.execute(
        "SELECT DISTINCT role FROM duties WHERE batch = %s AND actor = %s",
        (BATCH, somebody("Shi", Role.EXAMINER).id),
    ).fetchall()
    assert held == [("examiner",)]


def test_a_person_is_refused_a_duty_that_excludes_what_he_did_himself(scheduling: Office) -> None:
    _batch_with_notice(scheduling)
    with pytest.raises(DutyConflict):
        _assign(scheduling, "director")
    (attempt,) = _attempts(scheduling)
    assert (attempt["data"]["batch"], attempt["actor"]) == (BATCH, OFFICER.id)


def _seal_papers(scheduling: Office, name: str) -> Any:
    custodian = Actor(somebody(name, Role.PAPER_CUSTODIAN).id, Role.PAPER_CUSTODIAN, "centre")
    return scheduling.run(SealPaperPool, custodian, batch=BATCH, papers=(derived_id("paper"),))


def test_who_has_sealed_the_papers_is_no_examiner_of_the_batch(scheduling: Office) -> None:
    _batch_with_notice(scheduling)
    _seal_papers(scheduling, "Tan")
    with pytest.raises(DutyConflict):
        _assign(scheduling, "Tan")
    _assign(scheduling, "Shi")


def test_an_examiner_of_the_batch_does_not_seal_its_papers(scheduling: Office) -> None:
    _batch_with_notice(scheduling)
    _assign(scheduling, "Shi")
    with pytest.raises(DutyConflict):
        _seal_papers(scheduling, "Shi")
    _seal_papers(scheduling, "Tan")


def test_the_papers_are_the_custodians_and_not_the_officers_to_seal(scheduling: Office) -> None:
    _batch_with_notice(scheduling)
    with pytest.raises(RoleNotAllowed):
        scheduling.run(SealPaperPool, OFFICER, batch=BATCH, papers=(derived_id("paper"),))


def test_who_has_sealed_the_papers_has_that_duty_everywhere(office: Office) -> None:
    elsewhere = Source("scheduling")
    papers = PaperPoolSealed(batch=BATCH, papers=(derived_id("paper"),), pool_digest="0f" * 32)
    custodian = somebody("Tan", Role.PAPER_CUSTODIAN)
    elsewhere.say(papers, custodian)
    _hear(office, elsewhere)
    held = office.admin.execute("SELECT exclusion FROM duties WHERE actor = %s", (custodian.id,)).fetchall()
    assert {exclusion for (exclusion,) in held} == {
        "certificate_processor|paper_custodian",
        "examiner|paper_custodian",
        "paper_custodian|supervisor",
    }


def _consumer(office: Office, name: str) -> Consumer:
    everybody = consumers(office.definition, office.executor, "centre")
    return next(each for each in everybody if each.name == name)


def _hear(office: Office, elsewhere: Source) -> None:
    inbox.apply(office.connection, _consumer(office, "duties"), elsewhere.name, elsewhere.events())


def _examiner_assigned(name: str) -> ExaminerAssigned:
    return ExaminerAssigned(
        batch=BATCH, station=STATION, examiner=somebody(name, Role.EXAMINER).id, part="theory", head=False
    )


def test_duties_that_other_services_events_show_count_here(office: Office) -> None:
    elsewhere = Source("scheduling")
    elsewhere.say(_examiner_assigned("Shi"), OFFICER)
    elsewhere.say(_paper_drawn(), somebody("Tang", Role.EXAMINER))
    _hear(office, elsewhere)
    application = office.submit_reviewed("Ling", "spring", "Bai")
    for name in ("Shi", "Tang"):
        with pytest.raises(DutyConflict):
            _review(office, name, application)
    _review(office, "Meng", application)


def _paper_drawn() -> PaperDrawn:
    return PaperDrawn(
        application=derived_id("application"),
        candidate=derived_id("candidate"),
        batch=BATCH,
        station=STATION,
        room="room-1",
        blind_code="B-2345678923",
        paper=derived_id("paper"),
        pool_digest="0f" * 32,
        lot="7",
        algorithm="a1",
        witness="witness",
    )


def test_an_event_that_no_policy_can_take_shows_its_duties_all_the_same(office: Office) -> None:
    elsewhere = Source("scheduling")
    elsewhere.say(_seat_of_nobody(), somebody("Shi", Role.EXAMINER))
    inbox.apply(office.connection, _consumer(office, "policies"), elsewhere.name, elsewhere.events())
    assert office.count("parked") == 1
    _hear(office, elsewhere)
    with pytest.raises(DutyConflict):
        _review(office, "Shi", office.submit_reviewed("Ling", "spring", "Bai"))


def _seat_of_nobody() -> SeatAssigned:
    return SeatAssigned(
        application=derived_id("nobody"),
        candidate=derived_id("candidate"),
        batch=BATCH,
        station=STATION,
        room="room-1",
        seat=1,
        theory_at="2026-04-16T01:30:00.000000Z",
        practical_at="2026-04-16T06:00:00.000000Z",
        papers=(derived_id("paper"),),
        pool_digest="0f" * 32,
    )


def test_a_refused_attempt_elsewhere_shows_no_duty(office: Office) -> None:
    elsewhere = Source("scheduling")
    refused = AttemptRefused(
        attempt=new_id(), command="AllocateSeats", code="RoleNotAllowed", stream=f"batch-{BATCH}", batch=BATCH
    )
    elsewhere.say(refused, somebody("Shi", Role.EXAMINER))
    _hear(office, elsewhere)
    assert office.count("duties") == 0
    _review(office, "Shi", office.submit_reviewed("Ling", "spring", "Bai"))


def test_of_two_duties_that_events_show_the_first_is_kept(office: Office) -> None:
    elsewhere = Source("scheduling")
    elsewhere.say(_examiner_assigned("Shi"), OFFICER)
    elsewhere.say(_paper_drawn(), Actor(somebody("Shi", Role.EXAMINER).id, Role.SUPERVISOR, "centre"))
    for _ in range(2):
        _hear(office, elsewhere)
    excluded = office.admin.execute(
        "SELECT role FROM duties WHERE exclusion = 'examiner|supervisor'"
    ).fetchall()
    assert excluded == [("examiner",)]


def test_an_event_by_a_role_that_this_program_does_not_know_is_not_taken_for_one_without_a_duty() -> None:
    elsewhere = Source("scheduling")
    elsewhere.say(_paper_drawn(), OFFICER)
    attributes = read(elsewhere.bodies[0]).attributes
    with pytest.raises(Undecodable, match="role"):
        read(canonical({**attributes, "role": "astrologer"}))


def test_one_person_at_both_reviews_of_one_application_is_refused_and_recorded(office: Office) -> None:
    application = office.submit_reviewed("Ling", "spring", "Gao")
    with pytest.raises(SecondPersonNeeded):
        _review(office, "Gao", application)
    (attempt,) = _attempts(office)
    assert attempt["actor"] == _centre("Gao").id
    assert (attempt["data"]["command"], attempt["data"]["code"]) == ("PassCentreReview", "SecondPersonNeeded")
    assert attempt["data"]["batch"] == BATCH
