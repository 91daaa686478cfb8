"""Scheduling on the bus: entrypoint, one call, done."""

import secrets
from typing import Any

from services.scheduling import answers, queries, schemas
from services.scheduling.domain.batch import batch
from services.scheduling.domain.sitting import sitting
from services.scheduling.policies import policies
from services.scheduling.projections import board, panels
from shared.kernel.actors import Role
from shared.kernel.ids import blind_code
from shared.runtime.callers import FOLLOWERS
from shared.runtime.chassis import STAFF, Commands, Feed, Queries, Subscription, rpc
from shared.runtime.definition import Definition
from shared.runtime.gauges import Gauges, Standing
from shared.runtime.operations import operated
from shared.wire.answers import Decided, LogPage

definition = Definition(
    name="scheduling",
    package=__package__,
    aggregates=(batch, sitting),
    schemas=schemas,
    policies=policies,
    projections=(board, panels),
)


@operated(definition)
class Scheduling:
    """When, where and with what."""

    name = definition.name

    execute = Commands(definition)
    read = Queries(definition)
    subscription = Subscription(definition)
    feed = Feed(definition)
    gauges = Gauges()

    @rpc
    def apply_for_batch(self, **message: Any) -> Decided:
        return self.execute(schemas.ApplyForBatch, message)

    @rpc
    def issue_task_notice(self, **message: Any) -> Decided:
        return self.execute(schemas.IssueTaskNotice, message)

    @rpc
    def seal_paper_pool(self, **message: Any) -> Decided:
        return self.execute(schemas.SealPaperPool, message)

    @rpc
    def assign_examiner(self, **message: Any) -> Decided:
        return self.execute(schemas.AssignExaminer, message)

    @rpc
    def allocate_seats(self, **message: Any) -> Decided:
        return self.execute(schemas.AllocateSeats, message, seed=secrets.token_hex(32))

    @rpc
    def close_batch(self, **message: Any) -> Decided:
        accepted = self.execute.accept(schemas.CloseBatch, message)
        found = self.read(queries.batch, schemas.BatchOf, {"batch": accepted.fields["batch"]})
        ended = found["drawn"] + found["absent"] if found else 0
        return accepted.decide(schemas.CloseBatch.command, accepted.fields, drawn={"ended": ended})

    @rpc
    def check_in(self, **message: Any) -> Decided:
        return self.execute(schemas.CheckIn, message, blind_code=blind_code())

    @rpc
    def mark_absent(self, **message: Any) -> Decided:
        return self.execute(schemas.MarkAbsent, message)

    @rpc
    def draw_paper(self, **message: Any) -> Decided:
        return self.execute(schemas.DrawPaper, message, lot=secrets.token_hex(32))

    @rpc
    def batch(self, **message: Any) -> answers.Batch | None:
        return self.read(queries.batch, schemas.BatchOf, message)

    @rpc
    def batches(self, **message: Any) -> list[answers.Batch]:
        return self.read(queries.batches, schemas.BatchesOf, message)

    @rpc
    def agenda(self, **message: Any) -> list[answers.Batch]:
        """The batches of all stations in a stage, newest first."""
        return self.read(queries.agenda, schemas.Agenda, message, roles=STAFF)

    @rpc
    def latest_batches(self, **message: Any) -> list[answers.Batch]:
        """The batches of a station, newest first."""
        return self.read(queries.latest_batches, schemas.LatestBatches, message, roles=STAFF)

    @rpc
    def stations(self, **message: Any) -> list[answers.Station]:
        """Stations by code, each with its newest batch."""
        return self.read(queries.stations, schemas.Stations, message, roles=STAFF)

    @rpc
    def exam_days(self, **message: Any) -> list[answers.Batch]:
        """The batches of a station that are examined between two moments."""
        return self.read(queries.exam_days, schemas.ExamDays, message, roles=STAFF)

    @rpc
    def panel(self, **message: Any) -> list[answers.Member]:
        """Who examines which part of a batch."""
        return self.read(queries.panel, schemas.PanelOf, message, roles=STAFF)

    @rpc
    def assignments(self, **message: Any) -> list[answers.Assignment]:
        """The batches of an examiner, newest first; he himself may ask (R067)."""
        roles = STAFF | {Role.EXAMINER}
        return self.read(queries.assignments, schemas.Assignments, message, roles=roles)

    @rpc
    def latest_assignments(self, **message: Any) -> list[answers.LatestAssignment]:
        """The newest assignment of each of some examiners."""
        return self.read(queries.latest_assignments, schemas.LatestAssignments, message, roles=STAFF)

    @rpc
    def sitting(self, **message: Any) -> answers.Sitting | None:
        return self.read(queries.sitting, schemas.SittingOf, message, roles=STAFF)

    @rpc
    def sittings(self, **message: Any) -> list[answers.Sitting]:
        return self.read(queries.sittings, schemas.SittingsOf, message, roles=STAFF)

    @rpc
    def events_after(self, **message: Any) -> LogPage:
        return self.feed.after(message)

    @rpc
    def standing(self) -> Standing:
        """How far the service has come, and what waits for whom."""
        return self.gauges(roles=FOLLOWERS)
