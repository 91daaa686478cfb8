"""A stranger at the broker: bare pika, with queues and messages of his own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
import pika

from shared.bus.topology import exchange_name
from shared.testing.rabbitmq import Broker
from shared.testing.rabbitmq.node import wait_until

EXCHANGE = exchange_name("registration")
QUORUM = {"x-queue-type": "quorum"}


class Queues:
    """One blocking connection, opened again where a test had it closed."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> "Queues":
        self._connect()
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection.is_open:
            self._connection.close()

    def _connect(self) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(self._url))
        self._channel = self._connection.channel()
        self._channel.exchange_declare(EXCHANGE, "topic", durable=True)

    @property
    def virtual_host(self) -> str:
        return unquote(urlsplit(self._url).path[1:])

    def bind(self, queue: str, routing_key: str = "#", **arguments: Any) -> None:
        """A durable queue for what is published under the routing key."""
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._channel.queue_declare(queue, durable=True, arguments=named or QUORUM)
        self._channel.queue_bind(queue, EXCHANGE, routing_key)

    def delete(self, queue: str) -> None:
        self._channel.queue_delete(queue)

    def count(self, queue: str) -> int:
        """How many messages wait in a classic queue, at once."""
        return int(self._channel.queue_declare(queue, passive=True).method.message_count)

    def publish(self, body: bytes, properties: pika.BasicProperties) -> None:
        """Puts something of our own into the exchange."""
        self._channel.basic_publish(EXCHANGE, "CandidateRegistered", body, properties)

    def take(self, queue: str) -> list[tuple[Any, Any, bytes]]:
        """Empties a queue: (method, properties, body) of each message."""
        if self._connection.is_closed:
            self._connect()
        taken = []
        while (message := self._channel.basic_get(queue, auto_ack=True))[0] is not None:
            taken.append(message)
        return taken

    def positions(self, queue: str) -> list[int]:
        """Empties a queue of events: where each stands in the log."""
        return [orjson.loads(body)["position"] for _, _, body in self.take(queue)]


@contextmanager
def memory_alarm(broker: Broker) -> Iterator[None]:
    """Every publisher of the broker waits for the length of a `with`."""
    broker.alarm(True)
    try:
        yield
    finally:
        broker.alarm(False)


def await_empty(broker: Broker, queues: Queues, queue: str) -> None:
    """Returns once everything in the queue was acknowledged."""
    assert wait_until(lambda: broker.queues(queues.virtual_host).get(queue) == 0, 30)
