"""The AMQP frames of an event, which pika spells once for each type of event; only id, size and body differ.

pika spells every message anew and sends each of its frames by itself: that was 60 % of the time of the relay.
"""

import pika
from pika.frame import Header, Method
from pika.spec import FRAME_BODY, FRAME_END, FRAME_HEADER_SIZE, Basic

from shared.wire.envelope import CONTENT_TYPE

_SOME_ID = "00000000-0000-0000-0000-000000000000"
_SIZE_AT = FRAME_HEADER_SIZE + 4  # behind the class and the weight
_END = bytes([FRAME_END])


def properties(event_id: str, type_: str) -> pika.BasicProperties:
    """What a message says of itself."""
    return pika.BasicProperties(
        content_type=CONTENT_TYPE,
        content_encoding="utf-8",
        delivery_mode=2,
        message_id=event_id,
        type=type_,
    )


class Frames:
    """Spells what is published on one channel to one exchange, each message `mandatory`."""

    def __init__(self, channel: int, exchange: str, largest: int) -> None:
        """`largest`: bytes of a body that fit into one frame."""
        self._channel, self._exchange, self._largest = channel, exchange, largest
        self._body = bytes([FRAME_BODY]) + channel.to_bytes(2, "big")
        self._spelled: dict[str, tuple[bytes, bytes, bytes]] = {}

    def fit(self, event_id: str, body: bytes) -> bool:
        """Whether the event can be spelled here; pika does the others."""
        return len(event_id) == len(_SOME_ID) and event_id.isascii() and 0 < len(body) <= self._largest

    def of(self, event_id: str, type_: str, body: bytes) -> bytes:
        """All frames of a message."""
        spelled = self._spelled.get(type_)
        if spelled is None:
            spelled = self._spelled[type_] = self._spell(type_)
        head, middle, tail = spelled
        size = len(body)
        return b"".join(
            (
                head,
                size.to_bytes(8, "big"),
                middle,
                event_id.encode(),
                tail,
                self._body,
                size.to_bytes(4, "big"),
                body,
                _END,
            )
        )

    def _spell(self, type_: str) -> tuple[bytes, bytes, bytes]:
        publish = Basic.Publish(exchange=self._exchange, routing_key=type_, mandatory=True)
        method = Method(self._channel, publish).marshal()
        header = Header(self._channel, 0, properties(_SOME_ID, type_)).marshal()
        middle, tail = header[_SIZE_AT + 8 :].split(_SOME_ID.encode())
        return method + header[:_SIZE_AT], middle, tail
