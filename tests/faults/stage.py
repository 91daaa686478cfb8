"""Registration, scheduling and audit, each kept running, and whether all of it is true in the end."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import make_conninfo

from services.audit import keyring
from services.audit.domain.policy import Log, Witness, trusting
from shared.contracts import SERVICES
from shared.kernel.ids import new_id
from shared.runtime import delivery
from shared.runtime.definition import definition
from shared.runtime.executor import Executor
from shared.testing.processes import KILLED, Process, Processes, environment
from shared.testing.rabbitmq.node import Ports, wait_until
from tests.faults import history
from tests.faults.clients import Clients
from tests.faults.deck import Card, Deck, Tally
from tests.faults.history import Finding
from tests.faults.keeper import Keeper
from tests.faults.theatre import Theatre

PROGRAMS = (
    "serve registration",
    "relay registration",
    "serve scheduling",
    "relay scheduling",
    "serve audit",
    "relay audit",
    "signer",
    "witness",
)
_DECIDING = ("registration", "scheduling")
PROJECTIONS = tuple(
    f"{service}/{projection.name}" for service in _DECIDING for projection in definition(service).projections
)
_EVIDENCE = ("log", "events", "entries", "checkpoints", "parked", "rejected", "relay", "findings")
_WITNESS = "witness.example/faults"
_ONE = {"witness"}  # whose memory and address are its own
_SIGNED = """
SELECT (SELECT coalesce(max(size), 0) FROM tree_heads),
       (SELECT coalesce(max(size), 0) FROM signed_checkpoints WHERE published_at IS NOT NULL)
