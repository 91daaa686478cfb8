"""Subscriptions: a service's queues, read in batches, acknowledged only when everything in them is committed.

Own code instead of nameko's `event_handler`, because that one acknowledges what its handler could not take.
While PostgreSQL commits one batch, the next is read: one after the other, either left a core idle.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import eventlet
from eventlet.greenthread import GreenThread
from kombu import Connection

from shared.bus.topology import queue
from shared.kernel.faults import reached

log = logging.getLogger(__name__)

Body = bytes
Receive = Callable[[str, Sequence[Body]], None]
Delivered = tuple[str, Any]  # source, and the message as the transport has it

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
        self._batch: list[Delivered] = []

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
            connection = Connection(
                self._url, transport=_transport(self._url), heartbeat=30, connect_timeout=5
            )
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
            channel = self._set_up(connection)
        before = eventlet.spawn(_tried, self._idle)
        try:
            while not self._stopping:
                self._fill(connection, before)
                _settle(before)
                batch, self._batch = self._batch, []
                before = eventlet.spawn(_tried, self._hand_on, channel, batch)
        finally:
            _settle(before)  # one after the other, also over another connection

    def _set_up(self, connection: Connection) -> Any:
        channel = connection.channel()
        channel.auto_decode = False  # bytes as they came, whatever encoding they claim
        channel.basic_qos(0, 2 * BATCH, False)
        self._batch = []
        for source in self._queues:
            self._consume(channel, source)
        return channel

    def _consume(self, channel: Any, source: str) -> None:
        def take(message: Any) -> None:
            self._batch.append((source, message))

        bound = self._queues[source](channel)
        bound.declare()
        # not by kombu's Consumer: it makes each message one of its own, and raises what it cannot decompress
        bound.consume(source, take, no_ack=False)

    def _fill(self, connection: Connection, before: GreenThread) -> None:
        """Reads the next batch; at least until the one before is committed, if it does not get full."""
        patience, old = _PATIENCE, None
        while len(self._batch) < BATCH and not (old and before.dead and time.monotonic() > old):
            try:
                connection.drain_events(timeout=patience)
            except TimeoutError:
                if before.dead:
                    break
                connection.heartbeat_check()  # a commit may take long
            else:
                patience, old = _QUIET, old or time.monotonic() + _OLD
        connection.heartbeat_check()

    def _hand_on(self, channel: Any, batch: list[Delivered]) -> None:
        for source in {source for source, _ in batch}:
            self._receive(source, [_body(message) for origin, message in batch if origin == source])
        if batch:
            reached("ack")
            channel.basic_ack(batch[-1][1].delivery_tag, multiple=True)
            reached("acked")
        self._idle()


def _tried(work: Callable[..., None], *arguments: Any) -> Exception | None:
    """The error of `work`, for `_settle`: of one that is raised, eventlet would print the traceback."""
    try:
        work(*arguments)
    except Exception as error:
        return error
    return None


def _settle(tried: GreenThread) -> None:
    """Waits for its end, and raises its error."""
    error = tried.wait()
    if error is not None:
        raise error


def _transport(url: str) -> str | None:
    """Our own way of reading, where there is one."""
    return "shared.bus.gulping:Transport" if url.startswith("amqp:") else None


def _body(message: Any) -> bytes:
    """The body's bytes, whatever content type it claims: deciding what it is, is the receiver's."""
    return (
        message.body
        if isinstance(message.body, bytes)
        else str(message.body).encode("utf-8", "surrogateescape")
    )
