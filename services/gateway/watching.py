"""How all services stand, as they say themselves: all asked at once, and once for all who look."""

import time
from dataclasses import dataclass, field
from typing import Any

from eventlet import GreenPool
from eventlet.semaphore import Semaphore

from services.gateway.backend import Backend, Context
from shared.bus.calls import NoAnswer, Refused
from shared.contracts import SERVICES

_PATIENCE = 3.0  # seconds for an answer
_FRESH = 1.0  # seconds for which an answer is good enough


@dataclass
class Watch:
    """`watch.look(context)` -> service -> what its `standing` answers, or None if it does not."""

    backend: Backend
    _found: dict[str, Any] = field(default_factory=dict)
    _looked: float = float("-inf")
    _one: Semaphore = field(default_factory=Semaphore)

    def look(self, context: Context) -> dict[str, Any]:
        with self._one:  # whoever comes while somebody asks takes what he is told
            if time.monotonic() - self._looked > _FRESH:
                asked = [(service, context) for service in SERVICES]
                self._found = dict(zip(SERVICES, GreenPool().starmap(self._ask, asked), strict=True))
                self._looked = time.monotonic()
            return self._found

    def _ask(self, service: str, context: Context) -> Any:
        try:
            return self.backend.call(service, "standing", {}, context, wait=_PATIENCE)
        except (NoAnswer, Refused):
            return None
