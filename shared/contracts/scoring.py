"""What scoring says: panels, score sheets under blind codes, corrections, results."""

from shared.contracts.attempts import Attempt
from shared.contracts.reads import Read
from shared.contracts.seals import Seal
from shared.kernel.events import Event, subject


class ScoringEvent(Event, service="scoring"):
    """Base of scoring's events. Scores are whole points out of 100."""


class AttemptRefused(Attempt, ScoringEvent):
    """越权操作被拒绝 (R015)."""


class SensitiveRead(Read, ScoringEvent):
    """敏感读取 (R163)."""


class BatchSealed(Seal, ScoringEvent):
    """批次封存计数 of this source (R172)."""


class ExaminerAdmitted(ScoringEvent):
    """考评员进入考评组: may score this part of this batch (R011, R066)."""

    batch: str = subject()
    examiner: str = subject()
    part: str


class SheetOpened(ScoringEvent):
    """评分表建立 for one blind code and part, frozen to paper and rubric (R089, R111)."""

    sheet: str
    blind_code: str = subject("sheet")
    application: str = subject()
    batch: str = subject()
    station: str = subject()
    part: str
    paper: str
    rubric: str
    examiners: tuple[str, ...]


class ScoreSubmitted(ScoringEvent):
    """成绩提交 by an assigned examiner under a blind code (R114, R127)."""

    sheet: str
    blind_code: str = subject("sheet")
    batch: str = subject()
    station: str = subject()
    part: str
    score: int
    rubric: str
    examiner: str = subject()
    sheet_digest: str


class SigningKeyRegistered(ScoringEvent):
    """签名密钥登记: from now on this Ed25519 key speaks for the examiner, and none before it (R127)."""

    examiner: str = subject()
    public_key: str


class SheetSigned(ScoringEvent):
    """评分表签名: made by the examiner's own key over sheet, score and digest, and checked (R114, R127)."""

    sheet: str
    blind_code: str = subject("sheet")
    batch: str = subject()
    station: str = subject()
    part: str
    examiner: str = subject()
    sheet_digest: str
    public_key: str
    signature: str


class CorrectionProposed(ScoringEvent):
    """成绩更正申请 with its reason; nothing changes before a second person agrees (R115)."""

    sheet: str
    blind_code: str = subject("sheet")
    batch: str = subject()
    station: str = subject()
    part: str
    old: int
    new: int
    reason: str
    proposer: str = subject("examiner")


class ScoreCorrected(ScoringEvent):
    """成绩更正: old, new, reason and both people; the first score stays in the log (R115, D11)."""

    sheet: str
    blind_code: str = subject("sheet")
    batch: str = subject()
    station: str = subject()
    part: str
    old: int
    new: int
    reason: str
    proposer: str = subject("examiner")
    approver: str


class ResultOpened(ScoringEvent):
    """成绩册建立 once the candidate is checked in: whose the scores of an application are (R119)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()


class PartScored(ScoringEvent):
    """单科成绩入册: a sheet's score reaches the candidate's result (R119)."""

    application: str = subject()
    batch: str = subject()
    part: str
    score: int
    sheet: str


class ScoresCombined(ScoringEvent):
    """成绩合成 by a rule that is data: theory >= 60 and practical >= 60 (R120, R122)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    theory: int
    practical: int
    passed: bool
    rule: str


class ScoresReviewed(ScoringEvent):
    """成绩审核确认 by somebody who did not score (R120)."""

    application: str = subject()
    batch: str = subject()
    station: str = subject()
    reviewer: str


class ResultPublished(ScoringEvent):
    """成绩公布 (R120)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    theory: int
    practical: int
    passed: bool
