"""The desk of one batch: who its staff are, how they ask the services, and what they can look up."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import eventlet

from shared.bus.calls import context
from shared.kernel.actors import Actor, Role
from shared.kernel.clock import stamp, utc_now
from shared.kernel.ids import new_id
from shared.runtime.demo.logins import AT_THE_CENTRE, account
from shared.runtime.demo.term import STATION, Plan

Call = Callable[..., Any]
Rows = list[dict[str, Any]]

_WORKERS = 8
_DEADLINE = 120.0


class DemoStuck(Exception):
    """The services did not get where they should; `jianding doctor` and `jianding parked list` say why."""


class Desk:
    """Asks in the name of the batch's staff; nobody of them holds two duties that exclude each other."""

    def __init__(self, call: Call, plan: Plan, step: Callable[[str, int], None]) -> None:
        self._call = call
        self._plan = plan
        self._step = step
        self._staff: dict[tuple[Role, int], str] = {}
        self._pool = eventlet.GreenPool(_WORKERS)
        self.batch = new_id()

    def staff(self, role: Role, number: int = 1) -> str:
        """Who holds this role, as an opaque id."""
        first = account(self._plan.key, role) if number == 1 else ""
        return self._staff.setdefault((role, number), first or new_id())

    def ask(
        self, service: str, method: str, role: Role, at: datetime, *, nth: int = 1, **message: Any
    ) -> None:
        """One command by the holder of a role, as of `at` if that is over; raises Refused."""
        at = min(at, utc_now())
        answer = self._call(
            service, method, self._as(role, nth), command_id=new_id(), occurred_at=stamp(at), **message
        )
        self._step(self._plan.title, len(answer["events"]))

    def each(self, items: list[Any], work: Callable[[Any], None]) -> None:
        """Some at a time; raises what the work raises."""
        for _ in self._pool.imap(work, items):
            pass

    def until(self, reached: Callable[[], bool]) -> None:
        """Waits for reactions, which follow a moment after what they react to; DemoStuck if they do not."""
        with eventlet.Timeout(_DEADLINE, DemoStuck(f"{self._plan.occupation} {self._plan.title}")):
            while not reached():
                eventlet.sleep(0.05)

    def counted(self, what: str) -> int:
        batch = self._call("scheduling", "batch", self._as(Role.EXAM_AFFAIRS), batch=self.batch)
        return int(batch[what]) if batch else -1

    def sittings(self) -> Rows:
        return self._pages("scheduling", "sittings", "application", Role.EXAM_AFFAIRS)

    def sheets(self, part: str) -> Rows:
        """The sheets of the part's examiner: blind codes (R070)."""
        examiner = self.staff(Role.EXAMINER, examiner_of(part))
        rows = self._pages("scoring", "sheets", "sheet", Role.SCORE_REVIEWER, examiner=examiner)
        return [row for row in rows if row["part"] == part]

    def results(self) -> Rows:
        return self._pages("scoring", "results", "application", Role.SCORE_REVIEWER)

    def statistics(self) -> dict[str, int]:
        found: dict[str, int] = self._call(
            "certification", "statistics", self._as(Role.CENTRE_OFFICER), batch=self.batch
        )
        return found

    def said(self, type: str) -> Rows:
        """The batch's events of a type, from the audit log."""
        after, found = -1, []
        supervisor = self._as(Role.SUPERVISOR)
        while page := self._call(
            "audit", "trail", supervisor, kind="batch", id=self.batch, types=[type], after=after, limit=1000
        ):
            found += page
            after = page[-1]["index"]
        return found

    def _as(self, role: Role, number: int = 1) -> dict[str, Any]:
        body = "centre" if role in AT_THE_CENTRE else f"station-{STATION}"
        return context(Actor(self.staff(role, number), role, body))

    def _pages(self, service: str, method: str, key: str, role: Role, **of: Any) -> Rows:
        rows: Rows = []
        page: Rows | None = None
        while page is None or page:
            after = {"after": rows[-1][key]} if rows else {}
            page = self._call(service, method, self._as(role), batch=self.batch, limit=500, **of, **after)
            rows += page
        return rows


def examiner_of(part: str) -> int:
    """Which examiner of the batch scores a part: the first theory, the second practice."""
    return 1 if part == "theory" else 2
