"""Plays a batch through the services, as its people would: every step a call, by the right person.

Scores are dealt to blind codes, since nobody who scores knows a candidate; so which person passes is left to
chance, and only the numbers are planned.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import eventlet

from shared.bus.calls import Refused, context
from shared.kernel.actors import Actor, Role
from shared.kernel.clock import stamp
from shared.kernel.ids import new_id
from shared.runtime.demo.people import Person
from shared.runtime.demo.term import CATALOGUE, STATION, Plan

Call = Callable[..., Any]
_WORKERS = 8
_DEADLINE = 120.0
_CENTRE, _OUR_STATION = "centre", f"station-{STATION}"
_RUBRIC_PASS = 60


class DemoStuck(Exception):  # noqa: N818
    """The services did not come to the expected state in time; `jianding doctor` and `jianding parked list` say why."""


@dataclass
class Staff:
    """Who does what in one batch; nobody holds two duties that exclude each other."""

    ids: dict[str, str] = field(default_factory=dict)

    def of(self, role: Role, body: str = _OUR_STATION, number: int = 1) -> dict[str, Any]:
        """The context of a call by this member of staff."""
        return context(Actor(self.id(role, number), role, body))

    def id(self, role: Role, number: int = 1) -> str:
        return self.ids.setdefault(f"{role} {number}", new_id())


@dataclass
class Played:
    """What was planned and what it became: the batch's id, for the summary."""

    plan: Plan
    batch: str


