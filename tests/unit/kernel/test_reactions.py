"""Tables of handlers."""

import pytest

from shared.kernel.events import Event
from shared.kernel.reactions import Handlers, Policies, Projection


class KitchenEvent(Event, service="test-kitchen"):
    """The language of this test."""


class CellarEvent(Event, service="test-cellar"):
    """Another one."""


class SoupCooked(KitchenEvent):
    """Soup is ready."""


class WineOpened(CellarEvent):
    """Wine is, too."""


@pytest.mark.parametrize("handlers", [Handlers(), Policies(), Projection("menu", "")])
def test_a_handler_is_found_by_the_class_of_its_event(handlers):
    @handlers.on(SoupCooked, WineOpened)
    def serve(event, rows):
        """Does nothing."""

    assert handlers.handler(SoupCooked) is handlers.handler(WineOpened) is serve
    assert handlers.handler(KitchenEvent) is None
    assert set(handlers.events) == {SoupCooked, WineOpened}
    assert handlers.sources == {"test-kitchen", "test-cellar"}
