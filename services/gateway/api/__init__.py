"""`/api/v1`: a route for everything that a service may be asked, derived from the services themselves."""

from flask import Flask
from flask_smorest import Api

from services.gateway import problems
from services.gateway.api import described, routes
from services.gateway.backend import Backend
from shared.contracts import SERVICES

PREFIX = "/api/v1"


class _Api(Api):  # type: ignore[misc]
    DEFAULT_ERROR_RESPONSE_NAME = None  # each route names all that can go wrong

    def _register_error_handlers(self) -> None:
        """Errors are told by `problems`, for all pages alike."""


def register(app: Flask, backend: Backend) -> Api:
    """All routes; the Api that comes back describes them."""
    app.config.update(API_TITLE="Jianding 职业技能鉴定", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    api = _Api(app, spec_kwargs={"marshmallow_plugin": described.plugin()})
    described.prepare(api)
    for service in SERVICES:
        api.register_blueprint(routes.blueprint(service, backend), url_prefix=f"{PREFIX}/{service}")
    return api


__all__ = ["PREFIX", "problems", "register"]
