"""The services as the door asks them."""

from collections.abc import Callable
from typing import Any

from shared.bus.calls import NoAnswer

Context = dict[str, Any]
Ask = Callable[..., Any]
"""`ask(service, method, context, message)`, which is how shared.bus.calls.Caller calls."""


class Backend:
    """`backend.call("registration", "roster", {"batch": ...}, principal.context())` -> the answer.

    Refused with the service's own problem if it refuses, NoAnswer if it does not answer in time.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def call(
        self, service: str, method: str, message: dict[str, Any], context: Context, **patience: float
    ) -> Any:
        """`wait=3.0`: seconds, if not the usual."""
        return self._ask(service, method, context, message, **patience)


__all__ = ["Backend", "Context", "NoAnswer"]
