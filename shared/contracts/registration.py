"""What registration says: people, training, applications, admission tickets."""

from shared.contracts.attempts import Attempt
from shared.contracts.reads import Read
from shared.contracts.seals import Seal
from shared.kernel.events import Event, subject


class RegistrationEvent(Event, service="registration"):
    """Base of registration's events; the subjects of an application are on each of them."""


class AttemptRefused(Attempt, RegistrationEvent):
    """越权操作被拒绝 (R015)."""


class SensitiveRead(Read, RegistrationEvent):
    """敏感读取 (R163)."""


class BatchSealed(Seal, RegistrationEvent):
    """批次封存计数 of this source (R172)."""


class PersonEnrolled(RegistrationEvent):
    """人员建档: identity is in the vault; the salted commitments prove it later (R029, R207)."""

    candidate: str = subject()
    document: str
    identity_commitment: str
    photo_commitment: str


class PersonErased(RegistrationEvent):
    """个人信息已删除: the key is destroyed; what is told of the id stays, and names nobody (R207, P24)."""

    candidate: str = subject()
    ground: str


class TrainingHeld(RegistrationEvent):
    """考前培训 held for these trainees (R006 of S1, R198)."""

    training: str
    batch: str = subject()
    station: str = subject()
    occupation: str
    trainer: str
    trainees: tuple[str, ...] = subject("candidate")
    hours: int


class ApplicationSubmitted(RegistrationEvent):
    """鉴定申请 with its evidence checklist (R022, R030)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    occupation: str
    catalogue: str
    level: int
    kind: str
    held_level: int
    years_in_trade: int
    education: str
    evidence: tuple[str, ...]


class StationReviewPassed(RegistrationEvent):
    """鉴定所初审通过, by the branch of the centre's rules that is satisfied (R026-R028)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    reviewer: str
    rule_version: str
    clause: str


class StationReviewRejected(RegistrationEvent):
    """鉴定所初审不通过 (R026)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    reviewer: str
    reason: str


class CentreReviewPassed(RegistrationEvent):
    """中心复核通过, by another person (R026)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    reviewer: str
    rule_version: str
    clause: str


class CentreReviewRejected(RegistrationEvent):
    """中心复核不通过 (R026)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    reviewer: str
    reason: str


class CandidateRegistered(RegistrationEvent):
    """考生报名成功: the application stands, and the person is a candidate of the batch (R033)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    occupation: str
    catalogue: str
    level: int
    parts: tuple[str, ...]
    rule_version: str


class AdmissionTicketIssued(RegistrationEvent):
    """准考证签发, after the centre's approval and once a seat is assigned (R032, R061)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    ticket: str = subject()
    room: str
    seat: int
    theory_at: str
    practical_at: str


class ApplicationWithdrawn(RegistrationEvent):
    """考生撤回申请 (R037)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    reason: str


class ApplicationConcluded(RegistrationEvent):
    """申请办结: `passed`, `failed`, `absent`, or why nobody enrolled him; he may apply again (R036)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    outcome: str


class AccountOpened(RegistrationEvent):
    """开户: somebody may log in. Login name and password are in the vault's company, never here (R207)."""

    account: str = subject()


class AppointmentGiven(RegistrationEvent):
    """任职: the account may act in this role for this body (R006-R019)."""

    account: str = subject()
    role: str
    body: str


class AppointmentEnded(RegistrationEvent):
    """任职终止: it may not any more; a token that is out stays good for its ten minutes."""

    account: str = subject()
    role: str
    body: str


class AccountClosed(RegistrationEvent):
    """销户: nobody logs in with it again."""

    account: str = subject()


class PasswordChanged(RegistrationEvent):
    """密码更改: every session of the account has ended."""

    account: str = subject()


class LoginLinked(RegistrationEvent):
    """统一身份认证绑定: somebody else's log-in (OpenID Connect) opens this account."""

    account: str = subject()


class AccountLocked(RegistrationEvent):
    """登录锁定 after wrong passwords; `account` is empty where nobody has the name that was tried."""

    lock: str
    account: str = subject()
    failures: int
    until: str


class RefreshTokenReused(RegistrationEvent):
    """已失效的刷新凭证被重复使用: two hold it, so one has stolen it; its session has ended."""

    session: str
    account: str = subject()
