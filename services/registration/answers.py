"""What registration answers."""

from typing import Literal, TypedDict

from shared.kernel.actors import Role
from shared.wire.answers import Base64, Code, Count, Empty, Level, Opaque, Sha256, Stamp, Uuid

Status = Literal[
    "submitted", "station_passed", "rejected", "registered", "ticketed", "withdrawn", "concluded"
]  # fmt: skip


class OwnApplication(TypedDict):
    """报名登记 as its candidate is told: `reason` of a rejection, and where he sits once he has a ticket.

    `outcome` is how it ended, once it has. What was claimed is empty of applications that the register
    remembers from before it held that, until it is rebuilt.
    """

    application: Uuid
    candidate: Uuid
    batch: Uuid
    station: Code
    occupation: str
    level: Level
    status: Status
    ticket: str
    outcome: str
    kind: Literal["student", "society", "enterprise", ""]
    education: Literal["none", "vocational_school", "college", ""]
    held_level: Count | None
    years_in_trade: Count | None
    evidence: list[Sha256]
    clause: str
    reason: str
    room: str
    seat: Count | None
    theory_at: Stamp | Empty
    practical_at: Stamp | Empty


class Application(OwnApplication):
    """报名登记: an application as it stands, with who reviewed it."""

    station_reviewer: Opaque | Empty
    centre_reviewer: Opaque | Empty


class Identity(TypedDict):
    """核对身份: who stands behind an application; an invigilator is shown the ends of the number alone."""

    name: str
    document: str
    number: str
    photo: Base64


class Account(TypedDict):
    """账号, with its appointments as `role@body` in the order in which they were given."""

    account: Uuid
    open: bool
    appointments: list[str]
    locked_until: Stamp | Empty
    name_shown: str


class Examiner(TypedDict):
    """考评员, with the bodies for which he is appointed."""

    account: Uuid
    bodies: list[str]
    name_shown: str


class Training(TypedDict):
    """考前培训 that was held, and for how many."""

    training: Uuid
    batch: Uuid
    station: Code
    occupation: str
    trainer: Opaque
    trainees: Count
    hours: Count
    held_at: Stamp


class Enrolled(TypedDict):
    """Under which id somebody is enrolled."""

    candidate: Uuid


class Held(TypedDict):
    """任职: a role, for a body."""

    role: Role
    body: str


class Session(TypedDict):
    """登录: the access token is good for `expires_in` seconds, the refresh token for one use."""

    access: str
    refresh: str
    expires_in: Count
    actor: Opaque
    role: Role
    body: str
    appointments: list[Held]
    name_shown: str


class Holder(TypedDict):
    """Whether somebody has this name; only then also the masked number of his document."""

    matches: bool
    document_masked: str
