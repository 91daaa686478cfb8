"""What scheduling answers."""

from typing import Literal, TypedDict

from shared.wire.answers import Code, Count, Level, Opaque, Part, Stamp, Uuid

Stage = Literal["applied", "noticed", "supplied", "seated", "closed"]
Presence = Literal["enrolled", "seated", "ticketed", "checked_in", "absent", "drawn"]


class Batch(TypedDict):
    """鉴定批次 as it stands, and how many of its candidates have come how far."""

    batch: Uuid
    station: Code
    occupation: str
    catalogue: str
    levels: list[Level]
    planned: Count
    theory_at: Stamp
    practical_at: Stamp
    stage: Stage
    notice: str
    enrolled: Count
    seated: Count
    checked_in: Count
    absent: Count
    drawn: Count


class Station(TypedDict):
    """鉴定所 with its newest batch."""

    station: Code
    batch: Uuid
    occupation: str
    stage: Stage
    theory_at: Stamp


class Member(TypedDict):
    """考评员 of a batch; one of each practical panel is its head."""

    batch: Uuid
    examiner: Opaque
    part: Part
    head: bool


class Assignment(TypedDict):
    """A batch that an examiner is assigned to, with his parts of it; `head` of one panel at least."""

    batch: Uuid
    station: Code
    occupation: str
    levels: list[Level]
    theory_at: Stamp
    practical_at: Stamp
    stage: Stage
    parts: list[Part]
    head: bool


class LatestAssignment(TypedDict):
    """An examiner's newest batch."""

    examiner: Opaque
    batch: Uuid
    station: Code
    occupation: str
    theory_at: Stamp
    stage: Stage


class Sitting(TypedDict):
    """考位: where a candidate sits; room, seat (from 1 on), ticket and the drawn paper's id in time."""

    application: Uuid
    candidate: Uuid
    batch: Uuid
    level: Level
    room: str
    seat: Count
    ticket: str
    status: Presence
    paper: str
