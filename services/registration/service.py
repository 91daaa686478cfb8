"""Registration on the bus: entrypoint, one call, done."""

from typing import Any

from services.registration import queries, schemas
from services.registration.domain.application import application
from services.registration.domain.person import person
from services.registration.domain.training import training
from services.registration.people import People
from services.registration.policies import policies
from services.registration.projections import register
from shared.runtime.chassis import Built, Commands, Feed, Queries, Subscription, rpc
from shared.runtime.definition import Definition
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
    people = Built(lambda workshop: People(_vault(workshop), workshop.connect))
    subscription = Subscription(definition)
    feed = Feed(definition)

    @rpc
    def enrol_person(self, **message: Any) -> dict[str, Any]:
        """人员建档 -> {stream, version, events}."""
        return self.people.enrol(self.execute.accept(schemas.EnrolPerson, message))

    @rpc
    def record_training(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.RecordTraining, message)

    @rpc
    def submit_application(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.SubmitApplication, message)

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
        return self.read(queries.application, schemas.ApplicationOf, message)

    @rpc
    def roster(self, **message: Any) -> list[dict[str, Any]]:
        return self.read(queries.roster, schemas.Roster, message)

    @rpc
    def events_after(self, **message: Any) -> dict[str, Any]:
        return self.feed.after(message)
