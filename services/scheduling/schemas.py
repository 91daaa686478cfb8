"""What callers send to scheduling."""

from typing import get_args

from services.scheduling.answers import Stage
from services.scheduling.domain import batch, sitting
from services.scheduling.domain.panel import PARTS
from shared.wire.schemas import (
    Choice,
    CommandSchema,
    Id,
    Many,
    Moment,
    Newest,
    Number,
    Page,
    QuerySchema,
    Station,
    Text,
    Truth,
)


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


class CloseBatch(CommandSchema):
    """关闭批次: how many sittings have ended is looked up, not said."""

    command = batch.CloseBatch

    batch = Id()


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
    key = "batch"

    station = Station()


class Agenda(Newest):
    key = "batch"

    stage = Choice(*get_args(Stage))


class LatestBatches(Newest):
    key = "batch"

    station = Station()


class Stations(QuerySchema):
    key = "station"

    after = Station(required=False, load_default="")
    limit = Number(1, 500, required=False, load_default=100)


class ExamDays(QuerySchema):
    station = Station()
    since = Moment()
    until = Moment()


class PanelOf(QuerySchema):
    batch = Id()


class Assignments(Newest):
    key = "batch"

    examiner = Id()


class LatestAssignments(QuerySchema):
    examiners = Many(Id(), most=100)


class SittingOf(QuerySchema):
    sitting = Id()


class SittingsOf(Page):
    key = "application"

    batch = Id()
