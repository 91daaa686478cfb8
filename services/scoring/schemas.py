"""What callers send to scoring."""

from typing import Any, get_args

from marshmallow import validate

from services.scoring.answers import SheetStatus
from services.scoring.domain import result, sheet, signer
from shared.wire.schemas import (
    Choice,
    CommandSchema,
    Digest,
    Id,
    Newest,
    Number,
    Page,
    QuerySchema,
    Text,
    Words,
)


class Sheet(Words):
    """A blind code and a part: `B-7H2K9QXW4M-theory`."""

    kind = "blind code and part, as B-7H2K9QXW4M-theory"
    spelling = r"B-[2-9A-HJ-NP-Z]{10}-(theory|practical)"

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", True)
        message = "须为盲码加科目 / must be a blind code and a part, as B-7H2K9QXW4M-theory"
        super().__init__(validate=validate.Regexp(rf"{self.spelling}\Z", error=message), **kwargs)


class Encoded(Words):
    """So many bytes in base64url without padding."""

    kind = "base64url"

    def __init__(self, size: int, **kwargs: Any) -> None:
        kwargs.setdefault("required", True)
        message = f"须为 {size} 字节的 base64url / must be {size} bytes in base64url"
        length = (size * 4 + 2) // 3
        pattern = rf"[A-Za-z0-9_-]{{{length}}}\Z"
        super().__init__(validate=validate.Regexp(pattern, error=message), **kwargs)


class SubmitScore(CommandSchema):
    command = sheet.SubmitScore

    sheet = Sheet()
    score = Number(0, 100)
    sheet_digest = Digest()
    signature = Encoded(64, required=False)


class RegisterSigningKey(CommandSchema):
    command = signer.RegisterSigningKey

    signer = Id()
    public_key = Encoded(32)


class ProposeCorrection(CommandSchema):
    command = sheet.ProposeCorrection

    sheet = Sheet()
    new = Number(0, 100)
    reason = Text(200)


class ApproveCorrection(CommandSchema):
    command = sheet.ApproveCorrection

    sheet = Sheet()
    new = Number(0, 100)


class ReviewScores(CommandSchema):
    command = result.ReviewScores

    result = Id()


class PublishResult(CommandSchema):
    command = result.PublishResult

    result = Id()


class SheetOf(QuerySchema):
    sheet = Sheet()


class SheetsOf(Page):
    key = "sheet"

    batch = Id()
    examiner = Id()
    after: Any = Sheet(required=False, load_default="")


class ResultOf(QuerySchema):
    application = Id()


class ResultsOf(Page):
    key = "application"

    batch = Id()


class ResultsIn(Newest):
    key = "application"

    status = Choice("combined", "reviewed")


class DeskOf(Page):
    key = "sheet"

    examiner = Id()
    status = Choice(*get_args(SheetStatus), "marked", required=False, load_default="")
    after: Any = Sheet(required=False, load_default="")


class Proposals(Page):
    key = "sheet"

    after: Any = Sheet(required=False, load_default="")


class OwnResults(QuerySchema):
    candidate = Id()


class DistributionOf(QuerySchema):
    batch = Id()


class SigningKeyOf(QuerySchema):
    examiner = Id()
