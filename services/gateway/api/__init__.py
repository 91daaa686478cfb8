"""`/api/v1`: a route for everything that a service may be asked, derived from the services themselves."""

from flask import Flask
from flask_smorest import Api

from services.gateway import problems
from services.gateway.api import routes
from services.gateway.backend import Backend
from shared.contracts import SERVICES

PREFIX = "/api/v1"


class _Api(Api):  # type: ignore[misc]
    def _register_error_handlers(self) -> None:
        """Errors are told by `problems`, for all pages alike."""


def register(app: Flask, backend: Backend) -> None:
    app.config.update(API_TITLE="Jianding 职业技能鉴定", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    api = _Api(app)
    for service in SERVICES:
        api.register_blueprint(routes.blueprint(service, backend), url_prefix=f"{PREFIX}/{service}")


__all__ = ["PREFIX", "problems", "register"]
