"""Registration, scheduling and audit as processes over servers of their own, each of which may be hurt."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from shared.runtime import delivery
from shared.runtime.definition import definition
from shared.runtime.executor import Executor
from shared.testing.postgres import Cluster
from shared.testing.processes import KILLED, Process, Processes, environment
from shared.testing.rabbitmq import Broker
from shared.testing.rabbitmq.node import wait_until
from tests.faults import history
from tests.faults.clients import Clients

PROGRAMS = (
    "serve registration",
    "relay registration",
    "serve scheduling",
    "relay scheduling",
    "serve audit",
)
_READY = {
    program: f"{program.split()[1]} serves"
    if program.startswith("serve")
    else f"relay of {program.split()[1]} runs"
    for program in PROGRAMS
}
_DECIDING = ("registration", "scheduling")


def _consumers() -> Iterator[tuple[str, str, str]]:
    """Who has to have applied which source before nothing is on its way any more."""
    for service in (*_DECIDING, "audit"):
        found = definition(service)
        executor = Executor(found, service) if found.aggregates else None
        for consumer in delivery.consumers(found, executor, "centre"):
            for source in consumer.sources & set(_DECIDING):
                yield service, consumer.name, source


class NotSettled(Exception):
    """Something did not arrive where it belongs; says how far everything is, and what does not run."""


class Stage:
    """What runs, who asks it, and whether all of it is true in the end.

    `whole` says whether every round so far ended well; what a failed one left would fail the next ones too.
    """

    def __init__(self, cluster: Cluster, broker: Broker, name: str, folder: Path) -> None:
        """`name` is that of its own virtual host."""
        self.cluster, self.broker, self.name = cluster, broker, name
        self.whole = True
        bus = broker.virtual_host(name)
        self.processes = Processes(folder, environment(cluster, bus))
        self.clients = Clients(bus)
        self._running: dict[str, Process] = {}

    @contextmanager
    def open(self) -> Iterator["Stage"]:
        """Whatever runs at the end is ended."""
        with self.processes:
            yield self
            self.clients.close()

    def start(self, *programs: str, fault: str = "") -> None:
        """Starts them at the same time, and returns when all are ready."""
        self._running |= self._started(programs, fault)

    def doubles(self) -> list[Process]:
        """A second one of every program."""
        return list(self._started(PROGRAMS).values())

    def _started(self, programs: Iterable[str], fault: str = "") -> dict[str, Process]:
        started = {
            program: self.processes.run(*program.split(), fault=fault, ready=False) for program in programs
        }
        for program, process in started.items():
            process.await_line(_READY[program])
        return started

    def kill(self, *programs: str) -> None:
        """Ends them without a warning."""
        for program in programs:
            self._running.pop(program).kill()

    def meets(self, program: str, fault: str) -> None:
        """One round in which the program dies at the fault and is started again without it."""
        batch, before = self.new_batch(), self._running[program]
        self.start(program, fault=fault)
        before.stop()
        before.expect(0)
        with self.round(batch):
            self._running[program].expect(KILLED, 60)
            self.start(program)

    def new_batch(self) -> str:
        """A batch that everybody knows of."""
        batch = self.clients.apply_for_batch()
        self.settle()
        return batch

    @contextmanager
    def round(self, batch: str, people: int = 12) -> Iterator[None]:
        """Clients work while the block does its harm; then everything is settled, asked again and checked."""
        self.whole = False
        with self.clients.round(batch, people) as asked:
            yield
        self.settle()
        self.clients.repeat([command for command in asked if command.answered][::5])
        history.check(self.clients.asked, self.admin)
        self.whole = True

    def ended(self) -> dict[str, str]:
        """The last words of every program that was started and does not run any more."""
        return {name: process.last_words for name, process in self._running.items() if not process.running}

    def settle(self, seconds: float = 90) -> None:
        """Returns when everything that was said has reached everybody who listens."""
        if not wait_until(self._is_settled, seconds):
            raise NotSettled(f"{self.positions()}; ended: {self.ended()}")

    def positions(self) -> dict[str, Any]:
        """How far everything is."""
        found: dict[str, Any] = {}
        for service in ("registration", "scheduling", "audit"):
            with self.admin(service) as connection:
                if service != "audit":
                    said = connection.execute("SELECT count(*) FROM events").fetchone()
                    sealed = connection.execute("SELECT position, published FROM relay").fetchone()
                    assert said is not None
                    assert sealed is not None
                    found[service] = {"said": said[0], "sealed": sealed[0], "published": sealed[1]}
                rows = connection.execute("SELECT consumer, source, position FROM checkpoints").fetchall()
                for consumer, source, position in rows:
                    found[f"{service} {consumer} {source.rpartition('/')[2]}"] = position
        return found

    def _is_settled(self) -> bool:
        try:
            before, found, after = self._said(), self.positions(), self._said()
        except psycopg.OperationalError:
            return False
        if not before == after == {name: found[name]["sealed"] for name in after}:
            return False
        published = all(found[name]["published"] == found[name]["sealed"] for name in after)
        return published and all(
            found.get(f"{service} {consumer} {source}", 0) == after[source]
            for service, consumer, source in _consumers()
        )

    def _said(self) -> dict[str, int]:
        counted = {}
        for service in _DECIDING:
            with self.admin(service) as connection:
                row = connection.execute("SELECT count(*) FROM events").fetchone()
                assert row is not None
                counted[service] = row[0]
        return counted

    def admin(self, service: str) -> psycopg.Connection[Any]:
        return psycopg.connect(make_conninfo(self.cluster.admin, dbname=f"jianding_{service}"))
