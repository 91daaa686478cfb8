"""The Flask application: put together in one place."""

from flask import Flask

from services.gateway import api, console, principal, problems, security
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
    api.register(app, backend)
    console.register(app, backend)
    return app


def _nobody(_token: str) -> Actor:
    raise problems.NotLoggedIn
