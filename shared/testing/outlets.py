"""What every outlet promises a relay, whatever bus is behind it; a test class for each bus inherits this."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from shared.bus.relay import Outlet

TYPES = ("PersonEnrolled", "ApplicationSubmitted", "CandidateRegistered")


@dataclass(frozen=True)
class Delivered:
    """A message as a subscriber got it."""

    body: bytes
    routing_key: str
    content_type: str
    content_encoding: str
    message_id: str


class Bus(Protocol):
    """A bus under test, with a queue that is bound to everything registration says."""

    def run(self, start: Callable[[Any], Callable[[], bool]], stop: Callable[[], bool]) -> None:
        """Makes an outlet, and calls the step that `start` gives for it until `stop()`."""

    def delivered(self, count: int) -> Sequence[Delivered]:
        """The next `count` messages of the queue."""


def event(position: int) -> bytes:
    """As much of a sealed event as an outlet looks at, with spelling that a new encoding would change."""
    type_ = TYPES[position % len(TYPES)]
    return f'{{"id": "event-{position}", "note":"考评\\u5458 {position} \\/", "type" :"{type_}"}}'.encode()


class OutletContract:
    """Inherit it, and give it a fixture `transport` that is a Bus."""

    COUNT = 700

    def test_events_arrive_in_order_and_byte_for_byte(self, transport: Bus) -> None:
        publish(transport, range(1, self.COUNT + 1))
        bodies = [each.body for each in transport.delivered(self.COUNT)]
        assert bodies == [event(position) for position in range(1, self.COUNT + 1)]

    def test_an_event_is_routed_by_its_type_and_says_what_it_is(self, transport: Bus) -> None:
        publish(transport, range(1, 7))
        for delivered in transport.delivered(6):
            said = orjson.loads(delivered.body)
            assert delivered.routing_key == said["type"]
            assert delivered.message_id == said["id"]
            assert (delivered.content_type, delivered.content_encoding) == ("application/json", "utf-8")

    def test_confirmed_grows_to_the_last_position_and_never_beyond_what_was_sent(
        self, transport: Bus
    ) -> None:
        watched = publish(transport, range(1, self.COUNT + 1))
        assert [confirmed for confirmed, _ in watched] == sorted(confirmed for confirmed, _ in watched)
        assert all(confirmed <= sent for confirmed, sent in watched)
        assert watched[-1] == (self.COUNT, self.COUNT)

    def test_an_outlet_told_where_to_begin_says_so_until_more_is_confirmed(self, transport: Bus) -> None:
        watched = publish(transport, range(41, 51), begin=40)
        assert watched[0][0] == 40
        assert watched[-1] == (50, 50)

    def test_a_second_outlet_goes_on_behind_the_first(self, transport: Bus) -> None:
        publish(transport, range(1, 11))
        publish(transport, range(11, 21), begin=10)
        assert [each.body for each in transport.delivered(20)] == [
            event(position) for position in range(1, 21)
        ]


def publish(transport: Bus, positions: range, begin: int = 0) -> list[tuple[int, int]]:
    """Publishes as a relay does, while there is room; (confirmed, sent) before and after each step."""
    watched: list[tuple[int, int]] = []
    waiting = list(positions)

    def start(outlet: Outlet) -> Callable[[], bool]:
        outlet.confirmed = sent = begin

        def step() -> bool:
            nonlocal sent
            watched.append((outlet.confirmed, sent))
            now, waiting[:] = waiting[: outlet.room()], waiting[outlet.room() :]
            for sent in now:
                outlet.send(sent, event(sent))
            watched.append((outlet.confirmed, sent))
            return bool(now)

        return step

    transport.run(start, lambda: bool(watched) and watched[-1][0] == positions[-1])
    return watched
