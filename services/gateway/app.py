"""The Flask application: put together in one place."""

from functools import partial

from flask import Flask

from services.gateway import (
    api,
    console,
    device,
    documents,
    feed,
    health,
    metrics,
    near,
    pace,
    principal,
    problems,
    security,
)
from services.gateway.backend import Backend, Context
from services.gateway.principal import Verify
from services.gateway.watching import Watch
from shared.bus.calls import context
from shared.kernel.actors import Actor, Role
from shared.runtime.definition import DOOR
from shared.runtime.demo import logins
from shared.runtime.settings import Settings
from shared.security.tokens import Keyring, Mint


def make_app(backend: Backend, settings: Settings, verify: Verify | None = None) -> Flask:
    """All routes over one backend. `verify` reads access tokens, by default as the services do."""
    app = Flask("services.gateway", static_folder=None)
    watch, ourselves = Watch(backend), partial(_ourselves, settings)
    neighbour = near.register(app, settings)
    metrics.register(app, watch, ourselves, neighbour)  # first: what is refused on the way is counted too
    security.register(app, settings)
    health.register(app, watch, ourselves, neighbour)
    pace.register(app, settings)
    problems.register(app)
    principal.register(app, verify or Keyring(settings.tokens_folder).read)
    routes = api.register(app, backend)
    tail = app.extensions["jianding.tail"] = feed.Tail(backend)
    routes.register_blueprint(feed.blueprint(backend, tail), url_prefix=api.PREFIX)
    documents.register(app, routes, api.PREFIX)
    device.register(app)
    console.register(app, backend, settings, partial(logins.shown, settings.var))
    return app


def _ourselves(settings: Settings) -> Context:
    """The context of a call that the door makes for itself, and its word for it."""
    door = Actor(DOOR, Role.SERVICE, settings.body)
    return context(door, token=Mint.load(settings.tokens_folder, settings.source(DOOR)).issue(door))
