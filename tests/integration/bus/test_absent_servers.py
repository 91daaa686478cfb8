"""Servers that are not there yet are waited for, and one line says so."""

import os
import signal

import psycopg
import pytest

from shared.kernel.actors import Actor, Role
from shared.testing.calls import calling
from shared.testing.postgres import Cluster
from shared.testing.processes import Processes
from shared.testing.rabbitmq import Broker
from tests.integration.bus.ledger import Ledger
from tests.integration.bus.queues import Queues

NO_BROKER = "RabbitMQ does not answer yet"
NO_DATABASE = "PostgreSQL does not let us in yet"


def test_service_and_relay_wait_for_a_broker_that_comes_later(
    broker: Broker, queues: Queues, bus: str, ledger: Ledger, processes: Processes
) -> None:
    queues.bind("all")
    broker.stop()  # not kill: a quorum queue declared just before a power cut never finds a leader again
    try:
        service = processes.run("serve", "registration", ready=False)
        relay = processes.run("relay", "registration")
        service.await_line(NO_BROKER)
        relay.await_line("BrokerGone")
        assert not service.said("registration serves")
    finally:
        broker.start()
    service.await_line("registration serves")
    with calling(bus, Actor("somebody", Role.SUPERVISOR, "centre")) as ask:
        assert ask("registration", "events_after", position=0)["events"] == []
    ledger.trained(1)
    ledger.await_published(1)
    for process in (service, relay):
        assert len(process.said("WARNING")) == 1
        assert not process.said("Traceback")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", ["serve", "relay"])
def test_who_is_stopped_while_he_waits_ends_cleanly_and_says_so(
    command: str, number: signal.Signals, databases: Cluster, processes: Processes
) -> None:
    process = processes.run(command, "registration", ready=False, amqp_url="amqp://127.0.0.1:1")
    process.await_line(NO_BROKER if command == "serve" else "BrokerGone")
    os.kill(process.id, number)
    assert process.wait(10) == 0
    assert not process.said("Traceback")
    if command == "serve":
        assert len(process.said("已停止")) == 1
        assert not process.said("registration serves")


@pytest.mark.parametrize("command", ["serve", "relay"])
def test_a_database_that_comes_later_is_waited_for(
    command: str, databases: Cluster, queues: Queues, processes: Processes
) -> None:
    queues.bind("all")
    with psycopg.connect(databases.admin, autocommit=True) as connection:
        connection.execute("DROP DATABASE jianding_registration")
    process = processes.run(command, "registration", ready=False)
    process.await_line(NO_DATABASE)
    assert not process.said("registration serves")
    assert processes.program("-m", "shared.runtime.cli", "migrate").wait() == 0
    with Ledger(databases) as ledger:
        if command == "serve":
            process.await_line("registration serves")
        else:
            ledger.trained(1)
            ledger.await_published(1)
    assert len(process.said("WARNING")) == 1
    assert not process.said("Traceback")


def test_a_database_without_its_tables_is_waited_for_too(databases: Cluster, processes: Processes) -> None:
    with databases.connect("registration", "admin") as connection:
        connection.execute("ALTER TABLE relay RENAME TO relay_of_later")
        service = processes.run("serve", "registration", ready=False)
        service.await_line(NO_DATABASE)
        connection.execute("ALTER TABLE relay_of_later RENAME TO relay")
    service.await_line("registration serves")


@pytest.mark.parametrize("command", ["serve", "relay"])
def test_whoever_waits_for_a_database_ends_when_told_to(
    command: str, databases: Cluster, processes: Processes
) -> None:
    with psycopg.connect(databases.admin, autocommit=True) as connection:
        connection.execute("DROP DATABASE jianding_registration")
    process = processes.run(command, "registration", ready=False)
    process.await_line(NO_DATABASE)
    process.stop()
    assert not process.said("Traceback")
