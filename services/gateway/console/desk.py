"""The desk: what a page asks of services in the name of whoever looks at it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import eventlet
from eventlet import GreenPool
from flask import g, request

from services.gateway.console.session import Who
from services.gateway.problems import status_of
from shared.bus.calls import NoAnswer, Refused
from shared.contracts import SERVICES
from shared.kernel.ids import derived_id

PAGE = 50  # rows that a list shows at once
_BRIEFLY = 3.0  # seconds for an answer that a page can do without
_PATIENCE = 2.0  # seconds until a list may be shown without what was just done

Row = dict[str, Any]
Call = Callable[..., Any]


@dataclass(frozen=True)
class Desk:
    """Asks with the token of whoever is signed in; without one, as the public."""

    call: Call
    who: Who | None

    def ask(self, service: str, method: str, **message: Any) -> Any:
        """A service's answer; raises Refused."""
        return self.call(service, method, message, self.who.context if self.who else {})

    def rows(self, service: str, method: str, **message: Any) -> list[Row]:
        """A page of a list: behind `after` of the address; a row too many tells that more follow."""
        after = request.args.get("after", "")
        found: list[Row] = self.ask(
            service, method, **message, **({"after": after} if after else {}), limit=PAGE + 1
        )
        return found

    def send(
        self,
        service: str,
        method: str,
        *,
        step: str = "",
        seen: Callable[[], Any] | None = None,
        **message: Any,
    ) -> Any:
        """One command under the form's own command_id, so that sending a form twice is sending it once.

        `step` tells the commands of one form apart. `seen` is waited for until it is true: lists follow
        their logs a moment later. Raises Refused.
        """
        given = request.form["command_id"]
        command_id = derived_id(given, step) if step else given
        try:
            answer = self.ask(service, method, command_id=command_id, **message)
        except Refused as refused:
            _count(service, method, status_of(refused.problem))
            raise
        _count(service, method, 200)
        if seen is not None:
            _wait(seen)
        return answer

    def tried(self, service: str, method: str, **message: Any) -> Any:
        """The answer, or None where it is refused or takes long: for what stands beside the matter itself."""
        try:
            return self.call(service, method, message, self.who.context if self.who else {}, wait=_BRIEFLY)
        except (Refused, NoAnswer):
            return None

    def of_each(self, method: str, **message: Any) -> dict[str, Any]:
        """service -> its answer, or None as `tried`; all are asked at once."""
        asked = GreenPool().imap(lambda service: self.tried(service, method, **message), SERVICES)
        return dict(zip(SERVICES, asked, strict=True))

    @property
    def me(self) -> Who:
        """Whoever is signed in; only pages with roles may ask."""
        assert self.who is not None
        return self.who


def _count(service: str, method: str, status: int) -> None:
    """For `/metrics`: an answer to a form redirects, whatever came of it."""
    g.setdefault("commands", []).append((service, method, status))


def _wait(seen: Callable[[], Any]) -> None:
    with eventlet.Timeout(_PATIENCE, False):
        while not seen():
            eventlet.sleep(0.02)
