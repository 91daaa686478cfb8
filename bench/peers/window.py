"""Publishing with nothing but pika: bodies that are in memory, a window of confirms, no database."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pika
from pika.adapters.select_connection import SelectConnection

_WINDOW = 1000


class _Publisher:
    """Publishes all bodies, and stops once the last is confirmed."""

    def __init__(self, url: str, bodies: list[tuple[str, str, bytes]]) -> None:
        self._bodies = bodies
        self._sent = self._confirmed = 0
        self._connection = SelectConnection(pika.URLParameters(url), on_open_callback=self._on_open)

    def open(self) -> None:
        """Runs until the channel is open."""
        self._connection.ioloop.start()

    def _on_open(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Any) -> None:
        self._channel = channel
        channel.confirm_delivery(self._on_confirm)
        self._connection.ioloop.stop()

    def publish(self) -> None:
        """Publishes everything; returns when all of it is confirmed."""
        self._send()
        self._connection.ioloop.start()

    def _on_confirm(self, frame: Any) -> None:
        if isinstance(frame.method, pika.spec.Basic.Nack):
            raise RuntimeError("the broker refused a message")
        self._confirmed = frame.method.delivery_tag if frame.method.multiple else self._confirmed + 1
        if self._confirmed >= len(self._bodies):
            self._connection.ioloop.stop()
        else:
            self._send()

    def _send(self) -> None:
        until = min(len(self._bodies), self._confirmed + _WINDOW)
        for id_, type_, body in self._bodies[self._sent : until]:
            properties = pika.BasicProperties(
                content_type="application/json",
                content_encoding="utf-8",
                delivery_mode=2,
                message_id=id_,
                type=type_,
            )
            self._channel.basic_publish("registration.events", type_, body, properties, mandatory=True)
        self._sent = max(self._sent, until)


def publishing(url: str, path: str) -> Callable[[], None]:
    """Publishes the events of a file."""
    bodies = [
        (event["id"], event["type"], line)
        for line in Path(path).read_bytes().splitlines()
        for event in [json.loads(line)]
    ]
    publisher = _Publisher(url, bodies)
    publisher.open()
    return publisher.publish
