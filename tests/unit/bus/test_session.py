"""A session with a broker that is hardly there."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from pika.adapters.utils import io_services_utils

from shared.bus.rabbit import BrokerGone, RabbitOutlet, Session


class HungUp:
    """What pika makes of a connection that is gone before it has looked at it."""

    def __init__(self, **_: Any) -> None:
        raise ValueError("Expected connected socket, but getpeername() failed; at 127.0.0.1")


def never(_: RabbitOutlet) -> Callable[[], bool]:
    raise AssertionError("there was no broker")


def test_a_broker_that_hangs_up_at_once_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(io_services_utils, "_AsyncStreamConnector", HungUp)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"amqp://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(BrokerGone, match=r"getpeername\(\) failed$"):
            Session(url, "registration", 10).run(never, lambda: False)
