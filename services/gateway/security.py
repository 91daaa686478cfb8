"""What every answer and every request has to keep to: headers, limits, forgery, cookies."""

import base64
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask, Response, request
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import BadSignature
from werkzeug.middleware.proxy_fix import ProxyFix

from services.gateway import problems
from services.gateway.principal import bearer
from shared.kernel.errors import Refusal
from shared.runtime.settings import Settings
from shared.security.keys import secret

LARGEST = 1_000_000  # bytes of a body; a photo of 200 kB takes 267 kB in base64
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_COOKIE = "jianding"
_PROGRAMS = "/api/"  # who comes here without a cookie is no browser that has logged in
_HSTS = "max-age=31536000; includeSubDomains"


class ForgedRequest(Refusal):
    """页面已过期或来源不明；请刷新页面后重试。

    The form is too old or came from elsewhere; reload the page and send it again.
    """


def register(app: Flask, settings: Settings) -> None:
    """Cookies sealed with a key of this node; forms with a token of their session."""
    key = secret(settings.secrets / "gateway.session")
    app.config.update(
        SECRET_KEY=key,
        SESSION_COOKIE_NAME=_COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=LARGEST,
        MAX_FORM_MEMORY_SIZE=LARGEST,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    app.session_interface = _Sessions(key)
    csrf = CSRFProtect(app)
    app.before_request(lambda: _protect(csrf))
    app.after_request(_headers)
    app.register_error_handler(CSRFError, lambda _: problems.of_refusal(ForgedRequest()))
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops)  # type: ignore[method-assign]


_spelling = TaggedJSONSerializer()


class _Sealed:
    """What a session holds, as text that nobody but us can read or make: it has tokens in it."""

    def __init__(self, secret: bytes) -> None:
        key = HKDF(hashes.SHA256(), length=32, salt=None, info=b"jianding session cookie").derive(secret)
        self._seal = Fernet(base64.urlsafe_b64encode(key))

    def dumps(self, content: dict[str, Any]) -> str:
        return self._seal.encrypt(_spelling.dumps(content).encode()).decode()

    def loads(self, text: str, max_age: int | None = None) -> Any:
        """BadSignature for what is not ours, or older than so many seconds."""
        try:
            return _spelling.loads(self._seal.decrypt(text, max_age).decode())
        except InvalidToken:
            raise BadSignature("not ours, or too old") from None


class _Sessions(SecureCookieSessionInterface):
    """Sealed cookies; one that came over TLS goes back over nothing else."""

    def __init__(self, secret: bytes) -> None:
        self._sealed = _Sealed(secret)

    def get_signing_serializer(self, app: Flask) -> Any:
        del app
        return self._sealed

    def get_cookie_secure(self, app: Flask) -> bool:
        del app
        return request.is_secure


def _protect(csrf: CSRFProtect) -> Any:
    # A browser sends cookies along wherever a request comes from, a bearer token it does not. Forms for
    # people need their token also without a cookie: a stranger's page could log somebody in as the stranger.
    if bearer() or (_COOKIE not in request.cookies and request.path.startswith(_PROGRAMS)):
        return
    csrf.protect()


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", _HSTS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
