"""Certification on the bus: entrypoint, one call, done."""

from typing import Any

from services.certification import answers, queries, schemas
from services.certification.checking import Register
from services.certification.domain.book import book
from services.certification.domain.dossier import dossier
from services.certification.policies import policies
from services.certification.projections import certificates
from shared.kernel.actors import Role
from shared.runtime.callers import FOLLOWERS
from shared.runtime.chassis import STAFF, Built, Commands, Feed, Queries, Subscription, Visitors, rpc
from shared.runtime.definition import Definition
from shared.runtime.gauges import Gauges, Standing
from shared.runtime.operations import operated
from shared.wire.answers import Decided, LogPage

definition = Definition(
    name="certification",
    package=__package__,
    aggregates=(dossier, book),
    schemas=schemas,
    policies=policies,
    projections=(certificates,),
)


@operated(definition)
class Certification:
    """What follows."""

    name = definition.name

    execute = Commands(definition)
    read = Queries(definition)
    register = Built(Register)
    visit = Visitors()
    subscription = Subscription(definition)
    feed = Feed(definition)
    gauges = Gauges()

    @rpc
    def approve_certificate(self, **message: Any) -> Decided:
        return self.execute(schemas.ApproveCertificate, message)

    @rpc
    def certificate(self, **message: Any) -> answers.Certificate | None:
        return self.read(queries.certificate, schemas.CertificateOf, message, roles=STAFF)

    @rpc
    def certificates(self, **message: Any) -> list[answers.Certificate]:
        return self.read(queries.certificates, schemas.CertificatesOf, message, roles=STAFF)

    @rpc
    def dossier(self, **message: Any) -> answers.Dossier | None:
        return self.read(queries.dossier, schemas.DossierOf, message, roles=STAFF, sensitive=True)

    @rpc
    def statistics(self, **message: Any) -> answers.Statistics:
        return self.read(queries.statistics, schemas.StatisticsOf, message)

    @rpc
    def statistics_of(self, **message: Any) -> list[answers.StatisticsOf]:
        """How many of each batch came how far."""
        return self.read(queries.statistics_of, schemas.StatisticsOfMany, message, roles=STAFF)

    @rpc
    def waiting(self, **message: Any) -> list[answers.Dossier]:
        """Dossiers of those who passed and have no certificate yet."""
        roles = {Role.CERTIFICATE_PROCESSOR, Role.SUPERVISOR, Role.CENTRE_OFFICER}
        return self.read(queries.waiting, schemas.Waiting, message, roles=roles)

    @rpc
    def own_certificates(self, **message: Any) -> list[answers.Certificate]:
        """The certificates of one candidate; a candidate asks about himself."""
        roles = STAFF | {Role.CANDIDATE}
        return self.read(queries.own_certificates, schemas.OwnCertificates, message, roles=roles)

    @rpc
    def check(self, **message: Any) -> answers.Checked:
        """Whether a certificate is genuine, by its number and the name on it; open to everybody (R139)."""
        return self.register.check(self.visit(schemas.CheckOf, message))

    @rpc
    def events_after(self, **message: Any) -> LogPage:
        return self.feed.after(message)

    @rpc
    def standing(self) -> Standing:
        """How far the service has come, and what waits for whom."""
        return self.gauges(roles=FOLLOWERS)
