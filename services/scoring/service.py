"""Scoring on the bus: entrypoint, one call, done."""

from typing import Any

from services.scoring import queries, schemas
from services.scoring.domain.panel import panel
from services.scoring.domain.result import result
from services.scoring.domain.sheet import sheet
from services.scoring.policies import policies
from services.scoring.projections import scores
from shared.runtime.callers import FOLLOWERS
from shared.runtime.chassis import STAFF, Commands, Feed, Queries, Subscription, rpc
from shared.runtime.definition import Definition
from shared.runtime.gauges import Gauges

definition = Definition(
    name="scoring",
    package=__package__,
    aggregates=(panel, sheet, result),
    schemas=schemas,
    policies=policies,
    projections=(scores,),
)


class Scoring:
    """How well it went."""

    name = definition.name

    execute = Commands(definition)
    read = Queries(definition)
    subscription = Subscription(definition)
    feed = Feed(definition)
    gauges = Gauges()

    @rpc
    def submit_score(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.SubmitScore, message)

    @rpc
    def propose_correction(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.ProposeCorrection, message)

    @rpc
    def approve_correction(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.ApproveCorrection, message)

    @rpc
    def review_scores(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.ReviewScores, message)

    @rpc
    def publish_result(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.PublishResult, message)

    @rpc
    def sheet(self, **message: Any) -> dict[str, Any] | None:
        return self.read(queries.sheet, schemas.SheetOf, message)

    @rpc
    def sheets(self, **message: Any) -> list[dict[str, Any]]:
        return self.read(queries.sheets, schemas.SheetsOf, message)

    @rpc
    def result(self, **message: Any) -> dict[str, Any] | None:
        return self.read(queries.result, schemas.ResultOf, message, roles=STAFF, sensitive=True)

    @rpc
    def results(self, **message: Any) -> list[dict[str, Any]]:
        return self.read(queries.results, schemas.ResultsOf, message, roles=STAFF, sensitive=True)

    @rpc
    def events_after(self, **message: Any) -> dict[str, Any]:
        return self.feed.after(message)

    @rpc
    def standing(self) -> dict[str, Any]:
        """How far the service has come, and what waits for whom."""
        return self.gauges(roles=FOLLOWERS)
