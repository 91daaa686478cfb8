"""The broker for tests, over the real thing: it serves, it suffers, and it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pika
import pika.exceptions
import pytest

from shared.testing.rabbitmq import (
    DEFAULT_CACHE,
    Broker,
    BrokerDidNotStart,
    BrokerIsNotOurs,
    BrokerIsNotRunning,
    ExternalBroker,
    Machine,
    RabbitmqIsMissing,
    broker,
    find,
    private_broker,
    unpacked,
)
from shared.testing.rabbitmq.node import Ports, wait_until
from tests.debian import Debian

PROJECT = Path(__file__).parents[2]

PERSISTENT = pika.BasicProperties(delivery_mode=2)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    started = Broker(tmp_path_factory.mktemp("rabbitmq") / "broker")
    started.start()
    yield started
    started.stop()


@pytest.fixture
def address(running: Broker, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.name
    yield running.virtual_host(name)
    running.drop_virtual_host(name)


def connect(address: str) -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(address))


def publish(address: str, queue: str, body: bytes) -> None:
    with closing(connect(address)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(queue, durable=True)
        channel.basic_publish("", queue, body, PERSISTENT, mandatory=True)


def take(address: str, queue: str) -> bytes | None:
    with closing(connect(address)) as connection:
        taken: tuple[object, object, bytes | None] = connection.channel().basic_get(queue, auto_ack=True)
        return taken[2]


def is_cut_off(connection: pika.BlockingConnection) -> bool:
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker, match="CONNECTION_FORCED"):
        connection.process_data_events(time_limit=5)
    return bool(connection.is_closed)


def test_a_message_makes_the_round_trip(address: str) -> None:
    publish(address, "registrations", "注册".encode())
    assert take(address, "registrations") == "注册".encode()


def test_a_queue_tells_how_many_messages_it_holds(running: Broker, address: str) -> None:
    publish(address, "registrations", b"first")
    publish(address, "registrations", b"second")
    virtual_host = pika.URLParameters(address).virtual_host
    assert wait_until(lambda: running.queues(virtual_host) == {"registrations": 2}, seconds=5)


def test_virtual_hosts_do_not_see_each_others_queues(running: Broker, address: str) -> None:
    publish(address, "registrations", b"here")
    elsewhere = running.virtual_host("elsewhere")
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="NOT_FOUND"):
        take(elsewhere, "registrations")


def test_any_name_will_do_for_a_virtual_host(running: Broker) -> None:
    publish(running.virtual_host('考试 "A/B" %2F'), "registrations", b"odd")
    assert running.queues('考试 "A/B" %2F') == {"registrations": 1}


def test_a_dropped_virtual_host_is_gone_and_dropping_it_again_is_no_error(running: Broker) -> None:
    address = running.virtual_host("short-lived")
    running.drop_virtual_host("short-lived")
    running.drop_virtual_host("short-lived")
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        connect(address)


def test_close_connections_closes_those_of_one_virtual_host_and_no_others(
    running: Broker, address: str
) -> None:
    victim, bystander = connect(address), connect(running.url)
    with closing(bystander):
        assert running.close_connections(pika.URLParameters(address).virtual_host) == 1
        assert is_cut_off(victim)
        assert bystander.channel().is_open


def test_close_connections_counts_every_connection_it_closed(running: Broker, address: str) -> None:
    victims = [connect(address), connect(address), connect(running.url)]
    assert running.close_connections() == len(victims)
    assert running.close_connections() == 0
    assert all(is_cut_off(victim) for victim in victims)


def test_a_memory_alarm_blocks_publishers_until_it_is_cleared(running: Broker, address: str) -> None:
    with closing(connect(address)) as connection:
        heard: list[str] = []
        connection.add_on_connection_blocked_callback(lambda *_: heard.append("blocked"))
        connection.add_on_connection_unblocked_callback(lambda *_: heard.append("unblocked"))
        running.alarm(True)
        connection.channel().basic_publish("", "anywhere", b"held back")
        assert wait_until(lambda: _hears(connection, heard, "blocked"), seconds=5)
        running.alarm(False)
        assert wait_until(lambda: _hears(connection, heard, "unblocked"), seconds=5)


def _hears(connection: pika.BlockingConnection, heard: list[str], word: str) -> bool:
    connection.process_data_events(time_limit=0.1)
    return word in heard


def test_a_persistent_message_in_a_durable_queue_survives_a_kill(running: Broker) -> None:
    address = running.virtual_host("survivor")
    publish(address, "registrations", b"still here")
    running.write_out()
    running.kill()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        connect(address)
    running.restart()
    assert take(address, "registrations") == b"still here"


def test_a_broker_that_does_not_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(BrokerIsNotRunning):
        Broker(tmp_path / "never-started").close_connections()


def test_two_private_brokers_live_side_by_side_and_leave_nothing_running(
    running: Broker, tmp_path: Path
) -> None:
    with private_broker(tmp_path / "another") as another:
        ports = another.ports
        publish(another.url, "registrations", b"there")
        assert another.queues() == {"registrations": 1}
        assert "registrations" not in running.queues()
    assert not ports.any_open()


def test_secrets_are_for_their_owner_only(running: Broker) -> None:
    secret = [running.log.parent / "rabbitmq.conf", running.log.parent / ".erlang.cookie"]
    assert [stat.S_IMODE(each.stat().st_mode) & 0o077 for each in secret] == [0, 0]


def test_a_start_that_fails_shows_the_last_words(tmp_path: Path) -> None:
    unlucky = Broker(tmp_path / "unlucky")
    with (
        closing(socket.create_server(("127.0.0.1", unlucky.ports.distribution))),
        pytest.raises(BrokerDidNotStart, match="could not bind to distribution port"),
    ):
        unlucky.start()
    assert not unlucky.ports.any_open()


def test_a_broker_ends_with_the_process_that_started_it_however_that_ends(tmp_path: Path) -> None:
    program = """
