"""The life of batches, in any order and by anybody: whatever is tried, what must never happen does not.

The machine plays the four deciding services in memory. Some of its steps do what should come next, by the
right people; the others try any command with any people, and deliver events to one service before another.
What must hold is written against the events alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from services.certification.domain.book import book
from services.certification.domain.dossier import ApproveCertificate, dossier
from services.certification.policies import policies as certification_policies
from services.registration.domain.application import (
    PassCentreReview,
    PassStationReview,
    RejectAtCentre,
    RejectAtStation,
    SubmitApplication,
    WithdrawApplication,
    application,
)
from services.registration.policies import policies as registration_policies
from services.scheduling.domain.batch import (
    AllocateSeats,
    ApplyForBatch,
    AssignExaminer,
    CloseBatch,
    IssueTaskNotice,
    SealPaperPool,
    batch,
)
from services.scheduling.domain.sitting import CheckIn, DrawPaper, MarkAbsent, sitting
from services.scheduling.policies import policies as scheduling_policies
from services.scoring.domain.panel import panel
from services.scoring.domain.result import PublishResult, ReviewScores, result
from services.scoring.domain.sheet import ApproveCorrection, ProposeCorrection, SubmitScore, sheet
from services.scoring.policies import policies as scoring_policies
from shared.contracts import certification as certified
from shared.contracts import registration as registered
from shared.contracts import scheduling as scheduled
from shared.contracts import scoring as scored
from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Command
from shared.kernel.clock import stamp
from shared.kernel.errors import Refusal
from shared.kernel.events import Event
from shared.testing.world import Said, Service, World

OURS, THEIRS = "10012003", "10012004"
BODIES = ("centre", f"station-{OURS}", f"station-{THEIRS}")
BATCHES = ("spring", "autumn")
PEOPLE = ("an", "bo", "chen")
APPLICATIONS = tuple(f"{person}-{term}-{go}" for person in PEOPLE for term in BATCHES for go in (1, 2))
PAPERS = ("paper-1", "paper-2", "paper-3")
THEORY = datetime(2026, 6, 1, 1, tzinfo=UTC)
PRACTICAL = THEORY + timedelta(hours=5)
BEFORE, DRAWING, AFTER = (
    THEORY - timedelta(days=30),
    PRACTICAL - timedelta(minutes=20),
    PRACTICAL + timedelta(days=5),
)
AT_THE_STATION = (
    Role.EXAM_AFFAIRS,
    Role.STATION_REVIEWER,
    Role.STATION_DIRECTOR,
    Role.INVIGILATOR,
    Role.TRAINER,
)

seen: Counter[str] = Counter()


def right(role: Role, number: int = 1) -> Actor:
    """Who should do it."""
    return Actor(f"{role}-{number}", role, BODIES[1] if role in AT_THE_STATION else "centre")


STAFF = tuple(
    right(role, number)
    for role, number in [
        *((role, 1) for role in Role if role is not Role.SERVICE),
        *((Role.EXAMINER, n) for n in (2, 3, 4)),
    ]
)
anybody = st.sampled_from(STAFF) | st.builds(
    Actor,
    id=st.sampled_from([each.id for each in STAFF]),
    role=st.sampled_from(list(Role)),
    body=st.sampled_from(BODIES),
)
moments = st.sampled_from([BEFORE, DRAWING, AFTER, AFTER.replace(year=2027)])
points = st.sampled_from([0, 59, 60, 100]) | st.integers(0, 100)
OCCUPATION = dict(zip(BATCHES, ("化工分析工", "水处理工"), strict=True))
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "application": st.sampled_from(APPLICATIONS),
    "result": st.sampled_from(APPLICATIONS),
    "sitting": st.sampled_from(APPLICATIONS),
    "dossier": st.sampled_from(APPLICATIONS),
    "candidate": st.sampled_from(PEOPLE),
    "batch": st.sampled_from((*BATCHES, "unheard-of")),
    "station": st.sampled_from([OURS, OURS, THEIRS]),
    "occupation": st.sampled_from(list(OCCUPATION.values())),
    "catalogue": st.just("1999"),
    "level": st.sampled_from([3, 4]),
    "levels": st.sampled_from([(4,), (3, 4)]),
    "kind": st.just("student"),
    "held_level": st.sampled_from([0, 4]),
    "years_in_trade": st.sampled_from([0, 4]),
    "education": st.sampled_from(["none", "vocational_school"]),
    "evidence": st.just(("0" * 64,)),
    "reason": st.just("理由"),
    "planned": st.sampled_from([1, 3, 30]),
    "theory_at": st.just(stamp(THEORY)),
    "practical_at": st.just(stamp(PRACTICAL)),
    "notice": st.sampled_from(["鉴通-1", "鉴通-2"]),
    "papers": st.sampled_from([PAPERS, PAPERS[:1]]),
    "examiner": st.sampled_from([each.id for each in STAFF]),
    "part": st.sampled_from(["theory", "practical"]),
    "head": st.booleans(),
    "ended": st.sampled_from([0, 3]),
    "rooms": st.sampled_from([("1",), ("1", "2")]),
    "seed": st.text("0123456789abcdef", min_size=4, max_size=4),
    "lot": st.text("0123456789abcdef", min_size=4, max_size=4),
    "document_checked": st.just(True),
    "photo_matches": st.sampled_from([True, True, False]),
    "score": points,
    "new": points,
    "sheet_digest": st.just("0" * 64),
    "signature": st.just(""),
    "public_key": st.just(""),
}
COMMANDS: tuple[tuple[str, type[Command]], ...] = (
    ("registration", SubmitApplication),
    ("registration", PassStationReview),
    ("registration", RejectAtStation),
    ("registration", PassCentreReview),
    ("registration", RejectAtCentre),
    ("registration", WithdrawApplication),
    ("scheduling", ApplyForBatch),
    ("scheduling", IssueTaskNotice),
    ("scheduling", SealPaperPool),
    ("scheduling", AssignExaminer),
    ("scheduling", AllocateSeats),
    ("scheduling", CloseBatch),
    ("scheduling", CheckIn),
    ("scheduling", MarkAbsent),
    ("scheduling", DrawPaper),
    ("scoring", SubmitScore),
    ("scoring", ProposeCorrection),
    ("scoring", ApproveCorrection),
    ("scoring", ReviewScores),
    ("scoring", PublishResult),
    ("certification", ApproveCertificate),
)


def new_world() -> World:
    return World(
        Service("registration", (application,), registration_policies),
        Service("scheduling", (batch, sitting), scheduling_policies),
        Service("scoring", (panel, sheet, result), scoring_policies),
        Service("certification", (dossier, book), certification_policies),
    )


class BatchLife(RuleBasedStateMachine):
    """Right steps, wrong steps, and deliveries."""

    def __init__(self) -> None:
        super().__init__()
        self.world = new_world()
        self.instead = ""  # somebody who does everybody's work
        self.away = ("", "")  # who hears nothing of whom

    @rule(one=st.sampled_from(APPLICATIONS), steps=st.integers(3, 12), seed=st.integers(0, 9), score=points)
    def go_on_as_one_should(self, one: str, steps: int, seed: int, score: int) -> None:
        for _ in range(steps):
            self._next(one, seed, score)

    @rule(
        one=st.sampled_from(APPLICATIONS),
        score=points,
        source=st.sampled_from(["registration", "scheduling", "scoring"]),
        heard=st.integers(0, 30),
    )
    def certification_has_heard_only_a_part(self, one: str, score: int, source: str, heard: int) -> None:
        self.away = ("certification", source)
        for _ in range(12):
            self._next(one, seed=score % 2, score=score)
        for _ in range(heard):
            self.world.deliver(*self.away)
        self.away = ("", "")
        processor = self._right(Role.CERTIFICATE_PROCESSOR)
        self._ask("certification", ApproveCertificate, processor, AFTER, dossier=one)

    @rule(one=st.sampled_from(APPLICATIONS), steps=st.integers(1, 3), who=st.sampled_from(STAFF))
    def one_person_does_it_all(self, one: str, steps: int, who: Actor) -> None:
        self.instead = who.id
        for _ in range(steps):
            self._next(one, seed=2, score=50)
        self.instead = ""

    @rule(data=st.data(), what=st.sampled_from(COMMANDS), by=anybody, at=moments)
    def try_anything(
        self, data: st.DataObject, what: tuple[str, type[Command]], by: Actor, at: datetime
    ) -> None:
        self._ask(*what, by, at, **{name: self._draw(data, name) for name in _said(what[1])})

    @rule(data=st.data(), what=st.sampled_from(COMMANDS), at=moments)
    def try_anything_with_the_right_person(
        self, data: st.DataObject, what: tuple[str, type[Command]], at: datetime
    ) -> None:
        service, command = what
        aggregate = self.world.services[service].aggregate(command)
        (role,) = aggregate.roles[command]
        by = data.draw(st.sampled_from([each for each in STAFF if each.role is role]))
        self._ask(service, command, by, at, **{name: self._draw(data, name) for name in _said(command)})

    @rule(one=st.sampled_from(APPLICATIONS))
    def somebody_withdraws(self, one: str) -> None:
        clerk = right(Role.EXAM_AFFAIRS)
        self._ask("registration", WithdrawApplication, clerk, BEFORE, application=one, reason="本人放弃")

    @rule(one=st.sampled_from(APPLICATIONS), steps=st.sampled_from([0, 4, 5]))
    def somebody_does_not_come(self, one: str, steps: int) -> None:
        for _ in range(steps):
            self._next(one, seed=1, score=60)
        self._ask("scheduling", MarkAbsent, right(Role.INVIGILATOR), THEORY, sitting=one)

    @rule(data=st.data(), count=st.integers(1, 8))
    def some_events_arrive(self, data: st.DataObject, count: int) -> None:
        names = st.sampled_from(list(self.world.services))
        consumer, source = data.draw(names), data.draw(names)
        for _ in range(count):
            self.world.deliver(consumer, source)

    @rule()
    def everything_arrives(self) -> None:
        self.world.drain()

    def teardown(self) -> None:
        self.world.drain()
        self.everybody_registered_is_on_a_roster_or_told_why_not()
        seen.update(type(said.event).__name__ for said in self.world.said)

    # -- what must hold

    def everybody_registered_is_on_a_roster_or_told_why_not(self) -> None:
        wanted = [said.event.application for said in self._all(registered.CandidateRegistered)]
        enrolled = [said.event.application for said in self._all(scheduled.CandidateEnrolled)]
        refused = [said.event.application for said in self._all(scheduled.EnrolmentRefused)]
        assert sorted(enrolled + refused) == sorted(wanted)
        ways_out = self._all(registered.ApplicationConcluded, registered.ApplicationWithdrawn)
        assert {said.event.application for said in ways_out} >= set(refused)

    @invariant()
    def a_certificate_has_the_whole_chain_behind_it(self) -> None:
        for said in self._all(certified.CertificateApproved):
            self._check_chain(said)
        approved = {said.event.application for said in self._all(certified.CertificateApproved)}
        assert {said.event.application for said in self._all(certified.CertificateIssued)} <= approved

    def _check_chain(self, approved: Said) -> None:
        dossier_log = [
            said for said in self.world.services["certification"].log if said.stream == approved.stream
        ]
        filed = {}
        for said in dossier_log[: dossier_log.index(approved)]:
            if isinstance(said.event, certified.EvidenceFiled):
                filed[said.event.link] = said.event
        by_id = {said.id: said for said in self.world.said}
        chain = {link: by_id[event.evidence] for link, event in filed.items()}
        assert {link: type(said.event).__name__ for link, said in chain.items()} == {
            "registered": "CandidateRegistered",
            "ticketed": "AdmissionTicketIssued",
            "checked_in": "CandidateCheckedIn",
            "drawn": "PaperDrawn",
            "scored": "ScoresCombined",
            "published": "ResultPublished",
        }
        assert {said.event.application for said in chain.values()} == {approved.event.application}
        assert chain["published"].event.passed
        scores = [
            (event.theory, event.practical) for event in (chain["scored"].event, chain["published"].event)
        ]
        assert scores[0] == scores[1]
        lines = sorted(f"{link} {said.id} {said.hash}" for link, said in chain.items())
        assert approved.event.evidence_digest == sha256("\n".join(lines).encode()).hexdigest()

    @invariant()
    def certificate_numbers_have_no_gap_and_none_is_used_twice(self) -> None:
        books = defaultdict(list)
        for said in self._all(certified.CertificateNumberAllocated):
            books[said.event.book].append(said.event.serial)
        assert all(serials == list(range(1, len(serials) + 1)) for serials in books.values())
        allocated = {
            said.event.number: said.event.application
            for said in self._all(certified.CertificateNumberAllocated)
        }
        issued = [
            (said.event.number, said.event.application) for said in self._all(certified.CertificateIssued)
        ]
        assert len(allocated) == sum(map(len, books.values())) == len(set(allocated.values()))
        assert len({number for number, _ in issued}) == len({one for _, one in issued}) == len(issued)
        assert all(allocated[number] == one for number, one in issued)

    @invariant()
    def a_person_has_one_open_application_for_a_trade_and_level(self) -> None:
        open_: dict[str, tuple[str, str, int]] = {}
        closing = (
            registered.StationReviewRejected,
            registered.CentreReviewRejected,
            registered.ApplicationWithdrawn,
            registered.ApplicationConcluded,
        )
        for said in self.world.services["registration"].log:
            event = said.event
            if isinstance(event, registered.ApplicationSubmitted):
                wanted = (event.candidate, event.occupation, event.level)
                assert wanted not in open_.values()
                open_[event.application] = wanted
            elif isinstance(event, closing):
                open_.pop(event.application, None)

    @invariant()
    def nobody_gets_a_seat_before_the_centre_gave_notice(self) -> None:
        noticed, seated, assigned = set(), set(), set()
        for said in self.world.services["scheduling"].log:
            event = said.event
            if isinstance(event, scheduled.TaskNoticeIssued):
                assert said.by.body == "centre"
                noticed.add(event.batch)
            elif isinstance(event, scheduled.SeatsAllocated):
                assert event.batch in noticed
                assert seated.isdisjoint(event.applications)
                seated.update(event.applications)
            elif isinstance(event, scheduled.SeatAssigned):
                assert event.application in seated - assigned
                assigned.add(event.application)
        tickets = [said.event.application for said in self._all(registered.AdmissionTicketIssued)]
        assert len(set(tickets)) == len(tickets)
        assert set(tickets) <= assigned & {
            said.event.application for said in self._all(registered.CentreReviewPassed)
        }

    @invariant()
    def only_an_assigned_examiner_scores_and_each_sheet_once(self) -> None:
        sent = {
            (said.event.batch, said.event.part, said.event.examiner)
            for said in self._all(scheduled.ExaminerAssigned)
            if said.by.body == "centre"
        }
        scores = list(self._all(scored.ScoreSubmitted))
        assert {(said.event.batch, said.event.part, said.by.id) for said in scores} <= sent
        assert len({said.event.sheet for said in scores}) == len(scores)

    @invariant()
    def nobody_reviews_his_own_work(self) -> None:
        first = {said.event.application: said.by.id for said in self._all(registered.StationReviewPassed)}
        for said in self._all(registered.CentreReviewPassed, registered.CentreReviewRejected):
            assert said.by.id != first[said.event.application]
        scorers = {(said.event.batch, said.by.id) for said in self._all(scored.ScoreSubmitted)}
        reviewers = {(said.event.batch, said.by.id) for said in self._all(scored.ScoresReviewed)}
        assert scorers.isdisjoint(reviewers)

    @invariant()
    def what_is_published_follows_the_pass_rule(self) -> None:
        marks: dict[str, dict[str, int]] = defaultdict(dict)
        reviewed = set()
        for said in self.world.services["scoring"].log:
            event = said.event
            if isinstance(event, scored.PartScored):
                marks[event.application][event.part] = event.score
                reviewed.discard(event.application)
            elif isinstance(event, scored.ScoresReviewed):
                reviewed.add(event.application)
            elif isinstance(event, scored.ResultPublished):
                assert event.application in reviewed
                assert marks[event.application] == {"theory": event.theory, "practical": event.practical}
                assert event.passed == (event.theory >= 60 and event.practical >= 60)

    @invariant()
    def a_score_changes_only_with_two_people(self) -> None:
        present: dict[str, int] = {}
        proposed: dict[str, tuple[str, int]] = {}
        for said in self.world.services["scoring"].log:
            event = said.event
            if isinstance(event, scored.ScoreSubmitted):
                present[event.sheet] = event.score
            elif isinstance(event, scored.CorrectionProposed):
                proposed[event.sheet] = said.by.id, event.new
            elif isinstance(event, scored.ScoreCorrected):
                assert (event.proposer, event.new) == proposed.pop(event.sheet)
                assert event.approver == said.by.id != event.proposer
                assert event.old == present[event.sheet]
                present[event.sheet] = event.new

    @invariant()
    def no_reaction_is_left_undone(self) -> None:
        assert not any(service.parked for service in self.world.services.values())

    # -- how it moves

    def _all(self, *types: type[Event]) -> Iterator[Said]:
        return (said for said in self.world.said if isinstance(said.event, types))

    def _right(self, role: Role) -> Actor:
        return replace(right(role), id=self.instead) if self.instead else right(role)

    def _ask(self, service: str, command: type[Command], by: Actor, at: datetime, **said: Any) -> None:
        us = self.world.services[service]
        size = len(us.log)
        try:
            us.ask(command(**said, by=by, at=at))
        except Refusal as refusal:
            seen[f"refused {refusal.code}"] += 1
            assert len(us.log) == size

    def _draw(self, data: st.DataObject, name: str) -> Any:
        if name == "sheet":
            return data.draw(st.sampled_from([*self._sheets(), "B-UNKNOWN-theory"]))
        if name == "ticket":
            return data.draw(st.sampled_from([*self._tickets(), "no ticket"]))
        if name == "blind_code":
            return f"B-{len(self.world.services['scheduling'].log)}"
        return data.draw(FIELDS[name])

    def _sheets(self) -> Iterable[str]:
        return [said.event.sheet for said in self._all(scored.SheetOpened)]

    def _tickets(self) -> Iterable[str]:
        return [said.event.ticket for said in self._all(registered.AdmissionTicketIssued)]

    def _next(self, one: str, seed: int, score: int) -> None:
        """The next right step of one application, or nothing where its way has ended."""
        person, term, _ = one.split("-")
        services = self.world.services
        its_batch = services["scheduling"].state(batch, term)
        if its_batch.applied is None:
            self._apply(term)
        status = services["registration"].state(application, one).status
        if status == "new":
            self._submit(one, person, term)
        elif status == "submitted":
            self._ask(
                "registration", PassStationReview, self._right(Role.STATION_REVIEWER), BEFORE, application=one
            )
        elif status == "station_passed":
            self._ask(
                "registration", PassCentreReview, self._right(Role.CENTRE_REVIEWER), BEFORE, application=one
            )
        elif not its_batch.rooms:
            self._prepare(term, seed)
        else:
            self._sit(one, seed, score)
        self.world.drain(self.away)

    def _apply(self, term: str) -> None:
        self._ask(
            "scheduling",
            ApplyForBatch,
            self._right(Role.STATION_DIRECTOR),
            BEFORE,
            batch=term,
            station=OURS,
            occupation=OCCUPATION[term],
            catalogue="1999",
            levels=(4,),
            planned=30,
            theory_at=stamp(THEORY),
            practical_at=stamp(PRACTICAL),
        )

    def _submit(self, one: str, person: str, term: str) -> None:
        self._ask(
            "registration",
            SubmitApplication,
            self._right(Role.EXAM_AFFAIRS),
            BEFORE,
            application=one,
            candidate=person,
            batch=term,
            station=OURS,
            occupation=OCCUPATION[term],
            catalogue="1999",
            level=4,
            kind="student",
            held_level=0,
            years_in_trade=0,
            education="vocational_school",
            evidence=("0" * 64,),
        )

    def _prepare(self, term: str, seed: int) -> None:
        officer = self._right(Role.CENTRE_OFFICER)
        self._ask("scheduling", IssueTaskNotice, officer, BEFORE, batch=term, notice="鉴通-1")
        custodian = self._right(Role.PAPER_CUSTODIAN)
        self._ask("scheduling", SealPaperPool, custodian, BEFORE, batch=term, papers=PAPERS)
        for number, part in enumerate(("theory", "practical", "practical", "practical"), start=1):
            examiner = right(Role.EXAMINER, number).id
            post = {"examiner": examiner, "part": part, "head": number <= 2}
            self._ask("scheduling", AssignExaminer, officer, BEFORE, batch=term, **post)
        clerk, rooms = self._right(Role.EXAM_AFFAIRS), (f"room of {term}",)
        self._ask("scheduling", AllocateSeats, clerk, BEFORE, batch=term, rooms=rooms, seed=str(seed))

    def _sit(self, one: str, seed: int, score: int) -> None:
        place = self.world.services["scheduling"].state(sitting, one)
        invigilator = self._right(Role.INVIGILATOR)
        if place.status == "ticketed":
            seen_at_the_door = {"ticket": place.ticket, "document_checked": True, "photo_matches": True}
            code = f"B-{len(self.world.services['scheduling'].log)}"
            self._ask(
                "scheduling", CheckIn, invigilator, THEORY, sitting=one, blind_code=code, **seen_at_the_door
            )
        elif place.status == "checked_in":
            self._ask("scheduling", DrawPaper, invigilator, DRAWING, sitting=one, lot=str(seed))
        elif place.status == "drawn":
            self._score(one, place.blind_code, seed, score)

    def _score(self, one: str, code: str, seed: int, score: int) -> None:
        status = self.world.services["scoring"].state(result, one).status
        if status == "open":
            good, varied = ("theory", "practical")[:: 1 if seed % 2 else -1]
            self._mark(f"{code}-{good}", 60 + seed)
            self._mark(f"{code}-{varied}", score)
        elif status == "combined":
            self._ask("scoring", ReviewScores, self._right(Role.SCORE_REVIEWER), AFTER, result=one)
        elif status == "reviewed":
            self._ask("scoring", PublishResult, self._right(Role.CENTRE_OFFICER), AFTER, result=one)
        elif seed % 3 == 2:
            self._correct(f"{code}-theory", score)
        else:
            self._ask(
                "certification",
                ApproveCertificate,
                self._right(Role.CERTIFICATE_PROCESSOR),
                AFTER,
                dossier=one,
            )

    def _mark(self, on: str, score: int) -> None:
        opened = self.world.services["scoring"].state(sheet, on).opened
        if opened is not None and opened.examiners:
            by = Actor(self.instead or opened.examiners[0], Role.EXAMINER, "centre")
            self._ask("scoring", SubmitScore, by, AFTER, sheet=on, score=score, sheet_digest="0" * 64)

    def _correct(self, on: str, new: int) -> None:
        state = self.world.services["scoring"].state(sheet, on)
        by = Actor(state.opened.examiners[-1], Role.EXAMINER, "centre")
        self._ask("scoring", ProposeCorrection, by, AFTER, sheet=on, new=new, reason="分数累计有误")
        self._ask(
            "scoring", ApproveCorrection, replace(by, role=Role.SCORE_REVIEWER), AFTER, sheet=on, new=new
        )
        self._ask("scoring", ApproveCorrection, self._right(Role.SCORE_REVIEWER), AFTER, sheet=on, new=new)


def _said(command: type[Command]) -> list[str]:
    return [each.name for each in fields(command) if each.name not in ("by", "at")]


def test_no_order_of_steps_breaks_what_must_hold() -> None:
    seen.clear()
    run_state_machine_as_test(
        BatchLife,
        settings=settings(
            max_examples=600,
            stateful_step_count=30,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.filter_too_much,
                HealthCheck.data_too_large,
            ],
        ),
    )
    # the machine went all the ways that the invariants speak of, not only the short ones
    assert {"CertificateIssued", "ScoreCorrected", "ApplicationWithdrawn", "CandidateAbsent"} <= set(seen)
    refused = {code for code in seen if code.startswith("refused ")}
    wanted = (
        "RoleNotAllowed",
        "DutyConflict",
        "SecondPersonNeeded",
        "ApplicationAlreadyOpen",
        "NoticeMissing",
    )
    assert {f"refused {code}" for code in wanted} <= refused


def test_the_right_steps_lead_to_a_certificate() -> None:
    machine = BatchLife()
    for _ in range(12):
        machine._next("an-spring-1", seed=1, score=70)
    assert [said.event.application for said in machine._all(certified.CertificateIssued)] == ["an-spring-1"]


@pytest.mark.parametrize("service", ["registration", "scheduling", "scoring", "certification"])
def test_every_command_that_a_person_may_send_is_tried(service: str) -> None:
    us = new_world().services[service]
    open_to_people = {
        command
        for aggregate in us.aggregates
        for command in aggregate.commands
        if aggregate.roles[command] != {Role.SERVICE}
    }
    assert {command for name, command in COMMANDS if name == service} == open_to_people
