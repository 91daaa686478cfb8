"""What callers send to scheduling."""

from typing import Any

from marshmallow import fields

from services.scheduling.domain import batch, sitting
from services.scheduling.domain.panel import PARTS
from shared.wire.schemas import (
    Choice,
    CommandSchema,
    Id,
    Many,
    Moment,
    Number,
    Page,
    QuerySchema,
    Station,
    Text,
)


class Truth(fields.Boolean):
    """A required true or false; no text and no number stands for it."""

    def __init__(self) -> None:
        messages: dict[str, Any] = {
            "required": "必填 / is required",
            "null": "不能为空 / must not be null",
            "invalid": "须为 true 或 false / must be true or false",
        }
        super().__init__(required=True, error_messages=messages)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return super()._deserialize(value, *args, **kwargs)


class ApplyForBatch(CommandSchema):
    command = batch.ApplyForBatch

    batch = Id()
    station = Station()
    occupation = Text(40)
    catalogue = Text(20)
    levels = Many(Number(1, 5), most=5)
    planned = Number(1, 500)
    theory_at = Moment()
    practical_at = Moment()


class IssueTaskNotice(CommandSchema):
    command = batch.IssueTaskNotice

    batch = Id()
    notice = Text(60)


class SealPaperPool(CommandSchema):
    command = batch.SealPaperPool

    batch = Id()
    papers = Many(Id(), most=100)


class AssignExaminer(CommandSchema):
    command = batch.AssignExaminer

    batch = Id()
    examiner = Id()
    part = Choice(*PARTS)
    head = Truth()


class AllocateSeats(CommandSchema):
    """编排考位: nobody chooses the seed, or he would choose who sits beside whom."""

    command = batch.AllocateSeats

    batch = Id()
    rooms = Many(Text(40), most=50)


class CheckIn(CommandSchema):
    command = sitting.CheckIn

    sitting = Id()
    ticket = Text(40)
    document_checked = Truth()
    photo_matches = Truth()


class MarkAbsent(CommandSchema):
    command = sitting.MarkAbsent

    sitting = Id()


class DrawPaper(CommandSchema):
    """抽题: nobody chooses the lot, or he would choose the paper."""

    command = sitting.DrawPaper

    sitting = Id()


class BatchOf(QuerySchema):
    batch = Id()


class BatchesOf(Page):
    station = Station()


class SittingsOf(Page):
    batch = Id()
