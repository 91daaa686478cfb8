"""Audit on the bus: entrypoint, one call, done."""

from typing import Any

from services.audit import (
    bundles,
    export,
    findings,
    keyring,
    programs,
    promised,
    schemas,
    signed,
    standing,
    told,
    trails,
    verification,
)
from services.audit.log import recorder
from services.audit.sources import Watch
from shared.contracts import SOURCES
from shared.kernel.actors import Role
from shared.runtime.callers import FOLLOWERS
from shared.runtime.chassis import Built, Door, Queries, Subscription, Workshop, rpc
from shared.runtime.definition import Definition
from shared.runtime.gauges import Gauges
from shared.runtime.regularly import Regularly
from shared.security import heads
from shared.security.heads import Head

definition = Definition(
    name="audit",
    package=__package__,
    consumers=(recorder,),
    tools={
        "reached": verification.reached,
        "verify": verification.verify_at_once,
        "promise": promised.promise,
        "broken": promised.broken,
        "hashes": told.hashes,
        "index": told.index,
        "trail": trails.trail,
        "export": export.export,
        "bundle": bundles.bundle,
        "newest": signed.newest,
        "published": signed.published,
        "standing": signed.standing,
        "findings": findings.findings,
        "concerns": standing.concerns,
        "policy": keyring.policy,
        "rotate": keyring.rotate,
        "finish": keyring.finish,
        "sign": programs.sign,
        "sign_now": programs.sign_now,
        "witness": programs.serve_witness,
    },
    programs=(programs.beside,),
)

SUPERVISION = frozenset(
    {
        Role.SUPERVISOR,
        Role.CENTRE_OFFICER,
        Role.CERTIFICATE_PROCESSOR,
        Role.SCORE_REVIEWER,
        Role.STATION_DIRECTOR,
    }
)


class Audit:
    """Whether it was honest."""

    name = definition.name

    read = Queries(definition)
    subscription = Subscription(definition)
    workshop = Built(lambda workshop: workshop)
    admit = Door()
    gauges = Gauges(standing.told)
    watch = Regularly(
        lambda workshop: Watch(workshop.settings, workshop.connect, workshop.heartbeat).step,
        lambda settings: settings.heartbeat_seconds,
    )

    @rpc
    def trail(self, **message: Any) -> list[dict[str, Any]]:
        """Everything around a candidate, batch, examiner, certificate … in order (R154)."""
        return self.read(trails.trail, schemas.Trail, message, roles=SUPERVISION)

    @rpc
    def entries(self, **message: Any) -> list[str]:
        """The log behind an index, as sealed."""
        return self.read(trails.entries, schemas.Entries, message, roles=SUPERVISION)

    @rpc
    def findings(self, **message: Any) -> list[dict[str, Any]]:
        """What somebody has to look at, behind an id (R155)."""
        return self.read(findings.spelled, schemas.Findings, message, roles=SUPERVISION)

    @rpc
    def head(self, **message: Any) -> dict[str, Any]:
        """{size, root}."""
        return self.read(trails.head, schemas.Nothing, message)

    @rpc
    def standing(self) -> dict[str, Any]:
        """How far the service has come, how its sources stand, and how far the log is signed."""
        return self.gauges(roles=FOLLOWERS)

    @rpc
    def checkpoint(self) -> str:
        """The newest checkpoint that a quorum of witnesses has cosigned, as a signed note; empty if none."""
        with self.workshop.connect() as connection:
            note = signed.published(connection, self.workshop.settings.origin)
        return str(note or "")

    @rpc
    def verify(self) -> dict[str, Any]:
        """{verified, size, root, sources, problems}, against the sources' heads of this moment."""
        self.admit(SUPERVISION)
        settings = self.workshop.settings
        with self.workshop.connect() as connection:
            before, promise = verification.reached(connection), promised.promise(connection, settings)
        said = _heads(self.workshop)
        with self.workshop.connect() as connection:
            verdict = verification.verify(connection, said, before=before)
            verdict.problems += promised.broken(connection, settings, promise, verdict)
            return verdict.as_data()


def _heads(workshop: Workshop) -> list[Head]:
    """The newest head of every source, as its feed gives it."""
    return [_head(workshop, service) for service in SOURCES]


def _head(workshop: Workshop, service: str) -> Head:
    said = workshop.head(service)
    hash, signature = bytes.fromhex(said["hash"]), bytes.fromhex(said["signature"])
    keys = workshop.settings.secrets / "sources"
    return heads.check(keys, workshop.settings.source(service), said["position"], hash, signature)
