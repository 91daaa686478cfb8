"""Who is signed in at a browser: tokens, renewed before they run out, and what the page says of him."""

import time
from dataclasses import dataclass
from typing import Any

from eventlet.semaphore import Semaphore
from flask import session

from services.gateway.backend import Backend
from services.gateway.principal import anybody, begin, forget, remember
from services.gateway.problems import status_of
from shared.bus.calls import Refused
from shared.kernel.actors import Role
from shared.kernel.errors import Refusal

_SHOWN = "shown"  # in the session: {name, appointments, until}
_EARLY = 30.0  # seconds before a token runs out in which it is renewed
_NOT_NOW = 503
_KEPT = 60.0  # seconds for which a renewal is told to other requests of the same page


@dataclass(frozen=True)
class Appointment:
    """In which role, for which body."""

    role: Role
    body: str

    @property
    def key(self) -> str:
        return f"{self.role}@{self.body}"


@dataclass(frozen=True)
class Who:
    """Somebody who is signed in, and what his calls carry."""

    actor: str
    role: Role
    body: str
    name: str
    appointments: tuple[Appointment, ...]
    context: dict[str, Any]

    @property
    def others(self) -> list[Appointment]:
        """The appointments that he could change to."""
        return [each for each in self.appointments if (each.role, each.body) != (self.role, self.body)]

    @property
    def station(self) -> str:
        """The code of his station, or nothing at the centre."""
        return self.body.removeprefix("station-") if self.body.startswith("station-") else ""


def enter(login: dict[str, Any]) -> None:
    """Begins a session with what `login` has answered."""
    begin()
    _keep(login)


def _keep(login: dict[str, Any]) -> None:
    """Remembers what `login` or `refresh` has answered."""
    remember(login)
    session[_SHOWN] = {
        "name": login.get("name_shown", ""),
        "appointments": login["appointments"],
        "until": time.time() + login["expires_in"],
    }


class Renewals:
    """A refresh token may be used once; a page asks for several things at the same time."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._one = Semaphore()
        self._done: dict[str, tuple[float, dict[str, Any]]] = {}

    def signed_in(self) -> Who | None:
        """Who looks, with a token that holds; None if nobody, or if he has to log in again."""
        shown = session.get(_SHOWN)
        if shown is None:
            return None
        try:
            if shown["until"] - time.time() < _EARLY:
                _keep(self._renewed(session["tokens"]["refresh"]))
            found = anybody()
        except (Refused, Refusal) as refused:
            if isinstance(refused, Refused) and status_of(refused.problem) == _NOT_NOW:
                raise  # who is busy has not said that the session is over
            forget()
            return None
        return _who(found, session[_SHOWN]) if found else None

    def _renewed(self, refresh: str, **more: str) -> dict[str, Any]:
        with self._one:
            now = time.time()
            self._done = {key: done for key, done in self._done.items() if now - done[0] < _KEPT}
            if refresh not in self._done:
                answer = self._backend.call("registration", "refresh", {"refresh": refresh, **more}, {})
                self._done[refresh] = (now, answer)
            return self._done[refresh][1]

    def change(self, appointment: str) -> None:
        """Goes on in another appointment; raises Refused. Pressed twice, it is done once."""
        _keep(self._renewed(session["tokens"]["refresh"], appointment=appointment))

    def leave(self) -> None:
        """Ends the session here and at registration."""
        if refresh := forget():
            try:
                self._backend.call("registration", "logout", {"refresh": refresh}, {})
            except Refused:
                return


def _who(principal: Any, shown: dict[str, Any]) -> Who:
    actor = principal.actor
    appointments = tuple(Appointment(Role(each["role"]), each["body"]) for each in shown["appointments"])
    return Who(actor.id, actor.role, actor.body, shown["name"], appointments, principal.context())
