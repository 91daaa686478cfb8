"""An audit service with four sources to listen to, and an administrator who may be dishonest."""

from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from services.audit.log import recorder
from services.audit.verification import Verdict, reached, verify
from shared.contracts import certification, registration, scheduling, scoring
from shared.kernel.actors import Role
from shared.kernel.ids import derived_id
from shared.security import heads
from shared.security.heads import Head
from shared.security.keys import Signer
from shared.store import inbox
from shared.testing.postgres import Cluster
from tests.integration.store.office import STATION, WELDER, somebody, waits_for_a_lock
from tests.integration.store.source import Source

BATCH = derived_id("batch", "spring")
NUMBER = "9901003206400001"
SHI = somebody("Shi", Role.EXAMINER)
# a leaf is the line of the event and the line of the note
_SEALED = "SELECT substr(leaf, 1, position('\\x0a'::bytea IN leaf) - 1) FROM entries ORDER BY index"


class Witness:
    """Audit's database, the sources as they spoke, and the keys that they sign with."""

    def __init__(self, cluster: Cluster, stack: ExitStack, keys: Path) -> None:
        cluster.clone(["audit"])
        self._cluster, self._stack, self._keys = cluster, stack, keys
        self.sources = [Source(each) for each in ("registration", "scheduling", "scoring", "certification")]
        self._signers = {each.name: Signer.load(keys, each.name) for each in self.sources}
        self.connection = self.connect()
        self.admin = self.connect("admin")

    def connect(self, role: str = "service") -> Connection[Any]:
        return self._stack.enter_context(closing(self._cluster.connect("audit", role)))

    def visit(self) -> Connection[Any]:
        """The service's connection for a `with` block."""
        return self._cluster.connect("audit")

    def source(self, service: str) -> Source:
        return next(each for each in self.sources if each.service == service)

    def hear(self, *, at_a_time: int = 100, connection: Connection[Any] | None = None) -> None:
        """Applies everything said so far, source after source."""
        for source in self.sources:
            events = source.events()
            for start in range(0, len(events), at_a_time):
                part = events[start : start + at_a_time]
                inbox.apply(connection or self.connection, recorder, source.name, part)

    def heads(self) -> list[Head]:
        """What every source says of its own log now, signed."""
        return [self.head(source) for source in self.sources]

    def head(self, source: Source, signer: Signer | None = None, position: int | None = None) -> Head:
        place = len(source.bodies) if position is None else position
        signature = (signer or self._signers[source.name]).sign(place, source.head)
        return heads.check(self._keys, source.name, place, source.head, signature)

    def verdict(self, said: Iterable[Head] | None = None) -> Verdict:
        before = reached(self.connection)
        return verify(self.connection, list(self.heads() if said is None else said), before=before)

    def problems(self, said: Iterable[Head] | None = None) -> list[tuple[int | None, str]]:
        return self.verdict(said).problems

    def ask(self, query: Any, *arguments: Any, **more: Any) -> Any:
        """A query's answer, as the service hands it out."""
        with self.connection.cursor(row_factory=dict_row) as rows:
            return query(rows, *arguments, **more)

    def sealed(self) -> list[bytes]:
        with self.admin.cursor(binary=True) as cursor:
            return [row[0] for row in cursor.execute(_SEALED)]

    def leaves(self) -> list[bytes]:
        with self.admin.cursor(binary=True) as cursor:
            return [row[0] for row in cursor.execute("SELECT leaf FROM entries ORDER BY index")]

    def waits_for_a_lock(self, connection: Connection[Any]) -> bool:
        return waits_for_a_lock(self.admin, connection)

    def forget(self, first: int) -> None:
        """Takes away everything from an index on, leaving a log that is whole in itself."""
        for statement in (
            "DELETE FROM subjects WHERE index >= %s",
            "DELETE FROM entries WHERE index >= %s",
            "DELETE FROM tree_heads WHERE size > %s",
            "DELETE FROM tiles WHERE (index + 1) * 256 ^ (level + 1) > %s",
        ):
            self.admin.execute(statement, (first,))


def tell(witness: Witness, candidate: str, score: int = 81) -> None:
    """A candidate's way from application to certificate, through all four services."""
    about = {
        "application": derived_id("application", candidate),
        "candidate": derived_id("candidate", candidate),
        "batch": BATCH,
        "station": STATION,
    }
    trade = {"occupation": WELDER, "catalogue": "1999", "level": 4}
    register, schedule, score_, certify = (source.say for source in witness.sources)
    gao = somebody("Gao", Role.STATION_REVIEWER)
    registered = registration.CandidateRegistered(**about, **trade, parts=("theory",), rule_version="2018-1")
    passed = registration.StationReviewPassed(**about, reviewer=gao.id, rule_version="2018-1", clause="4.1")
    register(passed, gao)
    register(registered, somebody("Bai", Role.CENTRE_REVIEWER))
    assigned = scheduling.ExaminerAssigned(
        batch=BATCH, station=STATION, examiner=SHI.id, part="theory", head=False
    )
    schedule(assigned, somebody("officer", Role.CENTRE_OFFICER))
    given = scoring.ScoreSubmitted(
        sheet=derived_id("sheet", candidate),
        blind_code=f"B-{candidate}",
        batch=BATCH,
        station=STATION,
        part="theory",
        score=score,
        rubric="r1",
        examiner=SHI.id,
        sheet_digest="0f" * 32,
    )
    score_(given, SHI)
    published = scoring.ResultPublished(**about, theory=score, practical=score, passed=True)
    score_(published, somebody("Meng", Role.SCORE_REVIEWER))
    issued = certification.CertificateIssued(
        number=NUMBER, **about, **trade, theory=score, practical=score, evidence_digest="0f" * 32
    )
    certify(issued, somebody("Qi", Role.CERTIFICATE_PROCESSOR))
