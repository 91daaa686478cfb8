"""The bus in memory: what the embedded node runs on. Threads here, greenlets there: it waits the same way."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Queue

from shared.bus import memory
from shared.testing.postgres import Cluster
from shared.testing.processes import Processes, environment
from tests.integration.bus.ledger import SOON

MESSAGES = 2000
SERVICES = """
from shared.runtime import hub

hub.patch()
import eventlet
from nameko.events import EventDispatcher, event_handler
from nameko.rpc import RpcProxy, rpc
from nameko.runners import ServiceRunner
from nameko.standalone.rpc import ClusterRpcProxy
from shared.bus import memory

heard = []

class Echo:
    name = "echo"
    said = EventDispatcher()

    @rpc
    def say(self, words):
        self.said("Said", {"words": words})
        return {"words": words}

    @rpc
    def refuse(self):
        raise ValueError("no")

class Door:
    name = "door"
    echo = RpcProxy("echo")

    @rpc
    def ask(self, words):
        return self.echo.say(words)

class Listener:
    name = "listener"

    @event_handler("echo", "Said")
    def on_said(self, event):
        heard.append(event["words"])

config = {"AMQP_URI": memory.register(), "max_workers": 10}
runner = ServiceRunner(config)
for service in (Echo, Door, Listener):
    runner.add_service(service)
runner.start()
with ClusterRpcProxy(config, timeout=20) as services:
    asked = [services.door.ask.call_async(f"句 {number}") for number in range(200)]
    assert [each.result()["words"] for each in asked] == [f"句 {number}" for number in range(200)]
    try:
        services.echo.refuse()
    except Exception as error:
        print("refused", error)
with eventlet.Timeout(20):
    while len(heard) < 200:
        eventlet.sleep(0.01)
runner.stop()
print("heard", len(set(heard)))
"""


@pytest.fixture
def connection() -> Iterator[Connection]:
    with Connection(memory.register()) as connection:
        yield connection
    memory.reset()


def fill(connection: Connection, queue: Queue, numbers: range) -> None:
    queue(connection.channel()).declare()
    producer = connection.Producer()
    for number in numbers:
        producer.publish({"number": number}, routing_key=queue.name)


def read(
    connection: Connection, queue: Queue, seen: list[int], *, prefetch: int, each: int, until: Any
) -> None:
    """Acknowledges `each` messages at once, with at most `prefetch` unacknowledged."""
    deadline = time.monotonic() + SOON
    channel = connection.channel()
    channel.basic_qos(0, prefetch, False)
    unacknowledged: list[Any] = []

    def on_message(message: Any) -> None:
        seen.append(message.decode()["number"])
        unacknowledged.append(message)
        assert len(unacknowledged) <= prefetch
        if len(unacknowledged) == each:
            message.ack(multiple=True)
            unacknowledged.clear()

    with channel.Consumer([queue], on_message=on_message):
        while not until():
            try:
                connection.drain_events(timeout=0.2)
            except TimeoutError:
                assert time.monotonic() < deadline, f"{len(seen)} messages have come, and no more"


def test_nameko_services_call_and_hear_each_other(cluster: Cluster, tmp_path: Path) -> None:
    with Processes(tmp_path, environment(cluster)) as processes:
        program = processes.program("-c", SERVICES)
        assert program.wait() == 0, program.log.read_text()
        assert program.said("refused ValueError no")
        assert program.said("heard 200")


@pytest.mark.parametrize(("prefetch", "each"), [(10, 10), (100, 7), (1, 1)])
def test_two_thousand_messages_arrive_in_order_with_a_window_and_multiple_acknowledgements(
    prefetch: int, each: int, connection: Connection
) -> None:
    queue, seen = Queue("all", durable=True), list[int]()
    fill(connection, queue, range(MESSAGES))
    read(connection, queue, seen, prefetch=prefetch, each=each, until=lambda: len(seen) == MESSAGES)
    assert seen == list(range(MESSAGES))


def test_messages_published_while_somebody_waits_arrive(connection: Connection) -> None:
    queue, seen = Queue("all", durable=True), list[int]()
    fill(connection, queue, range(0))
    with Connection(memory.URI) as other:
        reader = threading.Thread(
            target=read,
            args=(other, queue, seen),
            kwargs={"prefetch": 10, "each": 5, "until": lambda: len(seen) == MESSAGES},
        )
        reader.start()
        for start in range(0, MESSAGES, 100):
            fill(connection, queue, range(start, start + 100))
        reader.join(30)
        assert not reader.is_alive()
    assert seen == list(range(MESSAGES))


def test_two_connections_share_one_queue_and_nothing_is_lost_or_doubled(connection: Connection) -> None:
    queue = Queue("shared", durable=True)
    fill(connection, queue, range(0))
    seen: list[list[int]] = [[], []]
    with Connection(memory.URI) as one, Connection(memory.URI) as two:
        readers = [
            threading.Thread(
                target=read,
                args=(reading, queue, own),
                kwargs={"prefetch": 20, "each": 1, "until": lambda: sum(map(len, seen)) == MESSAGES},
            )
            for reading, own in zip((one, two), seen, strict=True)
        ]
        for reader in readers:
            reader.start()
        fill(connection, queue, range(MESSAGES))
        for reader in readers:
            reader.join(30)
            assert not reader.is_alive()
    assert sorted(seen[0] + seen[1]) == list(range(MESSAGES))


def test_an_idle_connection_looks_once_and_then_waits_to_be_woken(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, seen, looks = Queue("quiet", durable=True), list[int](), list[str]()
    fill(connection, queue, range(0))
    look = memory.Channel._get

    def counted(self: memory.Channel, name: str, timeout: float | None = None) -> Any:
        looks.append(name)
        return look(self, name, timeout)

    monkeypatch.setattr(memory.Channel, "_get", counted)
    with Connection(memory.URI) as idle:
        consumer = idle.channel().Consumer([queue], on_message=lambda message: seen.append(message.ack()))
        consumer.consume()
        with pytest.raises(TimeoutError):
            idle.drain_events(timeout=0.5)
        assert len(looks) == 1
        waiter = threading.Thread(target=idle.drain_events, kwargs={"timeout": 30})
        waiter.start()
        fill(connection, queue, range(1))
        waiter.join(30)
        assert not waiter.is_alive()
    assert len(seen) == 1
    assert len(looks) <= 4  # once before waiting, once when woken; again where a message came in between
