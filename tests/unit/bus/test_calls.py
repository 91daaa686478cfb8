"""A service outlives the broker under its calls."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from amqp.exceptions import RecoverableConnectionError
from kombu.exceptions import OperationalError
from nameko.messaging import QueueConsumer

from shared.bus.calls import Caller, NoAnswer, rpc


class Container:
    """As much of a service as its extensions look at."""

    config: ClassVar = {"AMQP_URI": "amqp://127.0.0.1"}

    def __init__(self) -> None:
        self.shared_extensions: dict[Any, Any] = {}


class Message:
    """A call whose connection still looks open, and breaks when it is used."""

    channel = SimpleNamespace(connection=object())

    def __init__(self, error: Exception) -> None:
        self._error = error

    def ack(self) -> None:
        raise self._error

    requeue = ack


def consumers_of_calls() -> list[Callable[[], QueueConsumer]]:
    @rpc
    def method() -> None: ...

    (entrypoint,) = method.nameko_entrypoints
    return [entrypoint.rpc_consumer.queue_consumer, Caller().replies.queue_consumer]


@pytest.mark.parametrize("error", [BrokenPipeError(), ConnectionResetError(), RecoverableConnectionError()])
@pytest.mark.parametrize("consumer", consumers_of_calls())
def test_a_connection_that_breaks_under_an_acknowledgement_ends_nothing(
    consumer: QueueConsumer, error: Exception
) -> None:
    container = Container()  # which extensions do not keep alive
    bound = consumer.bind(container)
    bound.ack_message(Message(error))
    bound.requeue_message(Message(error))


class Line:
    """A service that cannot be asked."""

    error: ClassVar[Exception]

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def events_after(self, **_: Any) -> None:
        raise self.error


@pytest.mark.parametrize("error", [OperationalError(), BrokenPipeError(), RecoverableConnectionError()])
def test_a_question_that_a_lost_broker_does_not_take_has_no_answer(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Line, "error", error, raising=False)
    monkeypatch.setattr("shared.bus.calls.ServiceProxy", Line)
    monkeypatch.setattr("shared.bus.calls.WorkerContext", lambda *_, **__: None)
    container = Container()  # which extensions do not keep alive
    caller = Caller().bind(container)
    with pytest.raises(NoAnswer):
        caller.call("registration", "events_after", {}, {})