import json, pathlib, signal, sys
from shared.testing.rabbitmq import Broker
broker = Broker(pathlib.Path(sys.argv[1]))
broker.start()
print(json.dumps(vars(broker.ports)), flush=True)
signal.pause()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "orphan")], cwd=PROJECT, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        ports = Ports(**json.loads(owner.stdout.readline()))
        assert ports.any_open()
        os.kill(owner.pid, signal.SIGKILL)
    assert wait_until(lambda: not ports.any_open(), seconds=5)


def test_the_edition_unpacked_without_root_really_runs(tmp_path: Path) -> None:
    edition = unpacked(Machine(superuser=False), DEFAULT_CACHE)
    assert edition is not None, "the package could not be fetched through apt-get"
    unpacked_here = Broker(tmp_path / "broker", edition)
    unpacked_here.start()
    try:
        publish(unpacked_here.url, "registrations", b"no root needed")
        assert take(unpacked_here.url, "registrations") == b"no root needed"
        root = unpacked_here.evaluate("unicode:characters_to_binary(code:root_dir())")
        assert Path(root) == DEFAULT_CACHE / "root/usr/lib/erlang"
    finally:
        unpacked_here.stop()


def test_a_broker_named_by_the_environment_is_used_as_it_is(running: Broker, tmp_path: Path) -> None:
    environ = {"RABBITMQ_URL": running.url, "RABBITMQ_MANAGEMENT_URL": running.management.address}
    guest = broker(tmp_path / "unused", environ)
    guest.start()
    publish(guest.virtual_host("guest"), "registrations", b"welcome")
    guest.stop()
    assert guest.url == running.url
    assert running.queues("guest") == {"registrations": 1}
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize("hurt", ["kill", "restart"])
def test_a_broker_of_somebody_else_is_never_hurt(hurt: str) -> None:
    with pytest.raises(BrokerIsNotOurs):
        getattr(ExternalBroker("amqp://guest:guest@broker.example:5672/%2F"), hurt)()


