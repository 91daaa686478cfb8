"""Registration, scheduling and audit as processes over servers of their own, each of which may be hurt."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

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
# who has to have applied which source before nothing is on its way any more
_CONSUMERS = (
    ("registration", "duties", "scheduling"),
    ("registration", "policies", "scheduling"),
    ("registration", "register", "registration"),
    ("scheduling", "duties", "registration"),
    ("scheduling", "policies", "registration"),
    ("scheduling", "policies", "scheduling"),
    ("scheduling", "board", "scheduling"),
    ("audit", "log", "registration"),
    ("audit", "log", "scheduling"),
)


class Stage:
    """What runs, who asks it, and whether all of it is true in the end."""

    def __init__(self, cluster: Cluster, broker: Broker, bus: str, folder: Path) -> None:
        self.cluster, self.broker = cluster, broker
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
        assert before.stop() == 0
        with self.round(batch):
            assert self._running[program].wait() == KILLED
            self.start(program)

    def new_batch(self) -> str:
        """A batch that everybody knows of."""
        batch = self.clients.apply_for_batch()
        self.settle()
        return batch

    @contextmanager
    def round(self, batch: str, people: int = 12) -> Iterator[None]:
        """Clients work while the block does its harm; then everything is settled, asked again and checked."""
        with self.clients.round(batch, people) as asked:
            yield
        self.settle()
        self.clients.repeat([command for command in asked if command.answered][::5])
        history.check(self.clients.asked, self.admin)

    def all_run(self) -> bool:
        """Whether every program that was started still runs."""
        return all(process.running for process in self._running.values())

    def settle(self, seconds: float = 60) -> None:
        """Returns when everything that was said has reached everybody who listens."""
        assert wait_until(self._is_settled, seconds), f"not settled: {self.positions()}"

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
            for service, consumer, source in _CONSUMERS
        )

    def _said(self) -> dict[str, int]:
        counted = {}
        for service in ("registration", "scheduling"):
            with self.admin(service) as connection:
                row = connection.execute("SELECT count(*) FROM events").fetchone()
                assert row is not None
                counted[service] = row[0]
        return counted

    def admin(self, service: str) -> psycopg.Connection[Any]:
        return psycopg.connect(make_conninfo(self.cluster.admin, dbname=f"jianding_{service}"))
