"""Real processes, a real broker, and facts to be carried."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.testing.postgres import Cluster
from shared.testing.processes import Processes, environment
from tests.integration.bus.ledger import Ledger
from tests.integration.bus.queues import Queues


@pytest.fixture
def databases(cluster: Cluster) -> Cluster:
    """Empty databases of a source and a consumer: registration and audit."""
    cluster.clone(("registration", "audit"))
    return cluster


@pytest.fixture
def processes(databases: Cluster, bus: str, tmp_path: Path) -> Iterator[Processes]:
    """Starts services and relays over this test's databases and virtual host.

    They ask the sources' feeds at their start and when they see a gap, but not from time to time: what
    arrives later arrived over the bus.
    """
    with Processes(tmp_path, environment(databases, bus, catch_up_seconds=3600)) as processes:
        yield processes


@pytest.fixture
def ledger(databases: Cluster) -> Iterator[Ledger]:
    """What registration has said, and how far it has come."""
    with Ledger(databases) as ledger:
        yield ledger


@pytest.fixture
def queues(bus: str) -> Queues:
    """A stranger's queues."""
    return Queues(bus)
