"""Calls over the broker from a test, as from any nameko program."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kombu.pools import reset
from nameko.standalone.rpc import ClusterRpcProxy

from shared.bus.calls import context
from shared.kernel.actors import Actor


@contextmanager
def calling(bus: str, actor: Actor | None = None, *, wait: float = 30) -> Iterator[Callable[..., Any]]:
    """`ask(service, method, **message)` answers; `later=True` returns at once, and `.result()` answers.

    For one thread. An error of the service is raised as nameko's RemoteError, or as Refused.
    """
    data = context(actor) if actor else {}
    with ClusterRpcProxy({"AMQP_URI": bus}, context_data=data, timeout=wait) as services:

        def ask(service: str, method: str, *, later: bool = False, **message: Any) -> Any:
            called = getattr(services[service], method)
            return called.call_async(**message) if later else called(**message)

        try:
            yield ask
        finally:
            reset()  # nameko leaves its publishing connection in kombu's pool
