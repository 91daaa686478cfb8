"""Scoring on the bus: entrypoint, one call, done."""

from typing import Any

from services.scoring import answers, queries, schemas, signatures
from services.scoring.domain.panel import panel
from services.scoring.domain.result import result
from services.scoring.domain.sheet import SubmitScore, sheet
from services.scoring.domain.signer import signer
from services.scoring.policies import policies
from services.scoring.projections import desks, marks, scores
from shared.bus.calls import Refused
from shared.kernel.actors import Role
from shared.kernel.errors import Refusal
from shared.runtime.callers import FOLLOWERS
from shared.runtime.chassis import STAFF, Accepted, Commands, Feed, Queries, Subscription, rpc
from shared.runtime.definition import Definition
from shared.runtime.gauges import Gauges, Standing
from shared.runtime.operations import operated
from shared.wire.answers import Decided, LogPage

definition = Definition(
    name="scoring",
    package=__package__,
    aggregates=(panel, sheet, result, signer),
    schemas=schemas,
    policies=policies,
    projections=(scores, desks, marks),
)


# an examiner asks about himself; a candidate, and a service, does not ask about examiners
_PEOPLE = STAFF - {Role.SERVICE} | {Role.EXAMINER}


# who decides about results, keeps their register, or supervises both
_REVIEWERS = frozenset({Role.SCORE_REGISTRAR, Role.SCORE_REVIEWER, Role.CENTRE_OFFICER, Role.SUPERVISOR})


@operated(definition)
class Scoring:
    """How well it went."""

    name = definition.name

    execute = Commands(definition)
    read = Queries(definition)
    subscription = Subscription(definition)
    feed = Feed(definition)
    gauges = Gauges()

    @rpc
    def submit_score(self, **message: Any) -> Decided:
        """提交成绩; signed with the key that is registered for whoever submits, once there is one."""
        accepted = self.execute.accept(schemas.SubmitScore, message)
        return accepted.decide(SubmitScore, accepted.fields, drawn=self._key(accepted))

    @rpc
    def register_signing_key(self, **message: Any) -> Decided:
        return self.execute(schemas.RegisterSigningKey, message)

    @rpc
    def propose_correction(self, **message: Any) -> Decided:
        return self.execute(schemas.ProposeCorrection, message)

    @rpc
    def approve_correction(self, **message: Any) -> Decided:
        return self.execute(schemas.ApproveCorrection, message)

    @rpc
    def review_scores(self, **message: Any) -> Decided:
        return self.execute(schemas.ReviewScores, message)

    @rpc
    def publish_result(self, **message: Any) -> Decided:
        return self.execute(schemas.PublishResult, message)

    @rpc
    def sheet(self, **message: Any) -> answers.SheetStanding | None:
        """One sheet; examiners are asked for theirs at their `desk`, and see no other's."""
        return self.read(queries.sheet, schemas.SheetOf, message, roles=STAFF)

    @rpc
    def sheets(self, **message: Any) -> list[answers.Sheet]:
        return self.read(queries.sheets, schemas.SheetsOf, message, roles=_PEOPLE)

    @rpc
    def result(self, **message: Any) -> answers.Result | None:
        return self.read(queries.result, schemas.ResultOf, message, roles=STAFF, sensitive=True)

    @rpc
    def result_status(self, **message: Any) -> answers.ResultProgress | None:
        """How far a result has come, without any score."""
        return self.read(queries.result_status, schemas.ResultOf, message, roles=STAFF)

    @rpc
    def marks(self, **message: Any) -> list[answers.Mark]:
        """What a result is made of: its sheets, who scored them, signed or not, and corrections."""
        return self.read(queries.marks, schemas.ResultOf, message, roles=_REVIEWERS, sensitive=True)

    @rpc
    def results(self, **message: Any) -> list[answers.Result]:
        return self.read(queries.results, schemas.ResultsOf, message, roles=STAFF, sensitive=True)

    @rpc
    def results_in(self, **message: Any) -> list[answers.Result]:
        """The results of all batches that wait for review, or for publication."""
        return self.read(queries.results_in, schemas.ResultsIn, message, roles=STAFF, sensitive=True)

    @rpc
    def own_results(self, **message: Any) -> list[answers.Result]:
        """The published results of one candidate; a candidate asks about himself."""
        roles = STAFF | {Role.CANDIDATE}
        return self.read(queries.own_results, schemas.OwnResults, message, roles=roles)

    @rpc
    def distribution(self, **message: Any) -> list[answers.Band]:
        """Published scores of a batch in bands of 5 points."""
        return self.read(queries.distribution, schemas.DistributionOf, message, roles=STAFF)

    @rpc
    def desk(self, **message: Any) -> list[answers.Desk]:
        """The sheets of an examiner in all batches; an examiner asks about himself."""
        return self.read(queries.desk, schemas.DeskOf, message, roles=_PEOPLE)

    @rpc
    def proposals(self, **message: Any) -> list[answers.Proposal]:
        """Corrections that wait for a second person."""
        roles = {Role.SCORE_REVIEWER, Role.SUPERVISOR}
        return self.read(queries.proposals, schemas.Proposals, message, roles=roles, sensitive=True)

    @rpc
    def signing_key(self, **message: Any) -> answers.Key | None:
        """The key that speaks for an examiner."""
        return self.read(queries.signing_key, schemas.SigningKeyOf, message, roles=_PEOPLE)

    @rpc
    def events_after(self, **message: Any) -> LogPage:
        return self.feed.after(message)

    @rpc
    def standing(self) -> Standing:
        """How far the service has come, and what waits for whom."""
        return self.gauges(roles=FOLLOWERS)

    def _key(self, accepted: Accepted) -> dict[str, str]:
        if accepted.by is None:
            return {}
        key, fields = self.execute.state(signer, accepted.by.id).public_key, accepted.fields
        if not key and "signature" not in fields:
            return {}
        try:
            signatures.check(key, **{"signature": "", **fields})
        except Refusal as refusal:
            raise Refused.of(refusal) from None
        return {"public_key": key}
