"""HTTP in a nameko service: its own web server, which hands every request to one entrypoint.

Whoever starts the service opens the socket (`listen`), so that an address that is taken ends in one line.
"""

import errno
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import eventlet
from eventlet import wsgi
from nameko.web.handlers import HttpRequestHandler
from nameko.web.server import HttpOnlyProtocol, WebServer
from werkzeug.wrappers import Request

log = logging.getLogger(__name__)

_PORT = 8480
_SECONDS = 60.0  # of silence after which a connection is closed


class PortTaken(Exception):
    """HTTP 地址已被占用；请用 JIANDING_HTTP 另选地址。
    The address for HTTP is taken or is not ours; choose another with JIANDING_HTTP."""


class Web(WebServer):  # type: ignore[misc]
    """Serves at the socket that the configuration brings."""

    _starting: bool

    def start(self) -> None:
        if self._starting:
            return
        self._starting = True
        self._sock = self.container.config["JIANDING"]["door"]
        self._serv = self.get_wsgi_server(self._sock, self.get_wsgi_app())
        self._gt = self.container.spawn_managed_thread(self.run)

    def get_wsgi_app(self) -> Any:
        (entrypoint,) = self._providers
        return partial(_hand_over, entrypoint)

    def get_wsgi_server(self, sock: Any, wsgi_app: Any, **_: Any) -> Any:
        return wsgi.Server(
            sock,
            sock.getsockname(),
            wsgi_app,
            protocol=HttpOnlyProtocol,
            debug=False,
            log=log,
            log_output=False,  # an address line holds what somebody looked for
            socket_timeout=_SECONDS,
            minimum_chunk_size=1,  # whoever follows a stream would wait for 4 kB
        )


def _hand_over(
    entrypoint: Any, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    request = Request(environ, shallow=True)
    request.path_values = {}  # type: ignore[attr-defined]
    answer: Iterable[bytes] = entrypoint.handle_request(request)(environ, start_response)
    return answer


class _Everything(HttpRequestHandler):  # type: ignore[misc]
    """Every path and every method: what there is not, the application says in its own words."""

    server = Web()

    def __init__(self, **more: Any) -> None:
        super().__init__("", "", **more)


everything = _Everything.decorator


def address(door: Any) -> str:
    """Where a socket listens, as `http://127.0.0.1:8480`."""
    host, port = door.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listen(address: str) -> Any:
    """A socket at `host:port`; where that is empty, at the usual port of this machine or at a free one."""
    if address:
        return _listen(*_read(address))
    try:
        return _listen("127.0.0.1", _PORT)
    except PortTaken:
        return _listen("127.0.0.1", 0)


def _read(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _listen(host: str, port: int) -> Any:
    family = eventlet.green.socket.AF_INET6 if ":" in host else eventlet.green.socket.AF_INET
    try:
        # two programs at one port would each get a part of the requests
        found = eventlet.listen((host, port), family, backlog=512, reuse_port=False)
    except OSError as error:
        raise PortTaken(
            f"{host}:{port} ({errno.errorcode.get(error.errno or 0, type(error).__name__)})"
        ) from None
    found.settimeout(None)
    return found
