"""What scoring answers."""

from typing import Literal, TypedDict

from shared.wire.answers import Code, Count, Empty, Opaque, Part, Score, Sha256, Stamp, Uuid

SheetStatus = Literal["open", "scored", "correction_proposed", "corrected"]
ResultStatus = Literal["open", "combined", "reviewed", "published"]


class Sheet(TypedDict):
    """评分表 as an examiner may see it: it names no candidate (R070)."""

    sheet: str
    blind_code: str
    part: Part
    paper: str
    status: SheetStatus


class SheetStanding(Sheet):
    """The same of one sheet, and whether a correction of it waits for a second person."""

    correction_waits: bool


class Correction(TypedDict):
    """成绩更正: by whom it was proposed, and who has approved it, if anybody has (R115)."""

    proposed_at: Stamp
    old: Score
    new: Score
    reason: str
    proposer: Opaque
    approver: Opaque | Empty


class Mark(TypedDict):
    """评分明细 of a result: a sheet with its panel, who scored it, and its score of today."""

    sheet: str
    blind_code: str
    part: Part
    paper: str
    panel: list[Opaque]
    examiner: Opaque | Empty
    score: Score | None
    sheet_digest: Sha256 | Empty
    signed: bool
    status: SheetStatus
    corrections: list[Correction]


class ResultProgress(TypedDict):
    """How far a result has come."""

    application: Uuid
    status: ResultStatus


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
