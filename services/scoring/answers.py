"""What scoring answers."""

from typing import Literal, TypedDict

from shared.wire.answers import Code, Count, Opaque, Part, Score, Uuid

SheetStatus = Literal["open", "scored", "correction_proposed", "corrected"]
ResultStatus = Literal["open", "combined", "reviewed", "published"]


class Sheet(TypedDict):
    """评分表 as an examiner may see it: it names no candidate (R070)."""

    sheet: str
    blind_code: str
    part: Part
    paper: str
    status: SheetStatus


class Desk(TypedDict):
    """评分表 of one examiner; `signed` by the key that he has registered."""

    sheet: str
    blind_code: str
    batch: Uuid
    part: Part
    paper: str
    status: SheetStatus
    signed: bool


class Result(TypedDict):
    """成绩: null for a part that has no score yet, and for `passed` before both are combined by a rule."""

    application: Uuid
    candidate: Uuid
    batch: Uuid
    station: Code
    theory: Score | None
    practical: Score | None
    passed: bool | None
    rule: str
    status: ResultStatus


class Band(TypedDict):
    """How many published scores lie in 5 points from 5 * `band` on; 100 counts with those below it."""

    band: Count
    theory: Count
    practical: Count


class Proposal(TypedDict):
    """待批准的更正."""

    sheet: str
    batch: Uuid
    station: Code
    part: Part
    old: Score
    new: Score
    reason: str
    proposer: Opaque


class Key(TypedDict):
    """签名密钥: an Ed25519 key in base64url."""

    examiner: Opaque
    public_key: str
