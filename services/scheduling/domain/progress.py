"""How far a batch has come, as its events tell it, and which rooms are its own."""

from dataclasses import dataclass, field
from datetime import date, timedelta, timezone

from services.scheduling.domain.errors import batch as errors
from shared.contracts.scheduling import BatchApplied, ExaminerAssigned, PaperPoolSealed
from shared.kernel.clock import moment
from shared.kernel.growing import Growing

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


@dataclass(frozen=True)
class Batch:
    """What a batch's history amounts to; `candidates` are by application."""

    applied: BatchApplied | None = None
    candidates: Growing[str, str] = field(default_factory=Growing)
    notice: str = ""
    pool: PaperPoolSealed | None = None
    panel: tuple[ExaminerAssigned, ...] = ()
    rooms: tuple[str, ...] = ()
    closed: bool = False

    @property
    def facts(self) -> BatchApplied:
        if self.applied is None:
            raise errors.BatchUnknown
        return self.applied

    @property
    def approved(self) -> BatchApplied:
        """The same, while it may be carried out (R045, R172)."""
        facts = self.facts
        if not self.notice:
            raise errors.NoticeMissing
        if self.closed:
            raise errors.BatchIsClosed
        return facts

    @property
    def sealed(self) -> PaperPoolSealed:
        if self.pool is None:
            raise errors.PoolNotSealed
        return self.pool


def claims(state: Batch) -> set[str]:
    """Once seats are allocated: on its days in China, its rooms belong to this batch alone (R055)."""
    if not state.rooms:
        return set()
    facts = state.facts
    days = {_day_in_china(facts.theory_at), _day_in_china(facts.practical_at)}
    return {f"{facts.station}/{day}/{room}" for day in days for room in state.rooms}


def _day_in_china(stamp: str) -> date:
    return moment(stamp).astimezone(CHINA).date()
