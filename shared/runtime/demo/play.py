"""Plays a batch through the services, as its people would: every step a call, by the right person.

Scores are dealt to blind codes, so which person passes is left to chance, and only the numbers are planned.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from shared.bus.calls import Refused
from shared.kernel.actors import Role
from shared.kernel.clock import stamp
from shared.kernel.ids import new_id
from shared.runtime.demo.desk import Call, DemoStuck, Desk, examiner_of
from shared.runtime.demo.people import Person
from shared.runtime.demo.scores import Scores, deal
from shared.runtime.demo.term import CATALOGUE, STATION, Plan


class Play:
    """One batch, from training to certificates."""

    def __init__(
        self, call: Call, plan: Plan, people: list[Person], seed: int, step: Callable[[str, int], None]
    ) -> None:
        self._desk = Desk(call, plan, step)
        self._plan = plan
        self._people = people
        self._chance = random.Random(f"{seed} {plan.key} {plan.title}")  # noqa: S311

    def run(self) -> None:
        """All steps in order; raises Refused or DemoStuck where one fails."""
        self._apply_for_batch()
        applications = self._register()
        self._prepare(len(applications))
        self._exam_day(applications)
        self._score()
        self._certify()

    def close(self) -> None:
        """Once everything of the batch has come to its end, and everybody has heard of it (R172)."""
        at = self._plan.practical_at + timedelta(days=12, hours=1)
        self._desk.ask("scheduling", "close_batch", Role.CENTRE_OFFICER, at, batch=self._desk.batch)

    # -- before the exam

    def _apply_for_batch(self) -> None:
        plan = self._plan
        self._desk.ask(
            "scheduling",
            "apply_for_batch",
            Role.STATION_DIRECTOR,
            plan.theory_at - timedelta(days=40),
            batch=self._desk.batch,
            station=STATION,
            occupation=plan.occupation,
            catalogue=CATALOGUE,
            levels=sorted(plan.assessed),
            planned=plan.applying,
            theory_at=stamp(plan.theory_at),
            practical_at=stamp(plan.practical_at),
        )

    def _register(self) -> list[str]:
        plan = self._plan
        at = plan.theory_at - timedelta(days=30)
        applicants = self._apply(at)
        rejected = applicants[len(applicants) - plan.rejected :]
        accepted = applicants[: len(applicants) - plan.rejected]
        self._desk.each(rejected, lambda applicant: self._reject(applicant[0], at))
        self._desk.each(accepted, lambda applicant: self._accept(applicant[0], at))
        self._desk.until(lambda: self._desk.counted("enrolled") >= len(accepted))
        withdrawn = [id for id, _, _ in accepted[len(accepted) - plan.withdrawn :]]
        self._desk.each(withdrawn, lambda id: self._withdraw(id, at))
        self._desk.until(lambda: self._desk.counted("enrolled") == len(accepted) - len(withdrawn))
        return [id for id, _, _ in accepted if id not in withdrawn]

    def _apply(self, at: datetime) -> list[tuple[str, Person, int]]:
        """Everybody is enrolled, trained and applies: (application, person, level)."""
        plan, people = self._plan, self._people
        self._desk.each(people, lambda person: self._enrol(person, at))
        if plan.trained:
            self._desk.ask(
                "registration",
                "record_training",
                Role.TRAINER,
                at,
                training=new_id(),
                batch=self._desk.batch,
                station=STATION,
                occupation=plan.occupation,
                trainees=[person.id for person in people],
                hours=80,
            )
        levels = [level for level, count in sorted(plan.assessed.items()) for _ in range(count)]
        levels += [max(plan.assessed)] * (plan.applying - len(levels))
        applicants = [(new_id(), person, level) for person, level in zip(people, levels, strict=False)]
        self._desk.each(applicants, lambda applicant: self._submit(at, *applicant))
        return applicants

    def _enrol(self, person: Person, at: datetime) -> None:
        self._desk.ask("registration", "enrol_person", Role.EXAM_AFFAIRS, at, **person.enrolment())

    def _submit(self, at: datetime, application: str, person: Person, level: int) -> None:
        self._desk.ask(
            "registration",
            "submit_application",
            Role.EXAM_AFFAIRS,
            at,
            application=application,
            candidate=person.id,
            batch=self._desk.batch,
            station=STATION,
            occupation=self._plan.occupation,
            catalogue=CATALOGUE,
            level=level,
            kind="student",
            held_level=0 if level == 4 else 4,
            years_in_trade=0,
            education="vocational_school",
            evidence=[
                sha256(f"{application} {copy}".encode()).hexdigest() for copy in ("card", "id", "photo")
            ],
        )

    def _pass_at_station(self, application: str, at: datetime) -> None:
        self._desk.ask(
            "registration", "pass_station_review", Role.STATION_REVIEWER, at, application=application
        )

    def _accept(self, application: str, at: datetime) -> None:
        self._pass_at_station(application, at + timedelta(days=1))
        self._desk.ask(
            "registration",
            "pass_centre_review",
            Role.CENTRE_REVIEWER,
            at + timedelta(days=5),
            application=application,
        )

    def _reject(self, application: str, at: datetime) -> None:
        self._desk.ask(
            "registration",
            "reject_at_station",
            Role.STATION_REVIEWER,
            at + timedelta(days=1),
            application=application,
            reason="复印件与原件不符",
        )

    def _withdraw(self, application: str, at: datetime) -> None:
        later = at + timedelta(days=6)
        self._desk.ask(
            "registration",
            "withdraw_application",
            Role.EXAM_AFFAIRS,
            later,
            application=application,
            reason="本人放弃",
        )

    def _prepare(self, candidates: int) -> None:
        at = self._plan.theory_at - timedelta(days=14)
        notice = f"鉴通-{self._plan.on:%Y%m%d}-{self._desk.batch[-6:]}"
        self._desk.ask(
            "scheduling", "issue_task_notice", Role.CENTRE_OFFICER, at, batch=self._desk.batch, notice=notice
        )
        papers = [new_id() for _ in range(8)]
        self._desk.ask(
            "scheduling", "seal_paper_pool", Role.PAPER_CUSTODIAN, at, batch=self._desk.batch, papers=papers
        )
        self._try_what_is_forbidden(at)
        for part, number in [("theory", 1), ("practical", 2), ("practical", 3), ("practical", 4)]:
            self._assign(part, number, at)
        rooms = [f"{self._plan.title} {number} 号考场" for number in range(1, (candidates - 1) // 30 + 2)]
        self._desk.ask(
            "scheduling", "allocate_seats", Role.EXAM_AFFAIRS, at, batch=self._desk.batch, rooms=rooms
        )
        self._desk.until(lambda: all(row["ticket"] for row in self._desk.sittings()))

    def _assign(self, part: str, number: int, at: datetime) -> None:
        self._desk.ask(
            "scheduling",
            "assign_examiner",
            Role.CENTRE_OFFICER,
            at,
            batch=self._desk.batch,
            examiner=self._desk.staff(Role.EXAMINER, number),
            part=part,
            head=number in (1, 2),
        )

    def _try_what_is_forbidden(self, at: datetime) -> None:
        """A clerk assigns an examiner; the attempt is refused, and is an event of the log."""
        try:
            self._desk.ask(
                "scheduling",
                "assign_examiner",
                Role.EXAM_AFFAIRS,
                at,
                batch=self._desk.batch,
                examiner=new_id(),
                part="theory",
                head=False,
            )
        except Refused:
            return
        raise DemoStuck("a clerk could assign an examiner")

    # -- the exam day

    def _exam_day(self, applications: list[str]) -> None:
        order = sorted(self._desk.sittings(), key=lambda row: applications.index(row["application"]))
        present = order[: len(order) - self._plan.absent]
        self._desk.each(order[len(present) :], self._mark_absent)
        self._desk.each(present, self._sit)
        self._desk.until(
            lambda: len(self._desk.sheets("practical")) == len(self._desk.sheets("theory")) == len(present)
        )

    def _sit(self, sitting: dict[str, Any]) -> None:
        id = sitting["application"]
        self._desk.ask(
            "scheduling",
            "check_in",
            Role.INVIGILATOR,
            self._plan.theory_at - timedelta(minutes=20),
            sitting=id,
            ticket=sitting["ticket"],
            document_checked=True,
            photo_matches=True,
        )
        early = self._plan.practical_at - timedelta(minutes=20)
        self._desk.ask("scheduling", "draw_paper", Role.INVIGILATOR, early, sitting=id)

    def _mark_absent(self, sitting: dict[str, Any]) -> None:
        at = self._plan.theory_at + timedelta(minutes=30)
        self._desk.ask("scheduling", "mark_absent", Role.INVIGILATOR, at, sitting=sitting["application"])

    # -- after the exam

    def _score(self) -> None:
        dealt = self._mark_all()
        results = self._desk.results()
        self._desk.each(results, self._review)
        self._desk.each(results, self._publish)
        self._desk.until(lambda: self._desk.statistics()["published"] == len(dealt))

    def _mark_all(self) -> list[tuple[str, Scores]]:
        """Every sheet gets its score, and every candidate his result."""
        dealt = list(deal(self._levels(), self._plan.passing, self._chance))
        marks = [(part, code, scores[part]) for part in ("theory", "practical") for code, scores in dealt]
        self._desk.each(marks, lambda mark: self._mark(*mark))
        self._correct(dealt)
        self._desk.until(lambda: self._combined() == len(dealt))
        return dealt

    def _combined(self) -> int:
        return sum(row["status"] == "combined" for row in self._desk.results())

    def _levels(self) -> dict[str, int]:
        """Blind code -> level. The play looks this up in the log, as an examiner could not."""
        seated = {row["application"]: row["level"] for row in self._desk.sittings()}
        present = len(self._desk.sheets("theory"))
        self._desk.until(lambda: len(self._desk.said("CandidateCheckedIn")) == present)
        entered = [event["data"] for event in self._desk.said("CandidateCheckedIn")]
        return {data["blind_code"]: seated[data["application"]] for data in entered}

    def _mark(self, part: str, code: str, score: int) -> None:
        self._desk.ask(
            "scoring",
            "submit_score",
            Role.EXAMINER,
            self._plan.practical_at + timedelta(hours=3),
            nth=examiner_of(part),
            sheet=f"{code}-{part}",
            score=score,
            sheet_digest=sha256(f"{code} {part} {score}".encode()).hexdigest(),
        )

    def _correct(self, dealt: list[tuple[str, Scores]]) -> None:
        """The best sheet was added up wrongly by a point; two people correct it, and no result changes."""
        code, scores = max(dealt, key=lambda mark: (min(mark[1].values()), mark[1]["theory"]))
        at, new = self._plan.practical_at + timedelta(hours=4), scores["theory"] - 1
        change: dict[str, Any] = {"sheet": f"{code}-theory", "new": new}
        examiner: dict[str, Any] = {"nth": examiner_of("theory"), "reason": "卷面小题分累计有误"}
        self._desk.ask("scoring", "propose_correction", Role.EXAMINER, at, **change, **examiner)
        self._desk.ask("scoring", "approve_correction", Role.SCORE_REVIEWER, at, **change)
        corrected = (new, scores["practical"])
        self._desk.until(
            lambda: corrected in [(row["theory"], row["practical"]) for row in self._desk.results()]
        )

    def _review(self, result: dict[str, Any]) -> None:
        at, id = self._plan.practical_at + timedelta(days=5), result["application"]
        self._desk.ask("scoring", "review_scores", Role.SCORE_REVIEWER, at, result=id)

    def _publish(self, result: dict[str, Any]) -> None:
        at, id = self._plan.practical_at + timedelta(days=5, hours=1), result["application"]
        self._desk.ask("scoring", "publish_result", Role.CENTRE_OFFICER, at, result=id)

    def _certify(self) -> None:
        passed = [row for row in self._desk.results() if row["passed"]]
        self._desk.each(passed, self._approve)
        self._desk.until(lambda: self._desk.statistics()["issued"] == len(passed))

    def _approve(self, result: dict[str, Any]) -> None:
        at = self._plan.practical_at + timedelta(days=12)
        self._desk.ask(
            "certification",
            "approve_certificate",
            Role.CERTIFICATE_PROCESSOR,
            at,
            dossier=result["application"],
        )
