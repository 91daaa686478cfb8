"""What programmers read: the OpenAPI document, the AsyncAPI document, and a page for each."""

from functools import cache
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, render_template, request
from flask_smorest import Api

from services.gateway.documents import asyncapi


def register(app: Flask, api: Api, prefix: str) -> None:
    """`openapi.json`, `asyncapi.json`, `docs` and `docs/events` under the prefix; open to everybody."""
    rooms = Blueprint("documents", __name__, static_folder="static", template_folder="templates")
    opened = cache(lambda: _finished(api.spec.to_dict()))
    rooms.add_url_rule("/openapi.json", "openapi", lambda: _document(opened()))
    rooms.add_url_rule("/asyncapi.json", "asyncapi", lambda: _document(_events()))
    rooms.add_url_rule("/docs", "docs", lambda: _page("calls", opened()))
    rooms.add_url_rule("/docs/events", "events", lambda: _page("events", _events()))
    app.register_blueprint(rooms, url_prefix=prefix)


@cache
def _events() -> dict[str, Any]:
    return asyncapi.document()


def _finished(spec: dict[str, Any]) -> dict[str, Any]:
    """Without what flask-smorest adds of its own."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(spec))
    found["paths"] = {path: dict(sorted(item.items())) for path, item in sorted(found["paths"].items())}
    return found


def _document(content: dict[str, Any]) -> Response:
    return _kept(Response(orjson.dumps(content), content_type="application/json"))


def _page(name: str, document: dict[str, Any]) -> Response:
    text = render_template(f"documents/{name}.html", document=document, resolve=_resolver(document))
    return _kept(Response(text, content_type="text/html; charset=utf-8"))


def _resolver(document: dict[str, Any]) -> Any:
    def resolve(node: dict[str, Any]) -> dict[str, Any]:
        """What a `$ref` within the document points to; anything else is itself."""
        if "$ref" not in node:
            return node
        found: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return resolve(found)

    return resolve


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]