"""
_IN_THE_WAY = {  # a row that an event of the application cannot be written beside
    "registration/register": "INSERT INTO {}.applications VALUES (%s, %s, %s, '', '', 4, 'in the way')",
    "scheduling/board": "INSERT INTO {}.sittings VALUES (%s, %s, %s, 4, '', 0, '', 'in the way')",
}
_OUT_OF_THE_WAY = {
    "registration/register": "DELETE FROM {}.applications WHERE status = 'in the way'",
    "scheduling/board": "DELETE FROM {}.sittings WHERE status = 'in the way'",
}


class NotSettled(Exception):
    """Something did not arrive where it belongs; says how far everything is."""


class NotAsExpected(Exception):
    """A program of an operator did not do what it should have done; its last words follow."""


class Stage:
    """What runs in one run on databases and a virtual host of its own, and who asks it."""

    programs: Sequence[str] = PROGRAMS
    deciding: Sequence[str] = _DECIDING  # the services that clients ask
    ready: Mapping[str, str] = {
        "serve": "{} serves",
        "relay": "relay of {} runs",
        "signer": "signer of",
        "witness": "witness on",
    }

    def __init__(
        self, theatre: Theatre, name: str, folder: Path, tally: Tally, seed: str = "", clients: int = 6
    ) -> None:
        self.theatre, self.name, self.tally = theatre, name, tally
        self.broker, self.cluster = theatre.broker, theatre.cluster
        self.cluster.clone(SERVICES)
        self.bus = self.broker.virtual_host(name)
        bus, database = self._links()
        # the memories of signer and witness are those of this log, and no other
        self.settings = replace(self.cluster.settings, var=folder / "var")
        self._listens = f"127.0.0.1:{Ports.free().amqp}"
        self._trust()
        self.processes = Processes(
            folder, environment(self.cluster, bus, database_url=database, var=self.settings.var)
        )
        self.clients = Clients(bus, clients, seed)
        self.deck = Deck()
        self.keepers: list[Keeper] = []
        self.poisoned: list[str] = []
        self._one_at_a_time = Lock()

    def _links(self) -> tuple[str, str]:
        """How the processes reach the broker and the database: where it can be made slow, cut and reset."""
        bus = self.bus.replace(f":{urlsplit(self.bus).port}/", f":{self.theatre.to_broker.port}/")
        return bus, make_conninfo(self.theatre.dsn, port=self.theatre.to_database.port)

    def _trust(self) -> None:
        """A policy that asks for the witness, where the signer looks for it."""
        self.settings.var.mkdir()
        witness = keyring.witness_key(keyring.own_witness(self.settings), _WITNESS).verifier
        logs = [Log(key.verifier) for key in keyring.log_keys(self.settings, make=True)]
        policy = trusting(logs, [Witness(_WITNESS, witness, f"http://{self._listens}")])
        self.settings.policy_file.write_text(policy.text)

    @property
    def sources(self) -> tuple[str, ...]:
        """The services that have a log."""
        return (*self.deciding, "audit")

    @property
    def keys(self) -> Path:
        """The folder with the public keys of sources."""
        return self.settings.secrets / "sources"

    @contextmanager
    def open(self, each: int = 1) -> Iterator["Stage"]:
        """`each`: how many of every program run, but one witness. Whatever runs at the end is ended."""
        with self.processes:
            try:
                self.keepers = [
                    Keeper(program, self._start, self.deck, self.tally)
                    for program in self.programs
                    for _ in range(1 if program in _ONE else each)
                ]
                for keeper in self.keepers:
                    keeper.twins = [
                        each for each in self.keepers if each is not keeper and each.program == keeper.program
                    ]
                for keeper in self.keepers:
                    keeper.process.await_line(self.readiness(keeper.program), 60)
                    keeper.start()
                yield self
            finally:
                for keeper in self.keepers:
                    keeper.over.set()
                for keeper in self.keepers:
                    keeper.is_alive() and keeper.join()
                self.clients.close()
        self.broker.drop_virtual_host(self.name)

    def _start(self, program: str, fault: Card) -> Process:
        with self._one_at_a_time:
            return self.processes.program(*self._words(program), fault=fault)

    def _words(self, program: str) -> list[str]:
        """What Python is told to run."""
        if program == "witness":
            program += f" --listen {self._listens} --name {_WITNESS}"
        return ["-m", "shared.runtime.cli", *program.split()]

    def readiness(self, program: str) -> str:
        """What a program says when it is ready."""
        command, _, service = program.partition(" ")
        return self.ready[command].format(service)

    def armed(self, program: str, card: Card) -> bool:
        """Whether one of the program has this fault before it."""
        return any(keeper.program == program and keeper.card == card for keeper in self.keepers)

    # -- an operator's programs

    def operate(self, *words: str) -> None:
        """One command of `jianding`."""
        self._run("shared.runtime.cli", *words)

    def die(self, fault: Card, module: str, *words: str) -> None:
        """A program of an operator that ends at this fault."""
        self._run(module, *words, code=KILLED, fault=fault)
        self.tally.died(fault.partition(":")[0])

    def _run(self, module: str, *words: str, code: int = 0, **more: str) -> None:
        with self._one_at_a_time:
            process = self.processes.program("-m", module, *words, **more)
        if process.wait(60) != code:
            raise NotAsExpected(f"{module} {words} did not end with {code}:\n{process.last_words}")

    def sealed(self, projection: str) -> int:
        """How many events are in the log that the projection is built from."""
        return self._number(projection, "SELECT position FROM relay")

    def grown(self, projection: str) -> int:
        """How many of them its unfinished build has."""
        return self._number(
            projection,
            "SELECT c.position FROM projections p JOIN checkpoints c"
            " ON c.consumer = p.name || '@' || p.building WHERE p.name = %s",
            projection.partition("/")[2],
        )

    def _number(self, projection: str, query: str, *values: str) -> int:
        with self.admin(projection.partition("/")[0]) as connection:
            row = connection.execute(query, values).fetchone()
        return int(row[0]) if row else 0

    # -- poison

    def poison(self) -> None:
        """An application whose events no projection can take."""
        application = new_id()
        for projection, statement in _IN_THE_WAY.items():
            with self._live(projection) as (connection, schema):
                connection.execute(statement.format(schema), (application, new_id(), new_id()))
        self.poisoned.append(application)
        self.clients.come(application)

    def cure(self) -> list[Finding]:
        """Takes all obstacles away and replays what is parked; what was parked without a reason."""
        return [found for service in self.sources for found in self.cure_in(service)]

    def cure_in(self, service: str) -> list[Finding]:
        """The same for one service; whoever replays dies of it once for each stream."""
        for projection, statement in _OUT_OF_THE_WAY.items():
            if projection.startswith(f"{service}/"):
                with self._live(projection) as (connection, schema):
                    connection.execute(statement.format(schema))
        findings = []
        for consumer, source, position, sealed in self.parked(service):
            event = bytes(sealed).decode()
            if not any(application in event for application in self.poisoned):
                findings.append(Finding("divergent", f"{service} {consumer} parked a good event: {event}"))
                continue
            words = ("parked", "replay", f"{service}/{consumer}{source}/{position}")
            self.die("replay:1", "shared.runtime.cli", *words)
            self.operate(*words)
        return findings

    def parked(self, service: str) -> list[tuple[str, str, int, bytes]]:
        """(consumer, source, position, event) of the first event in each stream that is parked."""
        with self.admin(service) as connection:
            return connection.execute(
                "SELECT DISTINCT ON (consumer, source, stream) consumer, source, position, sealed"
                " FROM parked WHERE status = 'parked' ORDER BY consumer, source, stream, position"
            ).fetchall()

    # -- how far it is, and whether it is true

    def settle(self, seconds: float = 120) -> None:
        """Returns when everything that was said has reached everybody who listens."""
        deadline = time.monotonic() + seconds
        while not self._is_settled():
            if time.monotonic() > deadline:
                raise NotSettled(f"{self.positions()}")
            time.sleep(0.2)

    def begin(self, seconds: float = 60) -> None:
        """Returns when every log has events."""
        if not wait_until(lambda: all(self.positions()[name]["sealed"] for name in self.deciding), seconds):
            raise NotSettled(f"{self.positions()}")

    def positions(self) -> dict[str, Any]:
        """How far everything is."""
        found: dict[str, Any] = {}
        for service in self.sources:
            with self.admin(service) as connection:
                said = connection.execute("SELECT count(*) FROM events").fetchone()
                sealed = connection.execute("SELECT position, published FROM relay").fetchone()
                assert said is not None
                assert sealed is not None
                found[service] = {"said": said[0], "sealed": sealed[0], "published": sealed[1]}
                rows = connection.execute("SELECT consumer, source, position FROM checkpoints").fetchall()
                for consumer, source, position in rows:
                    found[f"{service} {consumer} {source.rpartition('/')[2]}"] = position
                if service == "audit":
                    found["entries"], found["cosigned"] = connection.execute(_SIGNED).fetchone() or (0, 0)
        return found

    def _is_settled(self) -> bool:
        try:
            before, found, after = self._said(), self.positions(), self._said()
        except psycopg.OperationalError:
            return False
        if not before == after == {name: found[name]["sealed"] for name in after}:
            return False
        published = all(found[name]["published"] == found[name]["sealed"] for name in after)
        heard = all(
            found.get(f"{service} {consumer} {source}", 0) == after[source]
            for service, consumer, source in _consumers(self.sources)
        )
        return published and heard and found["entries"] == found["cosigned"]

    def _said(self) -> dict[str, int]:
        counted = {}
        for service in self.sources:
            with self.admin(service) as connection:
                row = connection.execute("SELECT count(*) FROM events").fetchone()
                assert row is not None
                counted[service] = row[0]
        return counted

    @contextmanager
    def still(self, seconds: float = 120) -> Iterator[None]:
        """Everything is settled, and audit, which may speak at any time, stands still for the block."""
        deadline = time.monotonic() + seconds
        speaking = [each for each in self.keepers if each.program in ("serve audit", "signer")]
        while True:
            self.settle(deadline - time.monotonic())
            _signalled(speaking, signal.SIGSTOP)
            if self._is_settled():
                break
            _signalled(speaking, signal.SIGCONT)
        try:
            yield
        finally:
            _signalled(speaking, signal.SIGCONT)

    def check(self) -> list[Finding]:
        """Everything that is not as it should be."""
        return [*history.check(self.clients.asked, self.admin, self.keys, self.sources), *self.rebuilt()]

    def rebuilt(self) -> list[Finding]:
        """Where a projection is not what comes out of building it anew."""
        findings = []
        for projection in PROJECTIONS:
            before = self._rows(projection)
            self.operate("rebuild", projection)
            after = self._rows(projection)
            findings += [
                Finding("divergent", f"{projection}: {row} before or after a rebuild, not both")
                for row in ((before - after) + (after - before)).elements()
            ]
        return findings

    def _rows(self, projection: str) -> Counter[str]:
        with self._live(projection) as (connection, schema):
            tables = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", (schema,)
            ).fetchall()
            return Counter(
                f"{table} {row}"
                for (table,) in tables
                for (row,) in connection.execute(f"SELECT t::text FROM {schema}.{table} AS t")
            )

    def keep(self, folder: Path) -> None:
        """Evidence: what clients asked and were told, and the tables as they stand."""
        with (folder / "asked.jsonl").open("w") as file:
            file.writelines(
                json.dumps(vars(command), ensure_ascii=False) + "\n" for command in self.clients.asked
            )
        for service in self.sources:
            with self.admin(service) as connection:
                for table in _EVIDENCE:
                    if connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() != (None,):
                        rows = connection.execute(f"SELECT t::text FROM {table} AS t ORDER BY 1").fetchall()
                        (folder / f"{service}-{table}.txt").write_text("".join(f"{row}\n" for (row,) in rows))

    def admin(self, service: str) -> psycopg.Connection[Any]:
        return psycopg.connect(make_conninfo(self.theatre.dsn, dbname=f"jianding_{service}"))

    @contextmanager
    def _live(self, projection: str) -> Iterator[tuple[psycopg.Connection[Any], str]]:
        """A connection, and the schema that readers of the projection see."""
        service, _, name = projection.partition("/")
        with self.admin(service) as connection:
            row = connection.execute("SELECT live FROM projections WHERE name = %s", (name,)).fetchone()
            assert row is not None
            yield connection, f"{name}_{row[0]}"


def _signalled(keepers: Sequence[Keeper], number: int) -> None:
    for keeper in keepers:
        with suppress(ProcessLookupError):
            os.kill(keeper.process.id, number)


def _consumers(sources: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Who has to have applied which source before nothing is on its way any more."""
    for service in sources:
        found = definition(service)
        executor = Executor(found, service) if found.aggregates else None
        for consumer in delivery.consumers(found, executor, "centre"):
            for source in consumer.sources & set(sources):
                yield service, consumer.name, source
