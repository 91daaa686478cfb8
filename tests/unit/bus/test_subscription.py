"""A subscription that is being set up outlives its broker."""

from typing import Any, ClassVar

import eventlet
import pytest

from shared.bus import subscription
from shared.bus.subscription import Subscription


class Connection:
    """To a broker that goes away as soon as somebody says a word to it, until it is back."""

    connection_errors = (OSError,)
    tempers: ClassVar[list[Exception | None]]
    collected = 0

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def channel(self) -> "Connection":
        temper = type(self).tempers.pop(0)
        if temper:
            raise temper
        return self

    def collect(self) -> None:
        type(self).collected += 1


class Queue:
    declared: ClassVar[list[Connection]] = []

    def __call__(self, channel: Connection) -> "Queue":
        self.declared.append(channel)
        return self

    def declare(self) -> None: ...


def subscribed(monkeypatch: pytest.MonkeyPatch, tempers: list[Exception | None]) -> Subscription:
    monkeypatch.setattr(Connection, "tempers", tempers, raising=False)
    monkeypatch.setattr(Connection, "collected", 0)
    monkeypatch.setattr(Queue, "declared", [])
    monkeypatch.setattr(subscription, "Connection", Connection)
    monkeypatch.setattr(subscription, "queue", lambda *_: Queue())
    monkeypatch.setattr(subscription, "_PATIENCE", 0)
    return Subscription("", "audit", ["scoring"], lambda *_: None, lambda: None, ())


def test_queues_are_declared_once_the_broker_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    subscribed(monkeypatch, [ConnectionResetError(), TimeoutError(), None]).declare()
    assert len(Queue.declared) == 1
    assert Connection.collected == 3


def test_a_broker_that_stays_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "_DECLARING", -1)
    with pytest.raises(ConnectionResetError):
        subscribed(monkeypatch, [ConnectionResetError()]).declare()


def test_what_a_commit_met_is_raised_to_whoever_waits_for_it_and_not_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def commit(error: str) -> None:
        eventlet.sleep(0)
        raise LookupError(error)

    committing = eventlet.spawn(subscription._tried, commit, "gone")
    with pytest.raises(LookupError, match="gone"):
        subscription._settle(committing)
    assert capfd.readouterr() == ("", "")
