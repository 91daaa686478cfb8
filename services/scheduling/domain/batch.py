"""批次: applied for by a station, let go ahead by the centre, staffed, supplied and seated."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.scheduling.domain import chance, panel
from services.scheduling.domain.errors import OtherStation
from services.scheduling.domain.errors import batch as errors
from services.scheduling.domain.progress import Batch, claims
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
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.clock import moment
from shared.kernel.errors import DomainError

SEATS_A_ROOM = 30  # R057, P4


@dataclass(frozen=True, kw_only=True)
class ApplyForBatch(Command):
    """申请批次 with its timetable; `theory_at` and `practical_at` are stamps (R044)."""

    batch: str
    station: str
    occupation: str
    catalogue: str
    levels: tuple[int, ...]
    planned: int
    theory_at: str
    practical_at: str


@dataclass(frozen=True, kw_only=True)
class EnrolCandidate(Command):
    """编入花名册: registration's candidate, with what he is registered for."""

    batch: str
    application: str
    candidate: str
    station: str
    occupation: str
    catalogue: str
    level: int


@dataclass(frozen=True, kw_only=True)
class StrikeOffCandidate(Command):
    """移出花名册: registration's application was withdrawn."""

    batch: str
    application: str


@dataclass(frozen=True, kw_only=True)
class IssueTaskNotice(Command):
    """下达鉴定任务通知书; `notice` is its number."""

    batch: str
    notice: str


@dataclass(frozen=True, kw_only=True)
class SealPaperPool(Command):
    """封存试题池; `papers` are opaque references, never what is asked (R087)."""

    batch: str
    papers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AssignExaminer(Command):
    """委派考评员 to one part, as its panel's head or as a member."""

    batch: str
    examiner: str
    part: str
    head: bool


@dataclass(frozen=True, kw_only=True)
class AllocateSeats(Command):
    """随机编排考位 over the rooms, in their order; `seed` is drawn at random by the caller."""

    batch: str
    rooms: tuple[str, ...]
    seed: str


@dataclass(frozen=True, kw_only=True)
class CloseBatch(Command):
    """关闭批次; `ended` is on how many of the roster the exam has ended, which the caller looks up."""

    batch: str
    ended: int


batch: Aggregate[Batch] = Aggregate("batch", Batch(), claims=claims, taken=errors.RoomTaken)


@batch.decides(Role.STATION_DIRECTOR)
def apply(command: ApplyForBatch, state: Batch) -> Facts:
    if state.applied is not None:
        raise errors.BatchExists
    _same_station(command.by, command.station)
    if _before_today(command.theory_at, command.at):
        raise errors.TheoryInThePast
    if _before_today(command.practical_at, command.at):
        raise errors.PracticalInThePast
    return [
        BatchApplied(
            batch=command.batch,
            station=command.station,
            occupation=command.occupation,
            catalogue=command.catalogue,
            levels=command.levels,
            planned=command.planned,
            theory_at=command.theory_at,
            practical_at=command.practical_at,
        )
    ]


@batch.decides(Role.SERVICE)
def enrol(command: EnrolCandidate, state: Batch) -> Facts:
    """Who finds no place is answered by an event: his application must not wait for ever."""
    if command.application in state.candidates:
        return []
    obstacle = _obstacle(command, state)
    if obstacle is not None:
        return [
            EnrolmentRefused(
                batch=command.batch,
                application=command.application,
                candidate=command.candidate,
                code=obstacle.code,
            )
        ]
    return [
        CandidateEnrolled(
            batch=command.batch,
            application=command.application,
            candidate=command.candidate,
            level=command.level,
        )
    ]


@batch.decides(Role.SERVICE)
def strike_off(command: StrikeOffCandidate, state: Batch) -> Facts:
    """Nothing follows for somebody who never stood on the roster, or who has a seat already."""
    if command.application not in state.candidates or state.rooms:
        return []
    return [
        CandidateStruckOff(
            batch=command.batch,
            application=command.application,
            candidate=state.candidates[command.application],
        )
    ]


@batch.decides(Role.CENTRE_OFFICER)
def issue_notice(command: IssueTaskNotice, state: Batch) -> Facts:
    _centre(command.by)
    facts = state.facts
    if state.notice:
        raise errors.NoticeAlreadyIssued
    if not state.candidates:
        raise errors.RosterIsEmpty
    approved = len(state.candidates)
    return [
        TaskNoticeIssued(batch=facts.batch, station=facts.station, notice=command.notice, approved=approved)
    ]


