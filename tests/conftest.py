"""Private servers for the run: nothing is skipped for a missing one, and nothing of them is left behind."""

import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest

from shared.contracts import SERVICES
from shared.runtime.postmaster import PidFile
from shared.runtime.settings import Settings, settings
from shared.testing.postgres import Cluster
from shared.testing.rabbitmq import Broker, private_broker
from tests.order import LONGEST

_TEMPORARY = pytest.StashKey[pytest.TempPathFactory]()

# how long an example takes is the machine's business
hypothesis.settings.register_profile(
    "suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")

if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # Under nohup every program would inherit that a hang-up is to be ignored, and ours keep to it; what is
    # handled here, and be it by doing nothing, is theirs again to choose.
    signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Data that root's servers keep outside of the folders of their tests goes with a run that went well."""
    if exitstatus == 0 and (temporary := session.config.stash.get(_TEMPORARY, None)):
        for link in temporary.getbasetemp().rglob("postgres"):
            if link.is_symlink() and not PidFile(link.resolve()).pid:
                shutil.rmtree(link.resolve().parent, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def temporary(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where this run keeps its files, for whoever tidies up after it."""
    request.config.stash[_TEMPORARY] = tmp_path_factory


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers take files in the order of their tests (`--no-loadscope-reorder`)."""
    place = {Path(__file__).parent / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running private PostgreSQL."""
    var = tmp_path_factory.mktemp("var")
    cluster = Cluster(replace(settings(), var=var, secrets=var / "secrets", database_url="", amqp_url=""))
    cluster.start()
    yield cluster
    cluster.postgres.stop("immediate")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running RabbitMQ, private unless RABBITMQ_URL names one."""
    with private_broker(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


@pytest.fixture
def databases(cluster: Cluster) -> Cluster:
    """Empty databases of all five services."""
    cluster.clone(SERVICES)
    return cluster


@pytest.fixture
def bus(broker: Broker) -> Iterator[str]:
    """The URL of a virtual host of this test's own."""
    name = f"test-{uuid4()}"
    yield broker.virtual_host(name)
    broker.drop_virtual_host(name)


@pytest.fixture
def here(cluster: Cluster) -> Settings:
    """Settings of the private PostgreSQL and the bus in memory."""
    return cluster.settings


@pytest.fixture
def project() -> Path:
    """The project's folder."""
    return Path(__file__).parents[1]
