"""Whether the door is there, and whether all services behind it are: `/healthz` and `/readyz`."""

from collections.abc import Callable

import orjson
from flask import Flask, Response

from services.gateway.backend import Context
from services.gateway.near import Near
from services.gateway.principal import principal
from services.gateway.watching import Watch


def register(app: Flask, watch: Watch, ourselves: Callable[[], Context], near: Near) -> None:
    """`ourselves()` is the context of a call that the door makes for itself."""

    @app.get("/healthz")
    def healthz() -> Response:
        """This process answers."""
        return _answer({"healthy": True}, 200)

    @app.get("/readyz")
    def readyz() -> Response:
        """All services answer; 503 otherwise, with which do. For whoever is near, or logged in.

        A stranger would make one request into one to each service.
        """
        if not near():
            principal()
        services = {service: told is not None for service, told in watch.look(ourselves()).items()}
        ready = all(services.values())
        return _answer({"ready": ready, "services": services}, 200 if ready else 503)


def _answer(content: dict[str, object], status: int) -> Response:
    return Response(orjson.dumps(content), status, content_type="application/json")