class Play:
    """One batch, from training to certificates."""

    def __init__(self, call: Call, plan: Plan, people: list[Person], seed: int, step: Callable[[str, int], None]) -> None:
        self._call = call
        self._plan = plan
        self._people = people
        self._chance = random.Random(f"{seed} {plan.key} {plan.title}")  # noqa: S311
        self._step = step
        self._staff = Staff()
        self._pool = eventlet.GreenPool(_WORKERS)
        self.batch = new_id()

    def run(self) -> Played:
        """All steps in order; raises Refused or DemoStuck where one fails."""
        self._apply_for_batch()
        applications = self._register()
        self._prepare(len(applications))
        self._exam_day(applications)
        self._score()
        self._certify()
        return Played(self._plan, self.batch)

    # -- before the exam

    def _apply_for_batch(self) -> None:
        plan = self._plan
        self._ask(
            "scheduling",
            "apply_for_batch",
            self._staff.of(Role.STATION_DIRECTOR),
            plan.theory_at - timedelta(days=40),
            batch=self.batch,
            station=STATION,
            occupation=plan.occupation,
            catalogue=CATALOGUE,
            levels=sorted(plan.assessed),
            planned=plan.applying,
            theory_at=stamp(plan.theory_at),
            practical_at=stamp(plan.practical_at),
        )

    def _register(self) -> list[str]:
        plan, people = self._plan, self._people
        at = plan.theory_at - timedelta(days=30)
        self._each(people, lambda person: self._enrol(person, at))
        if plan.trained:
            self._ask(
                "registration",
                "record_training",
                self._staff.of(Role.TRAINER),
                at,
                training=new_id(),
                batch=self.batch,
                station=STATION,
                occupation=plan.occupation,
                trainees=[person.id for person in people],
                hours=80,
            )
        levels = [level for level, count in sorted(plan.assessed.items()) for _ in range(count)]
        levels += [max(plan.assessed)] * (plan.applying - len(levels))
        applicants = [(new_id(), person, level) for person, level in zip(people, levels, strict=False)]
        self._each(applicants, lambda applicant: self._submit(*applicant, at))
        rejected = applicants[len(applicants) - plan.rejected :]
        accepted = applicants[: len(applicants) - plan.rejected]
        self._each(rejected, lambda applicant: self._reject(applicant[0], at))
        self._each(accepted, lambda applicant: self._accept(applicant[0], at))
        self._await(lambda: self._counted("enrolled") >= len(accepted))
        withdrawn = [id for id, _, _ in accepted[len(accepted) - plan.withdrawn :]]
        self._each(withdrawn, lambda id: self._withdraw(id, at))
        self._await(lambda: self._counted("enrolled") == len(accepted) - len(withdrawn))
        return [id for id, _, _ in accepted if id not in withdrawn]

    def _enrol(self, person: Person, at: datetime) -> None:
        self._ask("registration", "enrol_person", self._clerk(), at, **person.enrolment())

    def _submit(self, application: str, person: Person, level: int, at: datetime) -> None:
        self._ask(
            "registration",
            "submit_application",
            self._clerk(),
            at,
            application=application,
            candidate=person.id,
            batch=self.batch,
            station=STATION,
            occupation=self._plan.occupation,
            catalogue=CATALOGUE,
            level=level,
            kind="student",
            held_level=0 if level == 4 else 4,
            years_in_trade=0,
            education="vocational_school",
            evidence=[sha256(f"{application} {copy}".encode()).hexdigest() for copy in ("card", "id", "photo")],
        )

    def _accept(self, application: str, at: datetime) -> None:
        reviewer = self._staff.of(Role.STATION_REVIEWER)
        self._ask("registration", "pass_station_review", reviewer, at + timedelta(days=1), application=application)
        centre = self._staff.of(Role.CENTRE_REVIEWER, _CENTRE)
        self._ask("registration", "pass_centre_review", centre, at + timedelta(days=5), application=application)

    def _reject(self, application: str, at: datetime) -> None:
        self._ask(
            "registration",
            "reject_at_station",
            self._staff.of(Role.STATION_REVIEWER),
            at + timedelta(days=1),
            application=application,
            reason="复印件与原件不符",
        )

    def _withdraw(self, application: str, at: datetime) -> None:
        later = at + timedelta(days=6)
        self._ask(
            "registration", "withdraw_application", self._clerk(), later, application=application, reason="本人放弃"
        )

    def _prepare(self, candidates: int) -> None:
        at = self._plan.theory_at - timedelta(days=14)
        officer = self._staff.of(Role.CENTRE_OFFICER, _CENTRE)
        notice = f"鉴通-{self._plan.on:%Y%m%d}-{self.batch[-6:]}"
        self._ask("scheduling", "issue_task_notice", officer, at, batch=self.batch, notice=notice)
        papers = [new_id() for _ in range(8)]
        self._ask("scheduling", "seal_paper_pool", officer, at, batch=self.batch, papers=papers)
        self._try_what_is_forbidden(at)
        for part, number in [("theory", 1), ("practical", 2), ("practical", 3), ("practical", 4)]:
            self._assign(part, number, at)
        rooms = [f"{self._plan.title} {number} 号考场" for number in range(1, (candidates - 1) // 30 + 2)]
        self._ask("scheduling", "allocate_seats", self._clerk(), at, batch=self.batch, rooms=rooms)
        self._await(lambda: all(row["ticket"] for row in self._sittings()))

    def _assign(self, part: str, number: int, at: datetime) -> None:
        self._ask(
            "scheduling",
            "assign_examiner",
            self._staff.of(Role.CENTRE_OFFICER, _CENTRE),
            at,
            batch=self.batch,
            examiner=self._staff.id(Role.EXAMINER, number),
            part=part,
            head=number in (1, 2),
        )

    def _try_what_is_forbidden(self, at: datetime) -> None:
        """A clerk assigns an examiner; the attempt is refused, and is an event of the log."""
        message = {"batch": self.batch, "examiner": new_id(), "part": "theory", "head": False}
        try:
            self._ask("scheduling", "assign_examiner", self._clerk(), at, **message)
        except Refused:
            return
        raise DemoStuck("a clerk could assign an examiner")

    # -- the exam day

    def _exam_day(self, applications: list[str]) -> None:
        order = sorted(self._sittings(), key=lambda row: applications.index(row["application"]))
        present = order[: len(order) - self._plan.absent]
        self._each(order[len(present) :], self._mark_absent)
        self._each(present, self._sit)
        self._await(lambda: len(self._sheets("practical")) == len(self._sheets("theory")) == len(present))

    def _sit(self, sitting: dict[str, Any]) -> None:
        invigilator, id = self._staff.of(Role.INVIGILATOR), sitting["application"]
        self._ask(
            "scheduling",
            "check_in",
            invigilator,
            self._plan.theory_at - timedelta(minutes=20),
            sitting=id,
            ticket=sitting["ticket"],
            document_checked=True,
            photo_matches=True,
        )
        early = self._plan.practical_at - timedelta(minutes=20)
        self._ask("scheduling", "draw_paper", invigilator, early, sitting=id)

    def _mark_absent(self, sitting: dict[str, Any]) -> None:
        at = self._plan.theory_at + timedelta(minutes=30)
        self._ask(
            "scheduling", "mark_absent", self._staff.of(Role.INVIGILATOR), at, sitting=sitting["application"]
        )

    # -- after the exam

    def _score(self) -> None:
        sheets = {part: self._sheets(part) for part in ("theory", "practical")}
        levels = self._levels()
        dealt = list(self._dealt([row["blind_code"] for row in sheets["theory"]], levels))
        for part in ("theory", "practical"):
            self._each([(code, scores[part]) for code, scores in dealt], lambda mark, part=part: self._mark(part, *mark))
        self._correct(dealt)
        self._await(lambda: sum(row["status"] == "combined" for row in self._results()) == len(dealt))
        self._each(self._results(), self._publish)
        self._await(lambda: self._statistics()["published"] == len(dealt))

    def _levels(self) -> dict[str, int]:
        """Blind code -> level. The play looks this up in the log, as an examiner could not."""
        seated = {row["application"]: row["level"] for row in self._sittings()}
        present = len(self._sheets("theory"))
        self._await(lambda: len(self._said("CandidateCheckedIn")) == present)
        entered = [event["data"] for event in self._said("CandidateCheckedIn")]
        return {data["blind_code"]: seated[data["application"]] for data in entered}

    def _dealt(self, codes: list[str], levels: dict[str, int]) -> Iterator[tuple[str, dict[str, int]]]:
        """As many passes for each level as planned, the rest failing in theory, practice or both."""
        for level, passing in sorted(self._plan.passing.items()):
            of_level = sorted(code for code in codes if levels[code] == level)
            for place, code in enumerate(of_level):
                yield code, self._passing() if place < passing else self._failing()

    def _passing(self) -> dict[str, int]:
        good = lambda: min(100, _RUBRIC_PASS + int(self._chance.triangular(0, 38, 14)))  # noqa: E731
        return {"theory": good(), "practical": good()}

    def _failing(self) -> dict[str, int]:
        scores = self._passing()
        for part in self._chance.choice((["theory"], ["practical"], ["practical"], ["theory", "practical"])):
            scores[part] = self._chance.randint(31, 59)
        return scores

    def _mark(self, part: str, code: str, score: int) -> None:
        self._ask(
            "scoring",
            "submit_score",
            self._examiner(part),
            self._plan.practical_at + timedelta(hours=3),
            sheet=f"{code}-{part}",
            score=score,
            sheet_digest=sha256(f"{code} {part} {score}".encode()).hexdigest(),
        )

    def _correct(self, dealt: list[tuple[str, dict[str, int]]]) -> None:
        """One sheet was added up wrongly; two people correct it, and it changes nobody's result."""
        code, scores = max(dealt, key=lambda mark: (min(mark[1].values()), mark[0]))
        sheet, at = f"{code}-theory", self._plan.practical_at + timedelta(hours=4)
        new = scores["theory"] - 1
        message = {"sheet": sheet, "new": new, "reason": "卷面小题分累计有误"}
        self._ask("scoring", "propose_correction", self._examiner("theory"), at, **message)
        self._ask("scoring", "approve_correction", self._reviewer(), at, sheet=sheet, new=new)
        wanted = {"theory": new, "practical": scores["practical"]}
        self._await(lambda: any(all(row[p] == s for p, s in wanted.items()) for row in self._results()))

    def _publish(self, result: dict[str, Any]) -> None:
        at, id = self._plan.practical_at + timedelta(days=5), result["application"]
        self._ask("scoring", "review_scores", self._reviewer(), at, result=id)
        officer = self._staff.of(Role.CENTRE_OFFICER, _CENTRE)
        self._ask("scoring", "publish_result", officer, at + timedelta(hours=1), result=id)

    def _certify(self) -> None:
        passed = [row for row in self._results() if row["passed"]]
        self._each(passed, self._approve)
        self._await(lambda: self._statistics()["issued"] == len(passed))

    def _approve(self, result: dict[str, Any]) -> None:
        processor = self._staff.of(Role.CERTIFICATE_PROCESSOR, _CENTRE)
        at = self._plan.practical_at + timedelta(days=12)
        self._ask("certification", "approve_certificate", processor, at, dossier=result["application"])

    # -- asking

    def _clerk(self) -> dict[str, Any]:
        return self._staff.of(Role.EXAM_AFFAIRS)

    def _reviewer(self) -> dict[str, Any]:
        return self._staff.of(Role.SCORE_REVIEWER, _CENTRE)

    def _examiner(self, part: str) -> dict[str, Any]:
        return self._staff.of(Role.EXAMINER, _CENTRE, 1 if part == "theory" else 2)

    def _ask(self, service: str, method: str, by: dict[str, Any], at: datetime, **message: Any) -> Any:
        answer = self._call(service, method, by, command_id=new_id(), occurred_at=stamp(at), **message)
        self._step(self._plan.title, len(answer["events"]))
        return answer

    def _each(self, items: list[Any], work: Callable[[Any], None]) -> None:
        for _ in self._pool.imap(work, items):
            pass

    def _await(self, reached: Callable[[], bool]) -> None:
        """Reactions follow a moment after what they react to."""
        with eventlet.Timeout(_DEADLINE, DemoStuck(f"{self._plan.occupation} {self._plan.title}")):
            while not reached():
                eventlet.sleep(0.05)

    def _counted(self, what: str) -> int:
        batch = self._call("scheduling", "batch", self._clerk(), batch=self.batch)
        return int(batch[what]) if batch else -1

    def _sittings(self) -> list[dict[str, Any]]:
        return self._pages("scheduling", "sittings", "application", batch=self.batch)

    def _sheets(self, part: str) -> list[dict[str, Any]]:
        examiner = self._examiner(part)["actor"]
        rows = self._pages("scoring", "sheets", "sheet", batch=self.batch, examiner=examiner)
        return [row for row in rows if row["part"] == part]

    def _results(self) -> list[dict[str, Any]]:
        return self._pages("scoring", "results", "application", batch=self.batch)

    def _statistics(self) -> dict[str, int]:
        found: dict[str, int] = self._call("certification", "statistics", self._clerk(), batch=self.batch)
        return found

    def _said(self, type: str) -> list[dict[str, Any]]:
        supervisor = self._staff.of(Role.SUPERVISOR, _CENTRE)
        events = self._pages("audit", "trail", "index", by=supervisor, kind="batch", id=self.batch)
        return [event for event in events if event["type"] == type]

    def _pages(self, service: str, method: str, key: str, by: dict[str, Any] | None = None, **of: Any) -> list[Any]:
        rows: list[Any] = []
        page: list[Any] = [None]
        while page:
            after = {"after": rows[-1][key]} if rows else {}
            page = self._call(service, method, by or self._clerk(), limit=500, **of, **after)
            rows += page
        return rows
