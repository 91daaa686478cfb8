"""The routes of one service: POST for its commands and for log-ins, GET for its questions."""

from collections.abc import Callable
from typing import Any

import orjson
from flask import Response, request
from flask_smorest import Blueprint

from services.gateway.api import idempotency
from services.gateway.api.described import described
from services.gateway.api.pages import following
from services.gateway.api.words import asked
from services.gateway.backend import Backend, Context
from services.gateway.pace import seldom
from services.gateway.principal import principal
from services.gateway.problems import NotThere
from shared.kernel.errors import InvalidInput
from shared.runtime.manual import Method, manual, schema
from shared.runtime.rights import open_to_all


def blueprint(service: str, backend: Backend) -> Blueprint:
    """Everything that this service may be asked."""
    found = Blueprint(service, __name__)
    for method in manual(service):
        if method.roles:  # else it is for services alone
            public = (service, method.name) in open_to_all()
            verb = "GET" if method.kind == "question" else "POST"
            view = found.doc(**described(service, method, public=public))(_view(service, method, backend))
            found.add_url_rule(f"/{method.name}", method.name, view, methods=[verb])
    return found


def _view(service: str, method: Method, backend: Backend) -> Callable[[], Response]:
    ask = _ASK[method.kind]

    def view() -> Response:
        return ask(service, method, backend)

    return view


def _command(service: str, method: Method, backend: Backend) -> Response:
    who, message = principal(), _body()
    if "command_id" in message:
        en = "It goes into the header Idempotency-Key."
        raise InvalidInput("command_id", zh="请写在 Idempotency-Key 请求头中。", en=en)
    message["command_id"] = idempotency.command_id(who)
    return _json(backend.call(service, method.name, message, who.context()))


def _visit(service: str, method: Method, backend: Backend) -> Response:
    """From somebody who has no name here yet; where he calls from is counted with his wrong passwords."""
    seldom(f"{service}.{method.name}")
    idempotency.refuse()
    return _json(backend.call(service, method.name, _body(), _context(service, method)))


def _errand(service: str, method: Method, backend: Backend) -> Response:
    who = principal()
    idempotency.refuse()
    return _json(backend.call(service, method.name, _body(), who.context()))


def _body() -> dict[str, Any]:
    message = request.get_json()
    if not isinstance(message, dict):
        raise InvalidInput("body", zh="须为对象。", en="It has to be an object.")
    return message


def _context(service: str, method: Method) -> Context:
    if (service, method.name) in open_to_all():
        return {"address": request.remote_addr or ""}
    return principal().context()


def _question(service: str, method: Method, backend: Backend) -> Response:
    context = _context(service, method)
    found = schema(service, method.name)
    message = asked(found, request.args)
    answer = backend.call(service, method.name, message, context)
    if answer is None:
        raise NotThere
    response = _json(answer)
    if link := following(found, message, answer):
        response.headers["Link"] = link
    response.headers["Cache-Control"] = "private, no-cache"  # to be kept, and asked for with its ETag
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]


def _json(answer: Any) -> Response:
    return Response(orjson.dumps(answer), content_type="application/json")


_ASK = {"command": _command, "question": _question, "errand": _errand, "visit": _visit}
