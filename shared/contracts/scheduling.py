"""What scheduling says: batches, notices, examiners, papers, seats, the exam day."""

from shared.contracts.attempts import Attempt
from shared.contracts.reads import Read
from shared.contracts.seals import Seal
from shared.kernel.actors import Role
from shared.kernel.events import Event, subject


class SchedulingEvent(Event, service="scheduling"):
    """Base of scheduling's events."""


class AttemptRefused(Attempt, SchedulingEvent):
    """越权操作被拒绝 (R015)."""


class SensitiveRead(Read, SchedulingEvent):
    """敏感读取 (R163)."""


class BatchSealed(Seal, SchedulingEvent):
    """批次封存计数 of this source (R172)."""


class BatchApplied(SchedulingEvent):
    """批次申请 by the station's director, with its timetable (R043, R044)."""

    batch: str = subject()
    station: str = subject()
    occupation: str
    catalogue: str
    levels: tuple[int, ...]
    planned: int
    theory_at: str
    practical_at: str


class CandidateEnrolled(SchedulingEvent):
    """考生编入批次: registration's candidate stands on the roster (R021)."""

    batch: str = subject()
    application: str = subject()
    candidate: str = subject()
    level: int


class EnrolmentRefused(SchedulingEvent):
    """考生未能编入批次: `code` says why; registration concludes the application (R021, R044)."""

    batch: str = subject()
    application: str = subject()
    candidate: str = subject()
    code: str


class CandidateStruckOff(SchedulingEvent):
    """考生移出花名册: the application was withdrawn before the seats were allocated (R037)."""

    batch: str = subject()
    application: str = subject()
    candidate: str = subject()


class TaskNoticeIssued(SchedulingEvent):
    """鉴定任务通知书 by the centre; nothing may be carried out without it (R045)."""

    batch: str = subject()
    station: str = subject()
    notice: str
    approved: int


class PaperPoolSealed(SchedulingEvent):
    """实操试题池封存: paper references, and the digest that a draw is checked against (R078, R081, R089)."""

    batch: str = subject()
    papers: tuple[str, ...] = subject("paper")
    pool_digest: str


class ExaminerAssigned(SchedulingEvent):
    """考评员委派 by the centre, never by the station (R066)."""

    batch: str = subject()
    station: str = subject()
    examiner: str = subject(bears=Role.EXAMINER)
    part: str
    head: bool


class SeatsAllocated(SchedulingEvent):
    """考位随机编排: `applications` in seat order; anybody can recompute it from seed and algorithm (R060)."""

    batch: str = subject()
    station: str = subject()
    room: str
    seed: str
    algorithm: str
    applications: tuple[str, ...]


class BatchClosed(SchedulingEvent):
    """批次关闭 by the centre, once the exam has ended for everybody on the roster (R172)."""

    batch: str = subject()
    station: str = subject()


class SeatAssigned(SchedulingEvent):
    """考位确定 for one candidate, with what his exam day needs (R046)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    room: str = subject()
    seat: int
    theory_at: str
    practical_at: str
    papers: tuple[str, ...]
    pool_digest: str


class TicketLinked(SchedulingEvent):
    """准考证与考位关联: the only ticket that opens the door for this candidate (R062)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    ticket: str = subject()


class CandidateCheckedIn(SchedulingEvent):
    """考生签到: ticket, document and photo were checked (R094); from here he is a blind code (R070)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    ticket: str = subject()
    room: str = subject()
    blind_code: str = subject("sheet")
    checker: str


class CandidateAbsent(SchedulingEvent):
    """考生缺考 (R037)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    room: str = subject()


class PaperDrawn(SchedulingEvent):
    """实操试题抽取: pool, lot, algorithm and result, so that the draw can be recomputed (R079, R081)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    room: str = subject()
    blind_code: str = subject("sheet")
    paper: str = subject()
    pool_digest: str
    lot: str
    algorithm: str
    witness: str
