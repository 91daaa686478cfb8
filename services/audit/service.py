"""Audit on the bus: entrypoint, one call, done."""

from functools import partial
from typing import Any

from services.audit import (
    answers,
    bundles,
    checking,
    export,
    findings,
    hidden,
    keyring,
    programs,
    promised,
    reads,
    schemas,
    signed,
    standing,
    told,
    trails,
    verification,
    watching,
)
from services.audit.checking import Checker
from services.audit.log import recorder
from services.audit.sources import Watch
from shared.kernel.actors import Role
from shared.runtime.callers import FOLLOWERS
from shared.runtime.chassis import Built, Door, Feed, Queries, Subscription, rpc
from shared.runtime.definition import Definition
from shared.runtime.gauges import Gauges
from shared.runtime.operations import operated
from shared.runtime.regularly import Regularly
from shared.wire.answers import Done, LogPage

definition = Definition(
    name="audit",
    package=__package__,
    consumers=(recorder,),
    tools={
        "reached": verification.reached,
        "verify": verification.verify_at_once,
        "promise": promised.promise,
        "broken": promised.broken,
        "lacking": promised.lacking,
        "hashes": told.hashes,
        "index": told.index,
        "trail": hidden.trail,
        "expect": hidden.expect,
        "export": export.export,
        "bundle": bundles.bundle,
        "newest": signed.newest,
        "published": signed.published,
        "standing": signed.standing,
        "findings": findings.findings,
        "evidence": findings.evidence,
        "concerns": standing.concerns,
        "policy": keyring.policy,
        "rotate": keyring.rotate,
        "finish": programs.finish,
        "sign": programs.sign,
        "sign_now": programs.sign_now,
        "witness": programs.serve_witness,
        "say_trail": reads.trail,
        "say_verified": reads.verified,
        "say_exported": reads.exported,
        "say_made": reads.made,
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
WATCHERS = SUPERVISION | {Role.ADMINISTRATOR}  # of how the log stands, not of what it says


@operated(definition)
class Audit:
    """Whether it was honest."""

    name = definition.name

    read = Queries(definition)
    subscription = Subscription(definition)
    workshop = Built(lambda workshop: workshop)
    admit = Door()
    feed = Feed(definition)
    gauges = Gauges(standing.told)
    checker = Built(Checker)
    errand: Any  # set by `operated`
    watch = Regularly(
        lambda workshop: Watch(workshop.settings, workshop.connect, workshop.heartbeat).step,
        lambda settings: settings.heartbeat_seconds,
    )

    @rpc
    def trail(self, **message: Any) -> list[answers.Shown]:
        """Everything around a candidate, batch, examiner, certificate … in order (R154)."""
        query = partial(hidden.trail, self.workshop.settings)
        return self.read(query, schemas.Trail, message, roles=SUPERVISION, said=reads.trail)

    @rpc
    def entries(self, **message: Any) -> list[str]:
        """The log behind an index, as sealed."""
        return self.read(trails.entries, schemas.Entries, message, roles=SUPERVISION, said=reads.entries)

    @rpc
    def findings(self, **message: Any) -> list[answers.Finding]:
        """What somebody has to look at, behind an id (R155)."""
        return self.read(findings.spelled, schemas.Findings, message, roles=SUPERVISION)

    @rpc
    def head(self, **message: Any) -> answers.Head:
        """{size, root}."""
        return self.read(trails.head, schemas.Nothing, message)

    @rpc
    def standing(self) -> answers.AuditStanding:
        """How far the service has come, how its sources stand, and how far the log is signed."""
        return self.gauges(roles=FOLLOWERS)

    @rpc
    def checkpoint(self) -> str:
        """The newest checkpoint that a quorum of witnesses has cosigned, as a signed note; empty if none."""
        with self.workshop.connect() as connection:
            note = signed.published(connection, self.workshop.settings.origin)
        return str(note or "")

    @rpc
    def verify(self) -> answers.Verdict:
        """{verified, size, root, sources, problems}, against the sources' heads of this moment."""
        by = self.admit(SUPERVISION)
        return checking.verified(self.workshop, by)

    @rpc
    def events_after(self, **message: Any) -> LogPage:
        """Audit's own log, as every other source gives out its own."""
        return self.feed.after(message)

    @rpc
    def start_check(self, **message: Any) -> answers.Begun:
        """Begins to verify the log in the background -> {id}; `checks` tells how far it has come."""
        return self.errand(self.checker.start, schemas.Nothing, message, roles=SUPERVISION)

    @rpc
    def cancel_check(self, **message: Any) -> Done:
        """Ends a verification in the middle."""
        return self.errand(self.checker.cancel, schemas.CheckOf, message, roles=SUPERVISION)

    @rpc
    def checks(self, **message: Any) -> list[answers.Check]:
        """Who had the log verified, how far it has come, and what was found; newest first."""
        return self.read(checking.shown, schemas.Checks, message, roles=WATCHERS)

    @rpc
    def newest(self, **message: Any) -> list[answers.Step]:
        """The newest events of all sources behind an index, newest first."""
        return self.read(
            watching.newest, schemas.NewestEntries, message, roles=SUPERVISION, said=reads.newest
        )

    @rpc
    def looks(self, **message: Any) -> list[answers.Step]:
        """What somebody has looked at or taken out of the house, newest first."""
        return self.read(watching.looks, schemas.LooksOf, message, roles=SUPERVISION, said=reads.looks)

    @rpc
    def entry(self, **message: Any) -> answers.Step | None:
        """One event, by its id."""
        return self.read(watching.entry, schemas.EntryOf, message, roles=SUPERVISION, sensitive=True)

    @rpc
    def together(self, **message: Any) -> list[answers.Step]:
        """What followed from one command or event, near an index."""
        return self.read(watching.together, schemas.Together, message, roles=SUPERVISION, sensitive=True)

    @rpc
    def pace(self, **message: Any) -> list[answers.Minute]:
        """How many events came in each of the last minutes."""
        return self.read(watching.pace, schemas.Pace, message, roles=WATCHERS)

    @rpc
    def bundle(self, **message: Any) -> answers.Bundle:
        """A trail as one file that proves itself (FORMATS.md)."""
        return self.errand(self.checker.bundle, schemas.BundleOf, message, roles=SUPERVISION)

    @rpc
    def witnesses(self, **message: Any) -> answers.Witnesses:
        """The log's signatures: {size, signed, published, witnesses: [{name, size, time}]}."""
        return self.read(watching.witnesses, schemas.Nothing, message, roles=WATCHERS)
