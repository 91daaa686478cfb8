"""Subscriptions: a service's queues, read in batches, acknowledged only when everything in them is committed.

Own code instead of nameko's `event_handler`, because that one acknowledges what its handler could not take.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import eventlet
from kombu import Connection
from kombu.message import Message

from shared.bus.topology import queue
from shared.kernel.faults import reached

log = logging.getLogger(__name__)

Body = bytes
Receive = Callable[[str, Sequence[Body]], None]

BATCH = 500
_QUIET = 0.005  # seconds without a further message after which a batch is handed on
_OLD = 0.1  # seconds after which a batch is handed on though more keep coming: it would wait for the 500th
_SETTING_UP = 5.0  # seconds for the broker to answer before we connect anew
_DECLARING = 60.0  # seconds for a broker that was there to come back before we have begun
_PATIENCE = 0.5  # seconds between looks at `stop` and `idle`
_PAUSE = 0.1  # seconds before the first new attempt, then twice as long up to five
_LONG = 10.0  # seconds that a connection has to have worked for the pauses to begin anew


class Subscription:
    """Reads `subscriber`'s queue of every source until stopped, over whatever broken connections.

    `receive(source, bodies)` commits them or raises; `idle()` is called between batches. `passing` are the
    errors after which to try again.
    """

    def __init__(
        self,
        url: str,
        subscriber: str,
        sources: Iterable[str],
        receive: Receive,
        idle: Callable[[], None],
        passing: tuple[type[Exception], ...],
    ) -> None:
        self._url = url
        self._queues = {source: queue(subscriber, source) for source in sources}
        self._receive = receive
        self._idle = idle
        self._passing = passing
        self._subscriber = subscriber
        self._stopping = False
        self._batch: list[tuple[str, Message]] = []

    def declare(self) -> None:
        """Makes the queues, so that nothing said from now on is missed; raises what it meets for a minute."""
        deadline = time.monotonic() + _DECLARING
        while True:
            connection = Connection(self._url, connect_timeout=5)
            try:
                with eventlet.Timeout(_SETTING_UP, TimeoutError()):
                    for each in self._queues.values():
                        each(connection.channel()).declare()
            except connection.connection_errors as error:
                if time.monotonic() > deadline:
                    raise
                log.warning("%s: %s, queues are declared again", self._subscriber, type(error).__name__)
                time.sleep(_PATIENCE)
            else:
                return
            finally:
                connection.collect()

    def stop(self) -> None:
        self._stopping = True

    def run(self) -> None:
        """Returns after `stop()`."""
        pause = _PAUSE
        while not self._stopping:
            began = time.monotonic()
            connection = Connection(self._url, heartbeat=30, connect_timeout=5)
            try:
                self._drain(connection)
            except (*connection.connection_errors, *connection.channel_errors, *self._passing) as error:
                pause = _PAUSE if time.monotonic() - began > _LONG else min(pause * 2, 5.0)
                log.warning("%s: %s, again in %.1f s", self._subscriber, type(error).__name__, pause)
                time.sleep(pause)
            finally:
                connection.collect()  # a polite close would wait for a broker that may never answer

    def _drain(self, connection: Connection) -> None:
        # a broker that has just come back may take a consumer of a quorum queue and never answer
        with eventlet.Timeout(_SETTING_UP, TimeoutError()):
            self._set_up(connection)
        while not self._stopping:
            self._fill(connection)
            if self._batch:
                self._hand_on()
            self._idle()

    def _set_up(self, connection: Connection) -> None:
        channel = connection.channel()
        channel.auto_decode = False  # bytes as they came, whatever encoding they claim
        channel.basic_qos(0, 2 * BATCH, False)
        self._batch = []
        for source in self._queues:
            self._consume(channel, source)

    def _consume(self, channel: Any, source: str) -> None:
        def take(message: Message, _error: Exception | None = None) -> None:
            self._batch.append((source, message))

        # what kombu cannot decompress would otherwise be raised here, and come again for ever
        channel.Consumer([self._queues[source]], on_message=take, on_decode_error=take).consume()

    def _fill(self, connection: Connection) -> None:
        patience, old = _PATIENCE, None
        while len(self._batch) < BATCH and not (old and time.monotonic() > old):
            try:
                connection.drain_events(timeout=patience)
            except TimeoutError:
                break
            patience, old = _QUIET, old or time.monotonic() + _OLD
        connection.heartbeat_check()

    def _hand_on(self) -> None:
        batch, self._batch = self._batch, []
        for source in {source for source, _ in batch}:
            self._receive(source, [_body(message) for origin, message in batch if origin == source])
        reached("ack")
        batch[-1][1].ack(multiple=True)
        reached("acked")


def _body(message: Message) -> bytes:
    """The body's bytes, whatever content type it claims: deciding what it is, is the receiver's."""
    return (
        message.body
        if isinstance(message.body, bytes)
        else str(message.body).encode("utf-8", "surrogateescape")
    )
