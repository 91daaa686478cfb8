"""Logging in at an OpenID Connect provider: its authorization code flow, with state, nonce and PKCE."""

import base64
import hmac
import os
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Blueprint, redirect, request, session, url_for

from services.gateway.backend import Backend
from services.gateway.console.session import enter
from services.gateway.pace import seldom
from services.gateway.security import ForgedRequest
from shared.kernel.errors import Refusal
from shared.runtime.settings import Settings
from shared.security.openid import NoProvider, Provider, ProviderSilent, fetch

PATH = "/api/v1/login/oidc"
_FLOW = "oidc"  # in the browser's session: {state, nonce, verifier}
_SECRET = "oidc.client"  # noqa: S105  the file's name


class LoginDeclined(Refusal):
    """统一身份认证未完成登录；请重试，或用登录名和密码登录。

    The OpenID Connect provider has not let you in; try again, or log in with name and password.
    """


def hang(blueprint: Blueprint, backend: Backend, settings: Settings) -> None:
    """The way out to the provider, and the way back from him."""

    @blueprint.get(PATH)
    def oidc() -> Any:
        seldom("login")
        provider = _provider(settings)
        flow = session[_FLOW] = {name: _drawn() for name in ("state", "nonce", "verifier")}
        return redirect(f"{provider.authorize}?{urlencode(_asked(provider, flow))}")

    @blueprint.get(f"{PATH}/callback")
    def oidc_callback() -> Any:
        flow, said = session.pop(_FLOW, None), request.args
        # whoever sends somebody here with a code of his own has not his state
        if flow is None or not hmac.compare_digest(said.get("state", "").encode(), flow["state"].encode()):
            raise ForgedRequest
        if "code" not in said:
            raise LoginDeclined
        id_token = _exchanged(_provider(settings), settings, said["code"], flow["verifier"])
        message = {"id_token": id_token, "nonce": flow["nonce"]}
        context = {"address": request.remote_addr or ""}
        enter(backend.call("registration", "login_by_oidc", message, context))
        return redirect(url_for("console.door_home"))


def _provider(settings: Settings) -> Provider:
    provider = Provider.read(Path(settings.oidc)) if settings.oidc else None
    if provider is None or not (provider.authorize and provider.token):
        raise NoProvider
    return provider


def _asked(provider: Provider, flow: dict[str, str]) -> dict[str, str]:
    return {
        "response_type": "code",
        "client_id": provider.audience,
        "redirect_uri": _back(),
        "scope": "openid",
        "state": flow["state"],
        "nonce": flow["nonce"],
        "code_challenge": _spelled(sha256(flow["verifier"].encode()).digest()),
        "code_challenge_method": "S256",
    }


def _exchanged(provider: Provider, settings: Settings, code: str, verifier: str) -> str:
    """The ID token for a code; ProviderSilent if there is none."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _back(),
        "client_id": provider.audience,
        "code_verifier": verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    secret = settings.secrets / _SECRET
    if secret.exists():
        pair = f"{quote(provider.audience, '')}:{quote(secret.read_text(encoding='utf-8').strip(), '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    try:
        answer = orjson.loads(fetch(provider.token, urlencode(form).encode(), headers))
        return str(answer["id_token"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ProviderSilent from None


def _back() -> str:
    return url_for("console.oidc_callback", _external=True)


def _drawn() -> str:
    return _spelled(os.urandom(32))


def _spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