class FakeMachine(Debian):
    planned = ("erlang-base", "logrotate", "rabbitmq-server")
    wanted = ("erlang-base", "rabbitmq-server")

    def unpacked(self, folder: Path) -> None:
        place_rabbitmq(folder)

    def installed(self) -> None:
        place_rabbitmq(self.root)
        place_erlang(self.root)


def place_rabbitmq(root: Path, version: str = "3.10.8") -> None:
    scripts = root / f"usr/lib/rabbitmq/lib/rabbitmq_server-{version}/sbin"
    scripts.mkdir(parents=True, exist_ok=True)
    for name in ("rabbitmq-server", "rabbitmq-env"):
        (scripts / name).touch(mode=0o755)


def place_erlang(root: Path) -> None:
    (root / "usr/bin").mkdir(parents=True, exist_ok=True)
    (root / "usr/bin/erl").touch(mode=0o755)


def machine(root: Path, *, superuser: bool, **known: object) -> FakeMachine:
    return FakeMachine(root, f"{root}/usr/sbin:{root}/usr/bin", superuser, **known)  # type: ignore[arg-type]


def test_a_rabbitmq_on_the_machine_comes_before_any_download(tmp_path: Path) -> None:
    here = machine(tmp_path, superuser=True)
    place_rabbitmq(tmp_path)
    place_erlang(tmp_path)
    assert find(here, tmp_path / "cache").scripts.is_relative_to(tmp_path / "usr/lib/rabbitmq")
    assert here.commands == []


def test_the_newest_of_several_on_the_machine_is_taken(tmp_path: Path) -> None:
    place_rabbitmq(tmp_path, "3.9.13")
    place_rabbitmq(tmp_path, "3.10.8")
    place_erlang(tmp_path)
    found = find(machine(tmp_path, superuser=False), tmp_path / "cache")
    assert found.scripts.parent.name == "rabbitmq_server-3.10.8"


def test_the_wrapper_that_insists_on_a_user_is_passed_over_for_the_real_script(tmp_path: Path) -> None:
    place_rabbitmq(tmp_path)
    place_erlang(tmp_path)
    wrapper = tmp_path / "usr/lib/rabbitmq/bin/rabbitmq-script-wrapper"
    wrapper.parent.mkdir()
    wrapper.touch(mode=0o755)
    (wrapper.parent / "rabbitmq-env").touch()
    (tmp_path / "usr/sbin").mkdir()
    (tmp_path / "usr/sbin/rabbitmq-server").symlink_to(wrapper)
    found = find(machine(tmp_path, superuser=True), tmp_path / "cache")
    assert found.scripts.name == "sbin"


def test_root_installs_the_package(tmp_path: Path) -> None:
    here = machine(tmp_path, superuser=True, lists={"rabbitmq-server"})
    assert find(here, tmp_path / "cache").scripts.is_relative_to(tmp_path / "usr/lib/rabbitmq")
    assert here.commands == ["install"]


def test_root_updates_the_lists_when_they_do_not_know_the_package(tmp_path: Path) -> None:
    here = machine(tmp_path, superuser=True)
    find(here, tmp_path / "cache")
    assert here.commands == ["install", "update", "install"]


def test_who_is_not_root_unpacks_the_package_into_the_cache(tmp_path: Path) -> None:
    here = machine(tmp_path, superuser=False)
    assert find(here, tmp_path / "cache").scripts.is_relative_to(tmp_path / "cache")
    assert here.commands == ["install", "update", "install", "download", "-x"]


def test_what_was_unpacked_once_is_not_fetched_again(tmp_path: Path) -> None:
    first = find(machine(tmp_path, superuser=False), tmp_path / "cache")
    again = machine(tmp_path, superuser=False)
    assert find(again, tmp_path / "cache") == first
    assert again.commands == []


def test_nothing_to_be_had_says_in_one_line_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RabbitmqIsMissing, match=r"^No RabbitMQ .* install the package rabbitmq-server\.$"):
        find(machine(tmp_path, superuser=False, sources=False), tmp_path / "cache")
