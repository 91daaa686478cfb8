"""RabbitMQ and the bus in memory keep the same promises."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from kombu import Connection
from kombu.message import Message

from shared.bus import memory, topology
from shared.bus.rabbit import RabbitOutlet, Session
from shared.testing.outlets import Delivered, OutletContract
from tests.integration.bus.queues import Queues


class OverRabbit:
    """pika's confirmed channel."""

    def __init__(self, url: str, queues: Queues) -> None:
        self._url, self._queues = url, queues
        queues.bind("contract")

    def run(self, start: Callable[[RabbitOutlet], Callable[[], bool]], stop: Callable[[], bool]) -> None:
        Session(self._url, "registration", 100).run(start, stop)

    def delivered(self, count: int) -> Sequence[Delivered]:
        return [
            Delivered(
                body,
                method.routing_key,
                properties.content_type,
                properties.content_encoding,
                properties.message_id,
            )
            for method, properties, body in self._queues.take("contract")
        ]


class InMemory:
    """kombu's transport in memory, as the embedded node registers it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queue = topology.queue("contract", "registration")(connection.channel())
        self._queue.declare()

    def run(
        self, start: Callable[[memory.MemoryOutlet], Callable[[], bool]], stop: Callable[[], bool]
    ) -> None:
        step = start(memory.MemoryOutlet(self._connection, "registration"))
        while not stop():
            step()

    def delivered(self, count: int) -> Sequence[Delivered]:
        taken: list[Message] = []
        with self._connection.Consumer([self._queue], on_message=taken.append):
            while len(taken) < count:
                self._connection.drain_events(timeout=10)
        return [_delivered(message) for message in taken]


def _delivered(message: Message) -> Delivered:
    said: dict[str, Any] = message.properties
    return Delivered(
        message.body,
        message.delivery_info["routing_key"],
        message.content_type,
        message.content_encoding,
        said["message_id"],
    )


class TestRabbitOutlet(OutletContract):
    @pytest.fixture
    def transport(self, bus: str, queues: Queues) -> OverRabbit:
        return OverRabbit(bus, queues)


class TestMemoryOutlet(OutletContract):
    @pytest.fixture
    def transport(self) -> Iterator[InMemory]:
        with Connection(memory.register()) as connection:
            yield InMemory(connection)
        memory.reset()
