"""Three batches that are under way, so that whoever logs in to the demo's data finds work of his role.

Their events come after the summary's, which is made of the twelve batches that are over.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import eventlet

from shared.kernel.clock import utc_now
from shared.kernel.ids import new_id
from shared.runtime.demo import logins
from shared.runtime.demo.desk import Call
from shared.runtime.demo.people import Person, fictional
from shared.runtime.demo.play import Play
from shared.runtime.demo.term import CHINA, SITTING, Plan

_FIRST = 4_000  # nobody of the twelve batches has a number as high
_LEVEL = {4: 6}
_PASSING = {4: 4}


@dataclass(frozen=True)
class _Now(Plan):
    """A batch whose papers may be drawn for half an hour from now on (R079)."""

    begins: datetime = field(default_factory=utc_now)

    @property
    def theory_at(self) -> datetime:
        return self.begins + timedelta(minutes=10)

    @property
    def practical_at(self) -> datetime:
        return self.begins + timedelta(minutes=30)


class _Applied(Play):
    """No task notice yet; two applications wait for the centre, the others for the station."""

    def run(self) -> None:
        self._apply_for_batch()
        applicants = self._apply(self._plan.theory_at - timedelta(days=30))
        for application, _, _ in applicants[:2]:
            self._pass_at_station(application, self._plan.theory_at - timedelta(days=29))


class _Sitting(Play):
    """The exam day: half of the candidates have drawn their papers, the others are expected."""

    def run(self) -> None:
        self._apply_for_batch()
        applications = self._register()
        self._prepare(len(applications))
        present = self._desk.sittings()[: len(applications) // 2]
        self._desk.each(present, self._sit)
        self._desk.until(lambda: len(self._desk.sheets("theory")) == len(present))


class _Scored(Play):
    """Results to be reviewed, to be published, and to become certificates: two of each."""

    def run(self) -> None:
        self._apply_for_batch()
        applications = self._register()
        self._prepare(len(applications))
        self._exam_day(applications)
        self._mark_all()
        passed_first = sorted(self._desk.results(), key=lambda row: not row["passed"])
        for result in passed_first[:4]:
            self._review(result)
        for result in passed_first[:2]:
            self._publish(result)
        self._desk.until(lambda: self._desk.statistics()["published"] == 2)


def begin(call: Call, step: Callable[[str, int], None]) -> None:
    """Plays all three as far as they go; raises what `Play` raises."""
    today = utc_now().astimezone(CHINA).date()
    chance = random.Random(_FIRST)  # noqa: S311
    plays = [
        play(call, plan, _people(plan, place, chance), _FIRST, step)
        for place, (play, plan) in enumerate(_plans(today))
    ]
    for _ in eventlet.GreenPool(len(plays)).imap(lambda play: play.run(), plays):
        pass


def _plans(today: date) -> list[tuple[type[Play], Plan]]:
    def plan(title: str, on: date, of: type[Plan] = Plan) -> Plan:
        return of(logins.KEY, title, SITTING, 0, _LEVEL, _PASSING, on)

    return [
        (_Applied, plan("待审批次", today + timedelta(days=45))),
        (_Sitting, plan("今日批次", today, _Now)),
        (_Scored, plan("待公布批次", today - timedelta(days=14))),
    ]


def _people(plan: Plan, place: int, chance: random.Random) -> list[Person]:
    return fictional(plan.applying, chance, new_id, _FIRST + place * plan.applying)
