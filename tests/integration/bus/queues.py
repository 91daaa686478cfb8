"""A stranger at the broker: bare pika, with queues and messages of his own."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
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
    """Each asks on a connection of its own: tests close connections by force."""

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        with closing(pika.BlockingConnection(pika.URLParameters(self._url))) as connection:
            channel = connection.channel()
            channel.exchange_declare(EXCHANGE, "topic", durable=True)
            yield channel

    @property
    def virtual_host(self) -> str:
        return unquote(urlsplit(self._url).path[1:])

    def bind(self, queue: str, routing_key: str = "#", **arguments: Any) -> None:
        """A durable queue for what is published under the routing key."""
        with self._channel() as channel:
            channel.queue_declare(queue, durable=True, arguments=arguments or QUORUM)
            channel.queue_bind(queue, EXCHANGE, routing_key)

    def silence(self, service: str) -> None:
        """Calls to a service that does not run wait in its queue, as after its end."""
        with self._channel() as channel:
            channel.exchange_declare("nameko-rpc", "topic", durable=True)
            channel.queue_declare(f"rpc-{service}", durable=True)
            channel.queue_bind(f"rpc-{service}", "nameko-rpc", f"{service}.*")

    def delete(self, queue: str) -> None:
        with self._channel() as channel:
            channel.queue_delete(queue)

    def count(self, queue: str) -> int:
        """How many messages wait in a classic queue."""
        with self._channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def publish(self, body: bytes, properties: pika.BasicProperties) -> None:
        """Puts something of our own into the exchange; it has reached every bound queue on return."""
        with self._channel() as channel:
            channel.confirm_delivery()
            channel.basic_publish(EXCHANGE, "CandidateRegistered", body, properties, mandatory=True)

    def take(self, queue: str) -> list[tuple[Any, Any, bytes]]:
        """Empties a queue: (method, properties, body) of each message."""
        taken = []
        with self._channel() as channel:
            while (message := channel.basic_get(queue, auto_ack=True))[0] is not None:
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
