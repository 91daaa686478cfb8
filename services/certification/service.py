"""Certification on the bus: entrypoint, one call, done."""

from typing import Any

from services.certification import queries, schemas
from services.certification.domain.book import book
from services.certification.domain.dossier import dossier
from services.certification.policies import policies
from services.certification.projections import certificates
from shared.runtime.callers import FOLLOWERS
from shared.runtime.chassis import STAFF, Commands, Feed, Queries, Subscription, rpc
from shared.runtime.definition import Definition
from shared.runtime.gauges import Gauges

definition = Definition(
    name="certification",
    package=__package__,
    aggregates=(dossier, book),
    schemas=schemas,
    policies=policies,
    projections=(certificates,),
)


class Certification:
    """What follows."""

    name = definition.name

    execute = Commands(definition)
    read = Queries(definition)
    subscription = Subscription(definition)
    feed = Feed(definition)
    gauges = Gauges()

    @rpc
    def approve_certificate(self, **message: Any) -> dict[str, Any]:
        return self.execute(schemas.ApproveCertificate, message)

    @rpc
    def certificate(self, **message: Any) -> dict[str, Any] | None:
        return self.read(queries.certificate, schemas.CertificateOf, message)

    @rpc
    def certificates(self, **message: Any) -> list[dict[str, Any]]:
        return self.read(queries.certificates, schemas.CertificatesOf, message)

    @rpc
    def dossier(self, **message: Any) -> dict[str, Any] | None:
        return self.read(queries.dossier, schemas.DossierOf, message, roles=STAFF, sensitive=True)

    @rpc
    def statistics(self, **message: Any) -> dict[str, Any]:
        return self.read(queries.statistics, schemas.StatisticsOf, message)

    @rpc
    def events_after(self, **message: Any) -> dict[str, Any]:
        return self.feed.after(message)

    @rpc
    def standing(self) -> dict[str, Any]:
        """How far the service has come, and what waits for whom."""
        return self.gauges(roles=FOLLOWERS)
