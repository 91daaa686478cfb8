"""The bus of the embedded node: kombu's in-memory transport, mended in two places.

Its virtual channel drops `content_type`, without which nameko's RPC cannot decode; and it polls, where we
wake whoever consumes from the queue that something was put into.
"""

import threading
from collections import Counter, defaultdict
from queue import Empty
from typing import Any

import orjson
from kombu import Connection
from kombu.transport import TRANSPORT_ALIASES, memory

from shared.bus.topology import exchange
from shared.wire.envelope import CONTENT_TYPE

URI = "jianding-memory://localhost"
_waiting: dict[str, set[threading.Event]] = defaultdict(set)


class QoS(memory.virtual.QoS):
    """A prefetch window for each queue of a channel, as RabbitMQ has one for each consumer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._queues: dict[Any, str] = {}  # delivery tag -> queue, until settled
        self._held: Counter[str] = Counter()
        self.delivering = ""

    def can_consume(self) -> bool:
        return True  # each queue is asked, by `has_room`

    def has_room(self, queue: str) -> bool:
        return not self.prefetch_count or self._held[queue] < self.prefetch_count

    def append(self, message: Any, delivery_tag: Any) -> None:
        super().append(message, delivery_tag)
        self._queues[delivery_tag] = self.delivering
        self._held[self.delivering] += 1

    def _settle(self, delivery_tag: Any) -> None:
        if (queue := self._queues.pop(delivery_tag, None)) is not None:
            self._held[queue] -= 1

    def ack(self, delivery_tag: Any) -> None:
        self._settle(delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        self._settle(delivery_tag)
        super().reject(delivery_tag, requeue)


class Channel(memory.Channel):
    """Keeps the content type, and wakes the connections that consume from a queue."""

    QoS = QoS
    queues: dict[str, Any] = {}  # noqa: RUF012
    events: defaultdict[Any, Any] = defaultdict(set)  # noqa: RUF012
    do_restore = False

    def prepare_message(
        self, body: Any, priority: Any = None, content_type: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        message = super().prepare_message(body, priority, content_type, *args, **kwargs)
        message["properties"]["content_type"] = message["content-type"]
        message["properties"]["content_encoding"] = message["content-encoding"]
        return message

    def basic_consume(self, queue: str, *args: Any, **kwargs: Any) -> Any:
        _waiting[queue].add(self.connection.arrived)
        self.connection.arrived.set()
        return super().basic_consume(queue, *args, **kwargs)

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        super()._put(queue, message, **kwargs)
        for arrived in tuple(_waiting[queue]):
            arrived.set()

    def _get_and_deliver(self, queue: str, callback: Any) -> None:
        if not self.qos.has_room(queue):
            raise Empty
        self.qos.delivering = queue
        super()._get_and_deliver(queue, callback)

    def basic_qos(self, prefetch_size: int = 0, prefetch_count: int = 0, apply_global: bool = False) -> None:
        super().basic_qos(prefetch_size, prefetch_count, apply_global)
        self.connection.arrived.set()

    def basic_ack(self, delivery_tag: Any, multiple: bool = False) -> None:
        for tag in self._up_to(delivery_tag) if multiple else [delivery_tag]:
            super().basic_ack(tag)
        self.connection.arrived.set()  # the prefetch window has room again

    def _up_to(self, delivery_tag: Any) -> list[Any]:
        tags = list(self.qos._delivered)
        return tags[: tags.index(delivery_tag) + 1]


class Transport(memory.Transport):
    """Waits for a message instead of asking every few milliseconds."""

    Channel = Channel
    global_state = memory.virtual.BrokerState()

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.arrived = threading.Event()

    def drain_events(self, connection: Any, timeout: float | None = None, **_kwargs: Any) -> None:  # noqa: ARG002
        """Delivers one message; TimeoutError (as a socket does) when none came in `timeout` seconds."""
        assert self.cycle is not None
        while True:
            self.arrived.clear()
            try:
                self.cycle.get(self._deliver, timeout=timeout)
            except Empty:
                if not self.arrived.wait(timeout):
                    raise TimeoutError from None
            else:
                return

    def close_connection(self, connection: Any) -> None:
        for events in _waiting.values():
            events.discard(self.arrived)
        super().close_connection(connection)


def register() -> str:
    """Makes the transport known to kombu; the URI to use."""
    TRANSPORT_ALIASES["jianding-memory"] = f"{__name__}:Transport"
    return URI


def reset() -> None:
    """Forgets every exchange, queue and message of this process: a broker that was wiped."""
    Transport.global_state.clear()
    Channel.queues.clear()
    _waiting.clear()


class MemoryOutlet:
    """Puts a source's events on the in-memory bus. There are no confirms: what was put is there."""

    def __init__(self, connection: Connection, service: str) -> None:
        self._exchange = exchange(service)(connection.channel())
        self._exchange.declare()
        self._producer = connection.Producer(auto_declare=False)
        self.confirmed = 0

    def room(self) -> int:
        return 500

    def send(self, position: int, sealed: bytes) -> None:
        event = orjson.loads(sealed)
        self._producer.publish(
            sealed,
            exchange=self._exchange.name,
            routing_key=event["type"],
            content_type=CONTENT_TYPE,
            content_encoding="utf-8",
            message_id=event["id"],
        )
        self.confirmed = position
