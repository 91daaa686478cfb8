"""kombu's way to RabbitMQ, reading whatever has arrived at once.

py-amqp asks the socket for each part of each frame: nine times for one message.
"""

from collections.abc import Callable
from typing import Any

from amqp.transport import TCPTransport
from kombu.transport import pyamqp

_GULP = 2**17  # bytes


class Gulp:
    """Bytes of a socket in the sizes that are asked for, received in the sizes that they come in."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._held, self._at = b"", 0

    def __call__(self, size: int) -> bytes:
        """1 to `size` bytes, none at the end; raises what the socket raises, and loses nothing."""
        if self._at == len(self._held):
            self._held, self._at = self._receive(_GULP), 0
        found = self._held[self._at : self._at + size]
        self._at += len(found)
        return found


class _Socket(TCPTransport):
    """py-amqp's own, but for the receiving."""

    def _setup_transport(self) -> None:
        super()._setup_transport()
        self._quick_recv: Callable[[int], bytes] = Gulp(self.sock.recv)


class _Connection(pyamqp.Connection):
    def Transport(  # noqa: N802
        self, host: str, connect_timeout: float, _ssl: Any, read_timeout: Any, write_timeout: Any, **more: Any
    ) -> Any:
        return _Socket(host, connect_timeout, read_timeout, write_timeout, **more)

    def drain_events(self, timeout: float | None = None) -> None:
        """Takes one message; its three frames have the timeout together, not each its own."""
        with self.transport.having_timeout(timeout):
            while not self.on_inbound_frame(self.transport.read_frame()):
                pass


class Transport(pyamqp.Transport):
    """For `amqp://`; what comes encrypted, OpenSSL holds by itself."""

    Connection = _Connection