@batch.decides(Role.PAPER_CUSTODIAN)
def seal_pool(command: SealPaperPool, state: Batch) -> Facts:
    _centre(command.by)
    facts = state.approved
    if state.pool is not None:
        raise errors.PoolAlreadySealed
    # sorted, so that the order in which somebody typed them decides nothing
    papers = tuple(sorted(command.papers))
    return [PaperPoolSealed(batch=facts.batch, papers=papers, pool_digest=chance.digest_of(papers))]


@batch.decides(Role.CENTRE_OFFICER)
def assign_examiner(command: AssignExaminer, state: Batch) -> Facts:
    if command.by.body != "centre":
        raise errors.StationCannotAssign
    facts = state.approved
    if state.rooms:
        raise errors.PanelIsClosed
    panel.admit(state.panel, command.examiner, command.part, head=command.head)
    return [
        ExaminerAssigned(
            batch=facts.batch,
            station=facts.station,
            examiner=command.examiner,
            part=command.part,
            head=command.head,
        )
    ]


@batch.decides(Role.EXAM_AFFAIRS)
def allocate_seats(command: AllocateSeats, state: Batch) -> Facts:
    _same_station(command.by, state.facts.station)
    facts = state.approved
    if state.rooms:
        raise errors.SeatsAlreadyAllocated
    if state.pool is None:
        raise errors.PoolNotSealed
    panel.complete(state.panel)
    if not state.candidates:
        raise errors.RosterIsEmpty
    if len(state.candidates) > len(command.rooms) * SEATS_A_ROOM:
        raise errors.RoomsTooFew
    order = chance.in_seat_order(state.candidates, command.seed)
    return [
        SeatsAllocated(
            batch=facts.batch,
            station=facts.station,
            room=room,
            seed=command.seed,
            algorithm=chance.SEAT_ORDER,
            applications=order[first : first + SEATS_A_ROOM],
        )
        for room, first in zip(command.rooms, range(0, len(order), SEATS_A_ROOM), strict=False)
    ]


@batch.decides(Role.CENTRE_OFFICER)
def close(command: CloseBatch, state: Batch) -> Facts:
    """Ended sittings stay ended and the roster is closed: whoever counted a moment ago counted too few."""
    _centre(command.by)
    facts = state.approved
    if not state.rooms:
        raise errors.SeatsMissing
    if command.ended < len(state.candidates):
        raise errors.SittingsNotEnded
    return [BatchClosed(batch=facts.batch, station=facts.station)]


@batch.evolves
def applied(event: BatchApplied, state: Batch) -> Batch:
    return replace(state, applied=event)


@batch.evolves
def enrolled(event: CandidateEnrolled, state: Batch) -> Batch:
    return replace(state, candidates=state.candidates.adding(event.application, event.candidate))


@batch.evolves
def enrolment_refused(_event: EnrolmentRefused, state: Batch) -> Batch:
    return state


@batch.evolves
def struck_off(event: CandidateStruckOff, state: Batch) -> Batch:
    return replace(state, candidates=state.candidates.without(event.application))


@batch.evolves
def noticed(event: TaskNoticeIssued, state: Batch) -> Batch:
    return replace(state, notice=event.notice)


@batch.evolves
def pool_sealed(event: PaperPoolSealed, state: Batch) -> Batch:
    return replace(state, pool=event)


@batch.evolves
def examiner_assigned(event: ExaminerAssigned, state: Batch) -> Batch:
    return replace(state, panel=(*state.panel, event))


@batch.evolves
def seats_allocated(event: SeatsAllocated, state: Batch) -> Batch:
    return replace(state, rooms=(*state.rooms, event.room))


@batch.evolves
def closed(_event: BatchClosed, state: Batch) -> Batch:
    return replace(state, closed=True)


def _obstacle(command: EnrolCandidate, state: Batch) -> DomainError | None:
    """Why this candidate cannot stand on the roster."""
    facts = state.applied
    if facts is None:
        return errors.BatchUnknown()
    if state.closed:
        return errors.BatchIsClosed()
    if state.notice:  # the centre has approved these candidates, and no others (R045)
        return errors.RosterIsClosed()
    wanted = (command.station, command.catalogue, command.occupation)
    if wanted != (facts.station, facts.catalogue, facts.occupation) or command.level not in facts.levels:
        return errors.NotForThisBatch()
    return errors.BatchIsFull() if len(state.candidates) >= facts.planned else None


def _before_today(stamp: str, now: datetime) -> bool:
    """By whole days in UTC: a device's clock may be minutes off."""
    return moment(stamp).date() < now.date()


def _same_station(by: Actor, station: str) -> None:
    if by.body != f"station-{station}":
        raise OtherStation


def _centre(by: Actor) -> None:
    if by.body != "centre":
        raise errors.NotTheCentre
