"""Registration on the bus: entrypoint, one call, done."""

from typing import Any

from services.registration import queries, schemas
from services.registration.domain.application import SubmitApplication, application
from services.registration.domain.errors import PersonUnknown
from services.registration.domain.person import EnrolPerson, person
from services.registration.domain.training import training
from services.registration.people import People
from services.registration.policies import policies
from services.registration.projections import register
from shared.bus.calls import Refused
from shared.runtime.callers import FOLLOWERS
from shared.runtime.chassis import STAFF, Built, Commands, Feed, Queries, Subscription, rpc
from shared.runtime.definition import Definition
from shared.runtime.gauges import Gauges
from shared.security.keys import secret
from shared.security.vault import Vault

definition = Definition(
    name="registration",
    package=__package__,
    aggregates=(person, training, application),
    schemas=schemas,
    policies=policies,
    projections=(register,),
)


def _vault(workshop: Any) -> Vault:
    return Vault(secret(workshop.settings.secrets / "vault.master"))


class Registration:
    """Who takes part."""

    name = definition.name

    execute = Commands(definition)
    read = Queries(definition)
    people = Built(lambda workshop: People(_vault(workshop), workshop.persistently))
    subscription = Subscription(definition)
    feed = Feed(definition)
    gauges = Gauges()

    @rpc
    def enrol_person(self, **message: Any) -> dict[str, Any]:
        """人员建档 -> {stream, version, events}."""
        return self.people.enrol(self.execute.accept(schemas.EnrolPerson, message, EnrolPerson))

    @rpc
    def record_training(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.RecordTraining, message)

    @rpc
    def submit_application(self, **message: Any) -> dict[str, Any]:
        """提交申请, for a person who is enrolled."""
        accepted = self.execute.accept(schemas.SubmitApplication, message)
        if not self.execute.state(person, accepted.fields["candidate"]).enrolled:
            raise Refused.of(PersonUnknown())
        return accepted.decide(SubmitApplication, accepted.fields)

    @rpc
    def pass_station_review(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.PassStationReview, message)

    @rpc
    def reject_at_station(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.RejectAtStation, message)

    @rpc
    def pass_centre_review(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.PassCentreReview, message)

    @rpc
    def reject_at_centre(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.RejectAtCentre, message)

    @rpc
    def withdraw_application(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.WithdrawApplication, message)

    @rpc
    def application(self, **message: Any) -> dict[str, Any] | None:
        return self.read(queries.application, schemas.ApplicationOf, message, roles=STAFF)

    @rpc
    def roster(self, **message: Any) -> list[dict[str, Any]]:
        return self.read(queries.roster, schemas.Roster, message, roles=STAFF)

    @rpc
    def events_after(self, **message: Any) -> dict[str, Any]:
        return self.feed.after(message)

    @rpc
    def standing(self) -> dict[str, Any]:
        """How far the service has come, and what waits for whom."""
        return self.gauges(roles=FOLLOWERS)
