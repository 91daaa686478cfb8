"""Wherever a process dies and whatever breaks under it: clients were told the truth, and nothing is lost.

Real services and relays run over a broker and a database of their own. In each test something dies while
clients work; they repeat, with the same command_id, what they were not told; then the checker goes through
everything that was ever asked on this stage.
"""

import gc
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shared.contracts import SERVICES
from shared.runtime.settings import settings
from shared.testing.postgres import Cluster
from shared.testing.rabbitmq import Broker
from shared.testing.rabbitmq.node import Ports, wait_until
from tests.faults import history
from tests.faults.stage import PROGRAMS, Stage

# nameko's client forgets the sockets of connections that broke
pytestmark = [pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"), pytest.mark.timeout(400)]


class Theatre:
    """Servers of our own, since they are hurt too, and a stage on them: another one after a failed round."""

    def __init__(self, cluster: Cluster, broker: Broker, folder: Path) -> None:
        self._cluster, self._broker, self._folder = cluster, broker, folder
        self._stages = count(1)
        self._open: tuple[Stage, ExitStack] | None = None

    def stage(self) -> Stage:
        if self._open is not None and not self._open[0].whole:
            self.close()
        if self._open is None:
            self._open = self._opened(f"stage-{next(self._stages)}")
        return self._open[0]

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _opened(self, name: str) -> tuple[Stage, ExitStack]:
        self._broker.start()  # where a failed test left them
        self._cluster.postgres.start()
        self._cluster.clone(SERVICES)
        folder = self._folder / name
        folder.mkdir()
        with ExitStack() as opening:
            stage = opening.enter_context(Stage(self._cluster, self._broker, name, folder).open())
            stage.start(*PROGRAMS)
            return stage, opening.pop_all()


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """The database keeps its port over a restart."""
    folder = tmp_path_factory.mktemp("theatre")
    var, port = folder / "var", Ports.free().amqp
    cluster = Cluster(
        replace(
            settings(), var=var, secrets=var / "secrets", database_url="", amqp_url="", postgres_port=port
        )
    )
    broker = Broker(folder / "broker")
    theatre = Theatre(cluster, broker, folder)
    try:
        yield theatre
    finally:
        theatre.close()
        broker.stop()
        cluster.postgres.stop("immediate")
        shutil.rmtree(cluster.postgres.data)  # which may lie outside the folder
        gc.collect()  # while what the mark says still holds


@pytest.fixture
def stage(theatre: Theatre) -> Stage:
    return theatre.stage()


@pytest.fixture
def played(stage: Stage) -> Stage:
    """A stage on which something was accepted and something refused."""
    if not any(command.refused for command in stage.clients.asked):
        with stage.round(stage.new_batch()):
            pass
    return stage


@pytest.mark.parametrize(
    ("fault", "program"),
    [
        ("append:9", "serve registration"),
        ("appended:9", "serve registration"),
        ("append:3", "serve scheduling"),
        ("seal:1", "relay registration"),
        ("sign:1", "relay registration"),
        ("sealed:1", "relay registration"),
        ("publish:20", "relay registration"),
        ("confirm:1", "relay registration"),
        ("marked:1", "relay registration"),
        ("apply:2", "serve scheduling"),
        ("checkpoint:1", "serve audit"),
        ("applied:2", "serve registration"),
        ("ack:1", "serve scheduling"),
        ("acked:1", "serve audit"),
    ],
)
def test_a_process_dies_at(fault: str, program: str, stage: Stage) -> None:
    stage.meets(program, fault)


def test_the_broker_is_killed_and_comes_back(stage: Stage) -> None:
    with stage.round(stage.new_batch()):
        # a queue that is half a second old does not survive this in RabbitMQ 3.10, which is not ours to test
        stage.broker.evaluate("begin [dets:sync(Table) || Table <- dets:all()], true end")
        stage.broker.kill()
        stage.broker.start()
    assert stage.ended() == {}


def test_the_brokers_connections_are_closed_by_force(stage: Stage) -> None:
    with stage.round(stage.new_batch(), people=16):
        for _ in range(3):
            assert wait_until(lambda: stage.broker.close_connections(stage.name), 30)  # once they are back
    assert stage.ended() == {}


@pytest.mark.parametrize("whose", ["registration_service", "registration_relay", "scheduling_service", "%"])
def test_database_sessions_are_terminated(whose: str, stage: Stage) -> None:
    with (
        stage.round(stage.new_batch(), people=16),
        psycopg.connect(stage.cluster.admin, autocommit=True) as admin,
    ):
        for _ in range(3):
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE usename LIKE %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
                (whose,),
            )
    assert stage.ended() == {}


def test_the_database_is_restarted(stage: Stage) -> None:
    with stage.round(stage.new_batch()):
        stage.cluster.postgres.stop("immediate")
        stage.cluster.postgres.start()
    assert stage.ended() == {}


def test_one_of_two_dies_and_the_other_goes_on(stage: Stage) -> None:
    batch = stage.new_batch()
    doubles = stage.doubles()
    with stage.round(batch, people=16):
        stage.kill(*PROGRAMS)
    assert all(double.running for double in doubles)


_LIES = {
    "a row of a projection is missing": (
        "registration",
        "DELETE FROM register_1.applications WHERE ctid = (SELECT min(ctid) FROM register_1.applications)",
    ),
    "a candidate stands on no roster": (
        "scheduling",
        "DELETE FROM log WHERE position = (SELECT max(position) FROM log)",
    ),
    "an event was altered": (
        "registration",
        "UPDATE log SET sealed = sealed || ' '::bytea WHERE position = 5",
    ),
    "audit has an event less": (
        "audit",
        "DELETE FROM entries WHERE index = 3",
    ),
    "something is parked": (
        "audit",
        "INSERT INTO parked VALUES ('log', '/centre/scoring', 1, 'stream', 'type', '', 'reason')",
    ),
}


@pytest.mark.parametrize("lie", _LIES)
def test_the_checker_sees_that(lie: str, played: Stage) -> None:
    where, statement = _LIES[lie]

    def connect(service: str) -> psycopg.Connection[Any]:
        connection = played.admin(service)
        if service == where:
            connection.execute("SET session_replication_role = replica")
            connection.execute(statement)
        return connection

    with pytest.raises(AssertionError):
        history.check(played.clients.asked, connect)


def test_the_checker_sees_that_an_acceptance_was_a_lie(played: Stage) -> None:
    asked = list(played.clients.asked)
    place = next(place for place, command in enumerate(asked) if command.refused)
    asked[place] = replace(asked[place], answers=asked[0].answered, refusals=[])
    with pytest.raises(AssertionError):
        history.check(asked, played.admin)


def test_the_checker_sees_that_a_refusal_was_a_lie(played: Stage) -> None:
    first, *others = played.clients.asked
    with pytest.raises(AssertionError):
        history.check([replace(first, answers=[], refusals=[{"code": "BatchExists"}]), *others], played.admin)
