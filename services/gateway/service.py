"""The door on the bus: every HTTP request, handed to the application."""

from functools import cached_property
from typing import Any

from nameko.extensions import DependencyProvider
from werkzeug.wrappers import Request, Response

from services.gateway.app import make_app
from services.gateway.backend import Backend
from shared.bus.calls import Caller
from shared.runtime.definition import DOOR
from shared.runtime.web import everything


class Site(DependencyProvider):
    """The Flask application, made with the first request: it asks the other services through our caller."""

    caller = Caller()

    @cached_property
    def app(self) -> Any:
        return make_app(Backend(self.caller.call), self.container.config["JIANDING"]["settings"])

    def get_dependency(self, _worker_ctx: Any) -> Any:
        return self.app


class Gateway:
    """Who comes by HTTP."""

    name = DOOR

    app = Site()

    @everything
    def request(self, request: Request) -> Response:
        return Response.from_app(self.app, request.environ)
