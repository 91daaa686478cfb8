"""Servers that may be hurt: PostgreSQL and RabbitMQ, each on a disk that can be full, and the links."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from shared.runtime.settings import settings
from shared.testing.postgres import Cluster
from shared.testing.rabbitmq import Broker
from shared.testing.rabbitmq.node import Ports
from tests.faults import disk
from tests.faults.proxy import Proxy

_MEGABYTES = 768
_BROKERS = 256  # megabytes of the broker's disk


class Theatre:
    """`open()` starts everything and ends it, whatever happened meanwhile."""

    def __init__(self, folder: Path, megabytes: int = _MEGABYTES) -> None:
        """`megabytes`: the size of the database's disk, where we may mount; 0: there are no small disks."""
        self.folder, self.megabytes = folder, megabytes
        self.disk = folder / "disk"
        self.port = Ports.free().amqp  # which the database keeps over a restart
        self.cluster = Cluster(
            replace(
                settings(),
                var=self.disk,
                secrets=folder / "secrets",
                database_url="",
                amqp_url="",
                postgres_port=self.port,
            )
        )
        self.brokers_disk = folder / "broker"
        self.broker = Broker(self.brokers_disk)

    @contextmanager
    def open(self) -> Iterator["Theatre"]:
        with ExitStack() as closing:
            for folder, megabytes in (self.disk, self.megabytes), (self.brokers_disk, _BROKERS):
                folder.mkdir()
                if self.megabytes and disk.may_mount():
                    disk.mount(str(folder), megabytes)
                    closing.callback(disk.unmount, str(folder))
            self.broker.start()
            closing.callback(self.broker.stop)
            self.cluster.postgres.start()
            closing.callback(self._remove_database)
            self.dsn = self.cluster.admin
            if self.megabytes:
                self._write_little()
            self.to_broker, self.to_database = Proxy(self.broker.ports.amqp), Proxy(self.port)
            closing.callback(self.to_broker.close)
            closing.callback(self.to_database.close)
            yield self

    def _write_little(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET max_wal_size = '128MB'")  # the disk is small
            admin.execute("SELECT pg_reload_conf()")

    def repair(self) -> None:
        """Starts again what a failed run left dead."""
        self.broker.start()
        self.cluster.postgres.start()

    def _remove_database(self) -> None:
        self.cluster.postgres.stop("immediate")
        shutil.rmtree(self.cluster.postgres.data)  # which may lie outside the folder
