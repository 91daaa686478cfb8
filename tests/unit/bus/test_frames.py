"""Frames spelled from a pattern are byte for byte those that pika spells."""

import pika
import pytest
from pika.frame import Body, Header, Method
from pika.spec import Basic

from shared.bus.frames import Frames, properties
from shared.kernel.ids import new_id

EXCHANGE = "registration.events"


def by_pika(channel: int, event_id: str, type_: str, body: bytes) -> bytes:
    publish = Basic.Publish(exchange=EXCHANGE, routing_key=type_, mandatory=True)
    header = Header(channel, len(body), properties(event_id, type_))
    return Method(channel, publish).marshal() + header.marshal() + Body(channel, body).marshal()


@pytest.mark.parametrize("channel", [1, 2047])
@pytest.mark.parametrize("size", [1, 999, 131_064])
def test_a_message_is_spelled_as_pika_spells_it(channel, size):
    frames, body = Frames(channel, EXCHANGE, 131_064), b"x" * size
    for type_ in ("PersonEnrolled", "ApplicationSubmitted", "PersonEnrolled"):
        event_id = new_id()
        assert frames.of(event_id, type_, body) == by_pika(channel, event_id, type_, body)


@pytest.mark.parametrize(
    ("event_id", "body"),
    [
        ("short", b"x"),
        (new_id() + "0", b"x"),
        ("é" * 36, b"x"),
        (new_id(), b""),
        (new_id(), b"x" * 101),
    ],
    ids=["short id", "long id", "id that is no ASCII", "no body", "body for two frames"],
)
def test_what_does_not_fit_the_pattern_is_left_to_pika(event_id, body):
    assert not Frames(1, EXCHANGE, 100).fit(event_id, body)


def test_what_fits_is_within_the_limit():
    assert Frames(1, EXCHANGE, 100).fit(new_id(), b"x" * 100)


def test_a_message_says_what_it_is():
    said = properties("id", "PersonEnrolled")
    assert isinstance(said, pika.BasicProperties)
    assert (said.message_id, said.type, said.delivery_mode) == ("id", "PersonEnrolled", 2)
    assert (said.content_type, said.content_encoding) == ("application/json", "utf-8")
