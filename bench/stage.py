"""Private servers for a run: PostgreSQL with the product's own settings, and RabbitMQ when it is needed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo

from bench import clients
from shared.contracts import SERVICES
from shared.runtime import databases
from shared.runtime.settings import settings
from shared.store import migrations
from shared.testing.postgres import Cluster
from shared.testing.processes import Processes, environment
from shared.testing.rabbitmq import Broker
from shared.testing.rabbitmq import broker as broker_in


@dataclass(frozen=True)
class Plan:
    """How long to look: the full size, or a quick one."""

    rounds: int  # measurements of each figure, ours and the peer's in turns
    seconds: float  # of one measurement
    events: int  # in the log of a rebuild; the other groups take parts of it
    steady: float  # seconds of one end-to-end measurement
    sizes: tuple[int, ...]  # of the logs whose growth is looked at
    audited: int  # entries of the audit log in which trails are looked up


FULL = Plan(
    rounds=3,
    seconds=4,
    events=500_000,
    steady=60,
    sizes=(10_000, 100_000, 1_000_000, 5_000_000),
    audited=1_000_000,
)
QUICK = Plan(rounds=3, seconds=2, events=50_000, steady=8, sizes=(10_000, 50_000), audited=50_000)


class Stage:
    """What all groups share."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        var = folder / "var"
        self.cluster = Cluster(
            replace(settings(), var=var, secrets=var / "secrets", database_url="", amqp_url="")
        )
        self.cluster.postgres.start()

    @cached_property
    def broker(self) -> Broker:
        broker = broker_in(self.folder / "rabbitmq")
        broker.start()
        return broker

    @cached_property
    def rabbitmq(self) -> str:
        """Its version."""
        return str(self.broker.management.request("GET", "overview")["rabbitmq_version"])

    @property
    def postgresql(self) -> str:
        with psycopg.connect(self.cluster.admin) as connection:
            return str(connection.info.server_version // 10000) + f".{connection.info.server_version % 10000}"

    def fresh(self, *services: str) -> None:
        """Empty databases of these services (all of them if none is named), nothing left to be written."""
        self.cluster.clone(services or SERVICES)
        self.settle()

    def rate(self, work: str, count: int, **arguments: object) -> float:
        """Repetitions in a second of `count` clients together, on a server that has nothing left to write."""
        self.settle()
        return clients.rate(work, count, self.plan.seconds, **arguments)

    def settle(self) -> None:
        """Writes what earlier measurements have left to be written, so that the next does not pay for it."""
        with psycopg.connect(self.cluster.admin, autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def dsn(self, service: str, role: str = "service") -> str:
        """How a role of a service connects to its database; `admin` as the administrator."""
        if role == "admin":
            return make_conninfo(self.cluster.admin, dbname=migrations.database(service))
        return databases.as_role(self.cluster.settings, self.cluster.admin, service, f"{service}_{role}")

    def admin(self, service: str) -> Connection[Any]:
        return psycopg.connect(self.dsn(service, "admin"), autocommit=True)

    def peer(self, name: str) -> str:
        """An empty database for a peer on the same server; how its owner connects."""
        with psycopg.connect(self.cluster.admin, autocommit=True) as connection:
            identifier = sql.Identifier(name)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        return make_conninfo(self.cluster.admin, dbname=name)

    @contextmanager
    def bus(self) -> Iterator[str]:
        """The URL of an empty virtual host, removed afterwards."""
        name = f"bench-{uuid4()}"
        yield self.broker.virtual_host(name)
        self.broker.drop_virtual_host(name)

    @contextmanager
    def processes(self, bus: str, **settings: object) -> Iterator[Processes]:
        """The product's own processes with the product's own settings, but for these."""
        folder = self.folder / f"logs-{uuid4()}"
        folder.mkdir()
        with Processes(folder, environment(self.cluster, bus, tokens="required", **settings)) as processes:
            yield processes

    def close(self) -> None:
        if "broker" in self.__dict__:
            self.broker.stop()
        data = self.cluster.postgres.data
        self.cluster.postgres.stop("immediate")
        if not data.is_relative_to(self.folder):  # root's server keeps its data elsewhere
            shutil.rmtree(data.parent)
        shutil.rmtree(self.folder)
