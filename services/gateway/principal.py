"""Who asks: by a bearer token, or by the session of the console."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, session

from services.gateway.device import device
from services.gateway.problems import NotLoggedIn
from shared.kernel.actors import Actor

Verify = Callable[[str], Actor]
"""The actor of an access token; a Refusal (TokenExpired, TokenInvalid) if it is none."""

_TOKENS = "tokens"  # in the session: {access, refresh}


@dataclass(frozen=True)
class Principal:
    """Somebody who has logged in, in one appointment. Each service verifies the token again."""

    actor: Actor
    token: str

    def context(self) -> dict[str, Any]:
        """What travels with every call."""
        actor, on = self.actor, device()
        said = {"actor": actor.id, "role": str(actor.role), "body": actor.body, "token": self.token}
        return said | ({"device": on} if on else {})


def register(app: Flask, verify: Verify) -> None:
    app.extensions["jianding.verify"] = verify


def principal() -> Principal:
    """Who asks; NotLoggedIn if nobody says."""
    found = anybody()
    if found is None:
        raise NotLoggedIn
    return found


def anybody() -> Principal | None:
    """Who asks, or None; a Refusal for a token that does not hold."""
    if "principal" not in g:
        token = bearer() or session.get(_TOKENS, {}).get("access", "")
        g.principal = Principal(current_app.extensions["jianding.verify"](token), token) if token else None
    found: Principal | None = g.principal
    return found


def begin() -> None:
    """A session of the browser for whoever has just logged in: what was in it may be somebody else's."""
    session.clear()


def remember(login: Mapping[str, Any]) -> None:
    """Keeps what registration's `login` or `refresh` has answered in the browser's session.

    All else in it stays: open pages have to go on after a renewal, with the CSRF token that they know.
    """
    session[_TOKENS] = {"access": login["access"], "refresh": login["refresh"]}
    g.pop("principal", None)


def forget() -> str:
    """Ends the browser's session; the refresh token that was in it, or nothing."""
    refresh: str = session.get(_TOKENS, {}).get("refresh", "")
    session.clear()
    g.pop("principal", None)
    return refresh


def bearer() -> str:
    """The token of the header Authorization, or nothing."""
    said = request.authorization
    return said.token or "" if said is not None and said.type == "bearer" else ""
