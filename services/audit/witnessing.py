"""A witness over HTTP (C2SP tlog-witness): add-checkpoint, and its last checkpoint of each log."""

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

import eventlet
from eventlet import wsgi

from services.audit.domain.cosigning import Moved, Uncosigned
from services.audit.witness import Witness, WitnessUnsure

log = logging.getLogger(__name__)

LARGEST = 200_000  # bytes of a request
_SECONDS = 10.0  # that a request may take to arrive
_AT_ONCE = 64
_CHECKPOINT = re.compile(r"/([0-9a-f]{64})/checkpoint")
_TEXT = "text/plain; charset=utf-8"

Answer = tuple[str, str, str]
"""Status line, content type, body."""


class Application:
    """WSGI. What goes wrong is answered in one line, which names the fact."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, kind, text = self._answer(environ)
        body = text.encode()
        headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        if not status.startswith("2"):
            headers.append(("Connection", "close"))  # what was sent may not have been read to its end
        start_response(status, headers)
        return [body]

    def _answer(self, environ: dict[str, Any]) -> Answer:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        try:
            if path == "/add-checkpoint":
                return self._add(environ) if method == "POST" else _failed("405 Method Not Allowed")
            if found := _CHECKPOINT.fullmatch(path):
                return self._last(found[1]) if method == "GET" else _failed("405 Method Not Allowed")
        except (OSError, WitnessUnsure) as error:
            log.error("%s %s", type(error).__name__, error)
            return _failed("500 Internal Server Error")
        return _failed("404 Not Found")

    def _add(self, environ: dict[str, Any]) -> Answer:
        length = environ.get("CONTENT_LENGTH") or ""
        if not length.isascii() or not length.isdigit():
            return _failed("411 Length Required")
        if len(length) > 9 or int(length) > LARGEST:
            return _failed("413 Content Too Large")
        body = _body(environ, int(length))
        if body is None:
            return _failed("408 Request Timeout")
        try:
            return "200 OK", _TEXT, self._witness.cosign(body)
        except Moved as moved:
            return "409 Conflict", "text/x.tlog.size", f"{moved.size}\n"
        except Uncosigned as reason:
            log.warning("not cosigned: %s %s", type(reason).__name__, reason)
            return _STATUS[reason.status], _TEXT, f"{str(reason) or type(reason).__doc__}\n"

    def _last(self, hash: str) -> Answer:
        note = self._witness.by_hash(hash)
        return ("200 OK", _TEXT, str(note)) if note else _failed("404 Not Found")


_STATUS = {
    400: "400 Bad Request",
    403: "403 Forbidden",
    404: "404 Not Found",
    422: "422 Unprocessable Entity",
}


def _failed(status: str) -> Answer:
    return status, _TEXT, f"{status}\n"


def _body(environ: dict[str, Any], length: int) -> bytes | None:
    """All of it, or None if it does not come in time."""
    with eventlet.Timeout(_SECONDS, False):
        body: bytes = environ["wsgi.input"].read(length)
        return body if len(body) == length else None
    return None


def listen(host: str, port: int) -> Any:
    """A socket that listens; port 0 takes a free one."""
    return eventlet.listen((host, port))


def serve(socket: Any, witness: Witness) -> None:
    """Answers until the socket is closed or the greenlet killed."""
    wsgi.server(
        socket,
        Application(witness),
        log=logging.getLogger("services.audit.witnessing.access"),
        log_output=False,
        debug=False,
        custom_pool=eventlet.GreenPool(_AT_ONCE),
        socket_timeout=_SECONDS,
        url_length_limit=2048,
    )
