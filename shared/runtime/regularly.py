"""What a service does on its own from time to time."""

import logging
from collections.abc import Callable
from typing import Any

import eventlet
from eventlet.event import Event
from nameko.extensions import DependencyProvider
from psycopg_pool import PoolTimeout

from shared.runtime.settings import Settings
from shared.runtime.workshop import Workshop
from shared.store.errors import PASSING

log = logging.getLogger(__name__)

_FAREWELL = 2.0  # seconds for the last step to end


class Regularly(DependencyProvider):
    """`Regularly(make, seconds)`: `make(workshop)` is the step, taken every so many seconds of the settings.

    A step that fails is told and taken again the next time.
    """

    workshop = Workshop()

    def __init__(
        self, make: Callable[[Workshop], Callable[[], Any]], seconds: Callable[[Settings], float]
    ) -> None:
        self._make, self._seconds = make, seconds

    def setup(self) -> None:
        self._ending = Event()

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run, identifier="regularly")

    def stop(self) -> None:
        self._ending.send(True)
        with eventlet.Timeout(_FAREWELL, False):
            self._thread.wait()
        self._thread.kill()  # whoever does not answer now would be waited for; what was begun rolls back

    def get_dependency(self, _worker_ctx: Any) -> None:
        return None

    def _run(self) -> None:
        step, seconds = self._make(self.workshop), self._seconds(self.workshop.settings)
        while not self._ends_within(seconds):
            try:
                step()
            except (PoolTimeout, *PASSING) as error:
                log.warning("%s: %s", self.container.service_name, type(error).__name__)
            except Exception:
                log.exception("%s: what it does regularly failed", self.container.service_name)

    def _ends_within(self, seconds: float) -> bool:
        with eventlet.Timeout(seconds, False):
            self._ending.wait()
        return bool(self._ending.ready())
