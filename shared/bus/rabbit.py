"""Publishing to RabbitMQ with pika: many confirms in flight, matched by delivery tag."""

import logging
import time
from collections.abc import Callable
from typing import Any

import orjson
import pika
from pika.adapters.select_connection import SelectConnection
from pika.exceptions import AMQPError

from shared.bus.frames import Frames, properties
from shared.bus.topology import exchange_name
from shared.bus.window import Broken, Window
from shared.kernel.faults import reached

log = logging.getLogger(__name__)

_IDLE = (0.002, 0.1)  # seconds between looks at an idle log, growing from the first to the second
_UNCONFIRMED = 20.0  # seconds without any confirm after which the channel is given up
_FAREWELL = 2.0  # seconds for the broker to agree that the connection is closed


class BrokerGone(Exception):
    """The broker is not there, or closed the connection."""


class RabbitOutlet:
    """One confirmed channel. Once `failure` is set nothing more is sent: make a new outlet."""

    def __init__(self, channel: Any, service: str, window: int) -> None:
        self._channel = channel
        self._exchange = exchange_name(service)
        self._window = Window(window)
        self._frames = Frames(channel.channel_number, self._exchange, channel.connection.params.frame_max - 8)
        self._spelled: list[bytes] = []
        channel.confirm_delivery(self._on_confirm)
        channel.add_on_return_callback(self._on_return)
        self.failure: Exception | None = None
        self._heard = time.monotonic()

    @property
    def confirmed(self) -> int:
        return self._window.confirmed

    @confirmed.setter
    def confirmed(self, position: int) -> None:
        self._window.confirmed = position

    def room(self) -> int:
        return 0 if self.failure else self._window.room()

    def check(self, excused: bool) -> None:
        """Raises what went wrong; Broken too if nothing in flight is confirmed for long, unless `excused`."""
        if self.failure:
            raise self.failure
        if excused or not self._window.waiting:
            self._heard = time.monotonic()
        elif time.monotonic() - self._heard > _UNCONFIRMED:
            raise Broken("the broker confirms nothing; its log may say of a queue that it has no leader")

    def send(self, position: int, sealed: bytes) -> None:
        """Goes out with the next `flush`."""
        event = orjson.loads(sealed)
        id_, type_ = event["id"], event["type"]
        reached("publish")
        if self._frames.fit(id_, sealed):
            self._spelled.append(self._frames.of(id_, type_, sealed))
        else:
            self.flush()
            self._channel.basic_publish(self._exchange, type_, sealed, properties(id_, type_), mandatory=True)
        self._window.sent(position)

    def flush(self) -> None:
        """Sends what was spelled, in as few packets as there can be."""
        if self._spelled and self._channel.is_open:
            # pika has no public way to send what is already spelled
            self._channel.connection._output_marshaled_frames([b"".join(self._spelled)])
        self._spelled.clear()

    def _on_confirm(self, frame: Any) -> None:
        if isinstance(frame.method, pika.spec.Basic.Nack):
            self.failure = Broken("the broker refused a message")
        self._heard = time.monotonic()
        if self.failure is None:
            self._window.ack(frame.method.delivery_tag, frame.method.multiple)
            reached("confirm")

    def _on_return(self, _channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
        # comes before the confirm of the same message, which must not count any more
        reached("return")
        self.failure = Broken(f"no queue is bound to {method.exchange}: start its subscribers")


class Session:
    """One connection to the broker, on which `start(outlet)` gives a step to be run until something fails."""

    def __init__(self, url: str, service: str, window: int) -> None:
        self._url, self._service, self._window = url, service, window
        self._ended = self._blocked = False
        self._failure: BaseException | None = None
        self._outlet: RabbitOutlet | None = None
        self._pause = _IDLE[0]

    def run(self, start: Callable[[RabbitOutlet], Callable[[], bool]], stop: Callable[[], bool]) -> None:
        """Returns when `stop()` says so; raises BrokerGone, Broken, or what the step raises."""
        self._start, self._stop = start, stop
        parameters = pika.URLParameters(self._url)
        parameters.heartbeat = 30
        self._connection = SelectConnection(
            parameters,
            on_open_callback=lambda connection: connection.channel(on_open_callback=self._on_channel),
            on_open_error_callback=lambda _, error: self._end(BrokerGone(type(error).__name__)),
            on_close_callback=lambda _, error: self._end(BrokerGone(type(error).__name__)),
        )
        self._connection.add_on_connection_blocked_callback(self._on_blocked)
        self._connection.add_on_connection_unblocked_callback(self._on_unblocked)
        try:
            self._connection.ioloop.start()
        except ValueError as error:
            # a broker that hangs up as soon as it is reached makes pika raise this out of its own loop
            if self._outlet is not None:
                raise
            raise BrokerGone(str(error).partition(";")[0]) from None
        finally:
            self._close()
        if self._failure is not None:
            raise self._failure

    def _on_channel(self, channel: Any) -> None:
        channel.add_on_close_callback(lambda _, error: self._end(BrokerGone(type(error).__name__)))
        channel.exchange_declare(
            exchange_name(self._service), "topic", durable=True, callback=lambda _: self._on_exchange(channel)
        )

    def _on_blocked(self, _connection: Any, frame: Any) -> None:
        self._blocked = True
        log.warning("%s: the broker takes nothing for now (%s); waiting", self._service, frame.method.reason)

    def _on_unblocked(self, _connection: Any, _frame: Any) -> None:
        self._blocked = False

    def _on_exchange(self, channel: Any) -> None:
        self._guard(self._begin, channel)

    def _begin(self, channel: Any) -> None:
        self._outlet = RabbitOutlet(channel, self._service, self._window)
        self._step = self._start(self._outlet)
        self._tick()

    def _tick(self) -> None:
        if not self._ended:
            self._guard(self._advance)

    def _advance(self) -> None:
        assert self._outlet is not None
        self._outlet.check(self._blocked)
        if self._stop():
            self._end(None)
            return
        busy = self._step()
        self._outlet.flush()
        self._pause = _IDLE[0] if busy else min(self._pause * 1.5, _IDLE[1])
        self._connection.ioloop.call_later(self._pause, self._tick)

    def _guard(self, function: Callable[..., None], *args: Any) -> None:
        try:
            function(*args)
        except AMQPError as error:
            self._end(BrokerGone(type(error).__name__))
        except Exception as error:
            self._end(error)

    def _end(self, failure: BaseException | None) -> None:
        if not self._ended:
            self._ended, self._failure = True, failure
        self._connection.ioloop.stop()

    def _close(self) -> None:
        # without this the socket would live on, and the broker would keep the connection
        ioloop, deadline = self._connection.ioloop, time.monotonic() + _FAREWELL
        if self._connection.is_open:
            self._connection.close()
        ioloop.call_later(_FAREWELL, ioloop.stop)
        while not self._connection.is_closed and time.monotonic() < deadline:
            ioloop.start()
        ioloop.close()
