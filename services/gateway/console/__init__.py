"""The web console: pages for people, made of the same calls as the API."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Flask, g, render_template, request
from flask_wtf.csrf import CSRFError, generate_csrf
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, NotFound

from services.gateway.backend import Backend, NoAnswer
from services.gateway.console import assets, frame, language, openid, words
from services.gateway.console.desk import Desk
from services.gateway.console.pages import ROOMS
from services.gateway.console.parts import timeline
from services.gateway.console.session import Renewals, Who
from services.gateway.problems import ServiceSilent, of_http, refusal_of, status_of
from services.gateway.security import ForgedRequest
from shared.bus.calls import Refused
from shared.kernel.errors import Refusal
from shared.kernel.ids import new_id
from shared.runtime.demo.logins import Login
from shared.runtime.settings import Settings


def register(
    app: Flask, backend: Backend, settings: Settings, logins: Callable[[], Iterable[Login]] = tuple
) -> None:
    """Hangs the pages into the application; where a demo has `logins` they are offered, and pages say so."""
    language.speak(app)
    blueprint = Blueprint("console", __name__, template_folder="templates")
    renewals = Renewals(backend)
    app.extensions["jianding.renewals"] = renewals
    app.extensions["jianding.logins"] = logins
    app.extensions["jianding.public"] = settings.public

    def who() -> Who | None:
        if "who" not in g:
            g.who = None  # for the page that tells that asking has failed
            g.who = renewals.signed_in()
        found: Who | None = g.who
        return found

    frame.hang(ROOMS, blueprint, lambda: Desk(backend.call, who()))
    assets.hang(blueprint)
    openid.hang(blueprint, backend, settings)

    def said() -> dict[str, Any]:
        asking = Desk(backend.call, who())
        found = _said(asking.who, bool(tuple(logins())), lambda: frame.worklist(ROOMS, asking))
        return {**found, "openid": settings.oidc}

    blueprint.app_context_processor(said)
    blueprint.register_error_handler(Refused, lambda error: _problem(error.problem))
    blueprint.register_error_handler(Refusal, lambda error: _problem(error.problem()))
    blueprint.register_error_handler(NoAnswer, lambda _: _problem(ServiceSilent().problem()))
    blueprint.register_error_handler(CSRFError, lambda _: _problem(ForgedRequest().problem()))
    blueprint.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(NotFound, _nowhere)
    # macros know what is global, and nothing of the template that uses them
    app.jinja_env.globals.update(
        words=words, english=language.english, csrf=_csrf, new_id=new_id, facts=timeline.facts
    )
    app.register_blueprint(blueprint)


def _said(who: Who | None, demo: bool, worklist: Callable[[], list[frame.Task]]) -> dict[str, Any]:
    """What every template may say."""
    return {
        "who": who,
        "demo": demo,
        "language": language.chosen(),
        "languages": language.LANGUAGES,
        "menu": lambda: frame.menu(ROOMS, who),
        "worklist": worklist,
    }


def _csrf() -> Markup:
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def _of_http(error: HTTPException) -> Any:
    """What Flask refuses, as a page."""
    status = error.code or 500
    if status < 400:
        return error.get_response()
    return _problem(refusal_of(status).problem(), status)


def _nowhere(error: HTTPException) -> Any:
    """An address that nothing stands at: a page for whoever reads pages."""
    reads = request.accept_mimetypes.best_match(("application/problem+json", "text/html"))
    return _of_http(error) if reads == "text/html" else of_http(error)


def _problem(found: dict[str, str], status: int = 0) -> Any:
    return render_template("problem.html", found=found), status or status_of(found)
