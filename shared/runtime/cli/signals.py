"""The signals that ask a program to stop."""

import signal
from collections.abc import Callable
from typing import Any

# a closed terminal (HUP) and Ctrl-\ (QUIT) too, or PostgreSQL would stay behind
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


def on_signal(stop: Callable[[], Any]) -> None:
    """From now on each of them calls `stop`; but a HUP that `nohup` has set aside stays so."""
    handle(lambda _number, _frame: stop())


def handle(handler: Callable[[int, Any], Any]) -> None:
    """The same for a handler as `signal` calls it."""
    for number in STOPPING:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
