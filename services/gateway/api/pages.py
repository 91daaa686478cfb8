"""Lists by pages: the header Link (RFC 8288) says where the next one is, by the key of the last row."""

from typing import Any
from urllib.parse import urlencode

from flask import request
from marshmallow import Schema

from services.gateway.api.words import fields_of


def following(schema: type[Schema], message: dict[str, Any], answer: Any) -> str | None:
    """`</api/v1/registration/roster?batch=…&after=…>; rel="next"` behind a page that is full."""
    key, limit = getattr(schema, "key", ""), message.get("limit", _usual(schema))
    if not key or not isinstance(answer, list) or len(answer) != limit:
        return None
    words = request.args.copy()
    words["after"] = str(answer[-1][key])
    return f'<{request.path}?{urlencode(list(words.items(multi=True)))}>; rel="next"'


def _usual(schema: type[Schema]) -> Any:
    limit = fields_of(schema).get("limit")
    return limit.load_default if limit else None
