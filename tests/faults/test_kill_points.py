"""Wherever a process dies and whatever breaks under it: clients were told the truth, and nothing is lost.

Real services and relays run over a broker and a database of their own. In each test something dies while
clients work; they repeat, with the same command_id, what they were not told; then the checker goes through
everything that was ever asked on this stage.
"""

import gc
import shutil
from collections.abc import Iterator
from dataclasses import replace
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
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Everything of its own, since everything is hurt; the database keeps its port over a restart."""
    folder = tmp_path_factory.mktemp("stage")
    var, port = folder / "var", Ports.free().amqp
    cluster = Cluster(
        replace(
            settings(), var=var, secrets=var / "secrets", database_url="", amqp_url="", postgres_port=port
        )
    )
    broker = Broker(folder / "broker")
    try:
        broker.start()
        cluster.postgres.start()
        cluster.clone(SERVICES)
        with Stage(cluster, broker, broker.virtual_host("stage"), folder).open() as stage:
            stage.start(*PROGRAMS)
            yield stage
    finally:
        broker.stop()
        cluster.postgres.stop("immediate")
        shutil.rmtree(cluster.postgres.data)  # which may lie outside the folder
        gc.collect()  # while what the mark says still holds


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
    assert stage.all_run()


def test_the_brokers_connections_are_closed_by_force(stage: Stage) -> None:
    with stage.round(stage.new_batch(), people=16):
        for _ in range(3):
            assert wait_until(lambda: stage.broker.close_connections("stage"), 30)  # once they are back
    assert stage.all_run()


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
    assert stage.all_run()


def test_the_database_is_restarted(stage: Stage) -> None:
    with stage.round(stage.new_batch()):
        stage.cluster.postgres.stop("immediate")
        stage.cluster.postgres.start()
    assert stage.all_run()


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
def test_the_checker_sees_that(lie: str, stage: Stage) -> None:
    where, statement = _LIES[lie]

    def connect(service: str) -> psycopg.Connection[Any]:
        connection = stage.admin(service)
        if service == where:
            connection.execute("SET session_replication_role = replica")
            connection.execute(statement)
        return connection

    with pytest.raises(AssertionError):
        history.check(stage.clients.asked, connect)


def test_the_checker_sees_that_an_acceptance_was_a_lie(stage: Stage) -> None:
    asked = list(stage.clients.asked)
    place = next(place for place, command in enumerate(asked) if command.refused)
    asked[place] = replace(asked[place], answers=asked[0].answered, refusals=[])
    with pytest.raises(AssertionError):
        history.check(asked, stage.admin)


def test_the_checker_sees_that_a_refusal_was_a_lie(stage: Stage) -> None:
    first, *others = stage.clients.asked
    with pytest.raises(AssertionError):
        history.check([replace(first, answers=[], refusals=[{"code": "BatchExists"}]), *others], stage.admin)
