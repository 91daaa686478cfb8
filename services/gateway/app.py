"""The Flask application: put together in one place."""

from flask import Flask

from services.gateway import api, console, documents, feed, principal, problems, security
from services.gateway.backend import Backend
from services.gateway.principal import Verify
from shared.kernel.actors import Actor
from shared.runtime.settings import Settings


def make_app(backend: Backend, settings: Settings, verify: Verify | None = None) -> Flask:
    """All routes over one backend. `verify` reads access tokens, by default as the services do."""
    app = Flask("services.gateway", static_folder=None)
    security.register(app, settings)
    problems.register(app)
    principal.register(app, verify or _nobody)
    routes = api.register(app, backend)
    routes.register_blueprint(feed.blueprint(backend), url_prefix=api.PREFIX)
    documents.register(app, routes, api.PREFIX)
    console.register(app, backend)
    return app


def _nobody(_token: str) -> Actor:
    raise problems.NotLoggedIn
