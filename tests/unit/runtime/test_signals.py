"""A closed terminal stops a program as SIGTERM does, unless it was started not to mind."""

import signal
from collections.abc import Iterator

import pytest

from shared.runtime.cli.signals import STOPPING, on_signal


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_DFL) for number in STOPPING}  # nohup sets one aside
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_each_of_them_stops(number: signal.Signals) -> None:
    told: list[bool] = []
    on_signal(lambda: told.append(True))
    signal.raise_signal(number)
    assert told == [True]


def test_what_nohup_has_set_aside_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    on_signal(lambda: pytest.fail("it was to be ignored"))
    signal.raise_signal(signal.SIGHUP)
