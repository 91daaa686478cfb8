"""A small audit log as the product makes it: database, signer, witnesses, exports, trails.

It is the same in every process and every run: events, keys and times follow from their numbers, so that a
seed is enough to do a mutation again.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from psycopg import Connection

from services.audit import bundles, export, keyring, programs, signed
from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.cosigning import Request
from services.audit.domain.notes import LOG, WITNESS, Note, PrivateKey, Signature
from services.audit.domain.policy import Log, trusting
from services.audit.domain.policy import Witness as Named
from services.audit.domain.tree import Tree, consistency
from services.audit.log import Recorder
from services.audit.signer import Signer
from services.audit.tiles import StoredTiles
from services.audit.witness import Witness
from shared.contracts.seals import Seal
from shared.kernel.actors import Actor, Role
from shared.kernel.clock import stamp
from shared.kernel.events import Event, language
from shared.kernel.ids import derived_id
from shared.runtime.settings import Settings, settings
from shared.security import keys
from shared.security.heads import check
from shared.store import inbox
from shared.store.inbox import Consumer
from shared.testing.postgres import Cluster
from shared.wire.envelope import Origin, draft, seal
from shared.wire.tally import Tally
from tests.integration.audit.witness import BATCH, SHI, tell
from tests.integration.store.source import Source

PEOPLE = 94
SIZE = 6 * PEOPLE + 4  # at the end, each source states what it has of the batch
CHECKPOINTS = (90, 180, 288, 360, 450, SIZE)  # sizes at which the log is signed and published
BEGAN = datetime(2026, 4, 16, 1, 0, tzinfo=UTC)
SPOKEN = ("registration", "scheduling", "scoring", "certification")
TABLES = ("entries", "subjects", "tree_heads", "tiles", "signed_checkpoints", "cosignatures")
EMPTY = ("findings", "evidence")  # of an untouched log
TRAILS = (
    *(("candidate", derived_id("candidate", f"candidate {number}")) for number in (0, 3, 7, 20, 40, 55)),
    ("examiner", SHI.id),
)


@dataclass(frozen=True)
class Entry:
    """What a leaf says, read without any code of ours."""

    index: int
    sealed: bytes
    event: dict[str, Any]
    links: list[list[int]]
    received: str

    @classmethod
    def of(cls, index: int, leaf: bytes) -> "Entry":
        sealed, _, note = leaf.partition(b"\n")
        said = json.loads(note)
        return cls(index, sealed, json.loads(sealed), said["links"], said["received"])

    @property
    def hash(self) -> str:
        return sha256(self.sealed).hexdigest()

    @property
    def source(self) -> str:
        return str(self.event["source"])

    @property
    def position(self) -> int:
        return int(self.event["position"])

    @property
    def subjects(self) -> list[str]:
        refs = [ref.replace("%20", " ").replace("%25", "%") for ref in self.event["refs"].split()]
        return list(dict.fromkeys([*refs, f"actor:{self.event['actor']}"]))


class Voice(Source):
    """A source whose events are the same each time."""

    def say(self, event: Event, by: Actor, stream: str = "") -> bytes:
        stream = stream or "-".join(next(iter(event.refs())))
        self._versions[stream] += 1
        number = len(self.bodies) + 1
        now = stamp(BEGAN + timedelta(seconds=number))
        ids = [derived_id(word, self.name, str(number)) for word in ("event", "correlation", "command")]
        origin = Origin(self.name, by, now, now, ids[1], ids[0], ids[2])
        drafted = draft(event, ids[0], stream, self._versions[stream], origin)
        self.bodies.append(seal(drafted, number, self.head))
        return self.bodies[-1]


def seed(name: str) -> bytes:
    return sha256(f"key of {name}".encode()).digest()


class Owner:
    """A connection of somebody who may do anything; `told` is a digest of what it was told since `begin`."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self.begin()

    def begin(self) -> None:
        self._told = sha256()

    @property
    def told(self) -> bytes:
        return self._told.digest()

    def execute(self, query: Any, values: Any = None) -> Any:
        self._told.update(f"{query} {values}".encode())
        return self._connection.execute(query, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class World:
    """The log of SIZE entries, untouched. `folder` is for its files and its private PostgreSQL."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        var = folder / "var"
        self.settings: Settings = replace(
            settings(), var=var, secrets=var / "secrets", database_url="", amqp_url="", policy=""
        )
        self._make_keys()
        self.cluster = Cluster(self.settings)
        self.cluster.start()
        stack.callback(self.cluster.postgres.stop, "immediate")
        self.cluster.clone(["audit", "scoring"])
        self.admin = Owner(self._connected(stack, "audit", "admin"))
        # tables are put back some ten thousand times, and nothing of this has to outlive its process
        self.admin.execute("ALTER SYSTEM SET fsync = off")
        self.admin.execute("SELECT pg_reload_conf()")
        self.service = self._connected(stack, "audit", "service")
        self.signer = self._connected(stack, "audit", "signer")
        self.own_log = Owner(self._connected(stack, "scoring", "admin"))
        self.now = BEGAN.timestamp()
        self._grow()
        self._fill_own_log()
        self.entries = [Entry.of(index, leaf) for index, leaf in enumerate(self.leaves)]
        self.trails = [self._bundle(kind, id) for kind, id in TRAILS]
        self._write_export("newest")
        self._keep()

    def _keep(self) -> None:
        """What mutations start from, and what they are put back to."""
        self.pristine = self.leaves
        self.hashes = [sha256(b"\x00" + leaf).digest() for leaf in self.pristine]
        folder = self.folder / "newest"
        self.files = {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }
        self.actors = sorted({entry.event["actor"] for entry in self.entries})
        self.published = self.note()
        folder = self.settings.secrets / "sources"
        self.heads = [
            check(folder, each.name, len(each.bodies), each.head, self._stated(each)) for each in self.sources
        ]
        self.judging = keyring.policy(self.settings)
        self.witness_file = next((self.folder / "witness-0").glob("?" * 64))
        self.honest_request = Request(SIZE, (), self.published).body
        self.honest_trail = json.dumps(self.trails[0]).encode()
        self.trail_file, self.other_policy = self.folder / "trail.json", self.folder / "policy"
        with self.admin.cursor(binary=True) as cursor:
            rows = cursor.execute("SELECT size, root, peaks FROM tree_heads").fetchall()
            self.tree_heads = {size: (root, peaks) for size, root, peaks in rows}
            tiles = cursor.execute("SELECT hashes FROM tiles ORDER BY index").fetchall()
            self.tiles = [hashes for (hashes,) in tiles]
        self.head_sizes = sorted(self.tree_heads)
        query = "SELECT index, kind, ref FROM subjects ORDER BY index, kind, ref"
        self.subject_rows = self.admin.execute(query).fetchall()
        newest = {(kind, ref): index for index, kind, ref in self.subject_rows}
        self.newest_rows = sorted((index, kind, ref) for (kind, ref), index in newest.items())
        self.admin.execute("CREATE SCHEMA kept; TRUNCATE findings, evidence")
        for table in TABLES:
            self.admin.execute(f"CREATE TABLE kept.{table} AS TABLE {table}")
        self.own_log.execute("CREATE SCHEMA kept; CREATE TABLE kept.log AS TABLE log")

    def _stated(self, source: Source) -> bytes:
        return self.source_keys[source.name].sign(len(source.bodies), source.head)

    def begin(self) -> None:
        """Somebody is about to do something."""
        self.admin.begin()
        self.own_log.begin()

    def restore(self, *tables: str) -> None:
        """These tables are what they were."""
        names = list(dict.fromkeys(tables))
        filled = [f"INSERT INTO {name} TABLE kept.{name}" for name in names if name not in EMPTY]
        self.admin.execute("; ".join([f"TRUNCATE {', '.join(names)}", *filled]))

    def restore_own_log(self) -> None:
        self.own_log.execute("TRUNCATE log; INSERT INTO log TABLE kept.log")

    def forget(self, size: int) -> None:
        """Takes away everything from an index on, leaving a log that is whole in itself."""
        for statement in (
            "DELETE FROM subjects WHERE index >= %s",
            "DELETE FROM entries WHERE index >= %s",
            "DELETE FROM tree_heads WHERE size > %s",
            "DELETE FROM tiles WHERE (index + 1) * 256 > %s",
        ):
            self.admin.execute(statement, (size,))
        if size and size not in self.tree_heads:
            tree = Tree().append(self.hashes[:size])
            row = (size, tree.root, b"".join(tree.peaks))
            self.admin.execute("INSERT INTO tree_heads (size, root, peaks) VALUES (%s, %b, %b)", row)

    def forget_signed(self, size: int) -> None:
        self.admin.execute("DELETE FROM cosignatures WHERE size > %s", (size,))
        self.admin.execute("DELETE FROM signed_checkpoints WHERE size > %s", (size,))

    def column(self, name: str, index: int) -> str:
        """What a column of `entries` has to say."""
        entry = self.entries[index]
        return entry.received if name == "received_at" else str(entry.event[name])

    def an_id(self, chance: Random) -> str:
        return str(UUID(bytes=chance.randbytes(16), version=4))

    def since(self, moment: float) -> float:
        """Hours that have passed since then."""
        return (time.time() - moment) / 3600

    def _connected(self, stack: ExitStack, service: str, role: str) -> Connection[Any]:
        return stack.enter_context(closing(self.cluster.connect(service, role)))

    # -- keys

    def _make_keys(self) -> None:
        current = self.settings
        self.key = PrivateKey.seeded(current.origin, LOG, seed("log"))
        names = [current.witness_name, *(f"jianding.example/station-{n}/witness" for n in (1, 2, 3))]
        self.witness_keys = [PrivateKey.seeded(name, WITNESS, seed(name)) for name in names]
        for path, content in (
            (current.secrets / "signer/log.key", seed("log")),
            (keyring.own_witness(current), seed(names[0])),
        ):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(0o600)
            path.write_bytes(content)
        named = [Named(f"w{n}", key.verifier) for n, key in enumerate(self.witness_keys)]
        current.policy_file.write_text(trusting([Log(self.key.verifier)], named).text)
        self.policy = current.policy_file.read_text()
        self.witnesses = [
            Witness(key, lambda: programs.keys_of(current), self.folder / f"witness-{n}", lambda: self.now)
            for n, key in enumerate(self.witness_keys)
        ]
        self.sources = [Voice(each) for each in SPOKEN]
        folder = current.secrets / "sources"
        for source in self.sources:
            private, _ = keys.files(folder, source.name)
            private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            private.touch(0o600)
            private.write_bytes(seed(source.name))
        self.source_keys = {each.name: keys.Signer.load(folder, each.name) for each in self.sources}

    # -- the log

    def _grow(self) -> None:
        clock = [BEGAN + timedelta(hours=1)]
        recorder = Recorder(lambda: clock[0])
        consumer = Consumer("log", frozenset(SPOKEN), recorder.append)
        group, heard = 1, dict.fromkeys(SPOKEN, 0)
        for number in range(PEOPLE):
            tell(self, f"candidate {number}", 60 + number % 40)  # type: ignore[arg-type]
            if number == PEOPLE - 1:
                self._close_the_batch()
            at_checkpoint = sum(len(each.bodies) for each in self.sources) in CHECKPOINTS
            if number % group and not at_checkpoint:
                continue
            group = group % 4 + 1
            for source in self.sources:
                events = source.events()[heard[source.service] :]
                heard[source.service] = len(source.bodies)
                clock[0] += timedelta(milliseconds=250)
                inbox.apply(self.service, consumer, source.name, events)
            if at_checkpoint:
                self.publish()
            if 6 * (number + 1) == CHECKPOINTS[-3]:
                self._keep_older()

    def _close_the_batch(self) -> None:
        for source in self.sources:
            tally = Tally()
            for event in source.events():
                tally = tally.counting(event.position, event.hash)
            said = language(source.service).events["BatchSealed"]
            assert issubclass(said, Seal)
            counted = said(
                batch=BATCH,
                events=tally.events,
                first_position=tally.first,
                last_position=tally.last,
                chain_digest=tally.chain.hex(),
                upto=len(source.bodies),
            )
            source.say(counted, Actor(source.service, Role.SERVICE, "centre"), f"seal-{BATCH}")

    def publish(self) -> None:
        """The signer signs what there is, and all witnesses but the last cosign it: a quorum of three."""
        self.now += 3600
        Signer(self.settings, None, lambda: self.now).step(self.signer)
        note = signed.newest(self.signer, self.settings.origin)
        assert note is not None
        checkpoint = Checkpoint.parse(note.text)
        lines: list[tuple[Signature, int]] = []
        for witness in self.witnesses[:3]:
            last = witness.last(checkpoint.origin)
            old = Checkpoint.parse(last.text).size if last else 0
            proof = consistency(old, checkpoint.size, StoredTiles(self.signer))
            line = witness.cosign(Request(old, tuple(proof), note).body)
            lines.append((Signature.parse(line.removesuffix("\n")), int(self.now)))
        signed.cosign(self.signer, checkpoint, lines, True)

    def _keep_older(self) -> None:
        """What somebody could still have of an earlier day."""
        self._write_export("older")
        self.older_trails = [self._bundle(kind, id) for kind, id in TRAILS]
        self.older_note = self.note()
        self.older_memory = self.memory.read_bytes()
        self.older_time = self.now

    def _write_export(self, name: str) -> None:
        export.export(self.service, self.settings, self.folder / name)

    def _bundle(self, kind: str, id: str) -> dict[str, Any]:
        def sign() -> None:
            Signer(self.settings, None, lambda: self.now).step(self.signer)

        found = bundles.bundle(self.service, self.settings, kind, id, sign)
        return json.loads(json.dumps(found))  # type: ignore[no-any-return]

    def _fill_own_log(self) -> None:
        """Scoring's own log, as its relay has sealed and signed it."""
        source = next(each for each in self.sources if each.service == "scoring")
        rows = [(at, sha256(body).digest(), body) for at, body in enumerate(source.bodies, 1)]
        with self.own_log.cursor() as cursor:
            cursor.executemany("INSERT INTO log (position, hash, sealed) VALUES (%s, %s, %b)", rows)
        signature = self.source_keys[source.name].sign(len(rows), source.head)
        self.own_log.execute("INSERT INTO heads VALUES (%s, %s, %s)", (len(rows), source.head, signature))

    # -- what is there

    @property
    def leaves(self) -> list[bytes]:
        with self.admin.cursor(binary=True) as cursor:
            return [leaf for (leaf,) in cursor.execute("SELECT leaf FROM entries ORDER BY index")]

    @property
    def memory(self) -> Path:
        """The signer's file of what it signed last."""
        (path,) = (self.settings.var / "signer").glob("*.json")
        return path

    def note(self) -> Note:
        """The newest published checkpoint."""
        found = signed.published(self.service, self.settings.origin)
        assert found is not None
        return found

    def next_of_source(self, index: int) -> Entry | None:
        """The next event of the source of an entry."""
        source = self.entries[index].source
        return next((each for each in self.entries[index + 1 :] if each.source == source), None)

    def of_source(self, index: int) -> Sequence[Entry]:
        """All events of the source of an entry, in order."""
        return [each for each in self.entries if each.source == self.entries[index].source]


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Everything, with a PostgreSQL that runs for the block."""
    with ExitStack() as stack:
        yield World(folder, stack)
