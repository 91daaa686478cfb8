"""What the OpenAPI document says of a route: its fields, its answers, who may, and what can go wrong."""

from collections.abc import Sequence
from functools import cache
from types import NoneType
from typing import Any, get_args

from apispec.ext.marshmallow import MarshmallowPlugin
from flask_smorest import Api
from marshmallow import Schema, fields

from services.gateway.api.idempotency import HEADER
from services.gateway.device import HEADER as DEVICE
from services.gateway.documents.asyncapi import ENVELOPE
from services.gateway.problems import TYPE
from services.gateway.shapes import Shapes, shape
from shared.contracts import SERVICES
from shared.runtime.manual import Method, answer, manual, schema
from shared.wire.schemas import CommandSchema, Moment, Words

_PROBLEMS = {
    "NotUnderstood": (400, "The request is malformed 请求格式有误"),
    "NotLoggedIn": (401, "Nobody is logged in, or the token does not hold 未登录"),
    "Forbidden": (403, "Not in this role, or against a duty 无权办理"),
    "NotThere": (404, "There is nothing with this id 没有找到"),
    "Refused": (409, "A rule does not allow it now 规则不允许"),
    "TooLarge": (413, "The content is too large 内容过大"),
    "NotJson": (415, "The content is no JSON 不是 JSON"),
    "Invalid": (422, "A field is wrong, which the problem names 字段有误"),
    "TooMany": (429, "Too many requests 请求过于频繁"),
    "Away": (503, "The service is busy or away; ask again with the same key 服务暂不可用"),
}
_ALWAYS = ("NotUnderstood", "NotLoggedIn", "Forbidden", "Invalid", "TooMany", "Away")
_OF_BODIES = ("TooLarge", "NotJson", "Refused")
_TEXT = {"type": "string"}

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `detail` is in the caller's language, `zh` and `en` are there always.",
    "required": ["type", "title", "status", "detail", "code", "field", "rule", "zh", "en"],
    "properties": {
        "type": {**_TEXT, "examples": ["urn:jianding:problem:InvalidInput"]},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": _TEXT,
        "code": {**_TEXT, "description": "The permanent name of what went wrong"},
        "field": {**_TEXT, "description": "Which field, or empty"},
        "rule": {**_TEXT, "description": "Which rule of the requirements, or empty"},
        "zh": _TEXT,
        "en": _TEXT,
        "retry_after": {"type": "integer", "description": "Seconds"},
    },
}
_KEY = {
    "in": "header",
    "name": HEADER,
    "required": True,
    "description": "Names this request; a UUID is best. The same key again gets the same answer 幂等键",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[\x21-\x7e]+$"},
    "example": "0e37df36-f698-11e6-8dd4-cb9ced3df976",
}
_WITHOUT_KEY = ("errand", "visit")
_NO_KEY = (
    f". {HEADER} is refused (422): nobody keeps it, so before repeating the call look at what it has done"
    " 不使用幂等键"
)
_DEVICE = {
    "in": "header",
    "name": DEVICE,
    "description": "On what this is done: an opaque id, which the audit log keeps 设备编号",
    "schema": {"type": "string", "maxLength": 64, "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]*$"},
    "example": "room-3-tablet",
}
_KNOWN = {
    "in": "header",
    "name": "If-None-Match",
    "description": "The ETag of an answer that is known already 已有版本",
    "schema": _TEXT,
}
_LINK = {"description": '`<address>; rel="next"`, where there may be more 下一页', "schema": _TEXT}
_ETAG = {"description": "Of this answer, for If-None-Match 版本标识", "schema": _TEXT}


def plugin() -> MarshmallowPlugin:
    """Names schemas as `registration.SubmitApplication`: two services may have one of the same name."""

    def name(found: Any) -> str:
        kind = found if isinstance(found, type) else type(found)
        return f"{kind.__module__.split('.')[1]}.{kind.__name__}"

    return MarshmallowPlugin(schema_name_resolver=name)


def prepare(api: Api) -> None:
    """What all routes refer to."""
    api.ma_plugin.converter.add_attribute_function(_spelled)
    components = api.spec.components
    for name, each in {"Problem": _PROBLEM, "Event": ENVELOPE, **_answers()}.items():
        components.schema(name, each)
    content = {TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for title, (_, about) in _PROBLEMS.items():
        components.response(title, {"description": about, "content": content})
    components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})


@cache
def _answers() -> Shapes:
    """All that anybody answers, by name."""
    known: Shapes = {}
    for service in SERVICES:
        for method in manual(service):
            if method.roles:
                shape(answer(service, method.name), known)
    return known


def problems(*titles: str) -> dict[str, Any]:
    """Responses by status."""
    return {str(_PROBLEMS[title][0]): title for title in titles}


def described(service: str, method: Method, *, public: bool) -> dict[str, Any]:
    """An operation object, with schemas as classes."""
    tell = _TELL[method.kind]
    told = introduced(f"{service}.{method.name}", method.about, () if public else method.roles)
    if method.kind in _WITHOUT_KEY:
        told["description"] += _NO_KEY
    return {**told, **tell(service, method)}


def introduced(name: str, about: str, roles: Sequence[str]) -> dict[str, Any]:
    """The parts of an operation that say what it is, and who may; without roles it is open to everybody."""
    return {
        "operationId": name,
        "summary": about,
        "description": f"Roles 角色: {', '.join(roles)}"
        if roles
        else "Open to everybody, without login 公开",
        "security": [{"bearer": []}] if roles else [],
        "x-roles": list(roles),
    }


def _command(service: str, method: Method) -> dict[str, Any]:
    told, *_ = _told(service, method)
    return {
        "parameters": [_KEY, _DEVICE],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _sent(schema(service, method.name))}},
        },
        "responses": {"200": _json("It was decided 已办理", told), **problems(*_ALWAYS, *_OF_BODIES)},
    }


def _visit(service: str, method: Method) -> dict[str, Any]:
    told, *_ = _told(service, method)
    sent = {"application/json": {"schema": schema(service, method.name)}}
    return {
        "requestBody": {"required": True, "content": sent},
        "responses": {"200": _json("The answer 结果", told), **problems(*_ALWAYS, *_OF_BODIES)},
    }


def _errand(service: str, method: Method) -> dict[str, Any]:
    told, *_ = _told(service, method)
    return {
        "parameters": [_DEVICE],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema(service, method.name)}},
        },
        "responses": {"200": _json("It is done 已办理", told), **problems(*_ALWAYS, *_OF_BODIES)},
    }


def _sent(found: type[Schema]) -> Schema:
    """The body of a command: its id is in the header."""
    return found(exclude=("command_id",)) if issubclass(found, CommandSchema) else found()


def _question(service: str, method: Method) -> dict[str, Any]:
    asked, (told, *missing) = schema(service, method.name), _told(service, method)
    return question(asked, told, *missing, paged=bool(getattr(asked, "key", "")))


def question(asked: type[Schema], shape: dict[str, Any], *missing: str, paged: bool) -> dict[str, Any]:
    """The parts of an operation that reads: what is asked, and an answer of this shape with its ETag."""
    headers = {"ETag": _ETAG, **({"Link": _LINK} if paged else {})}
    return {
        "parameters": [{"in": "query", "schema": asked}, _KNOWN],
        "responses": {
            "200": {**_json("The answer 查询结果", shape), "headers": headers},
            "304": {"description": "It is as it was 未变化", "headers": {"ETag": _ETAG}},
            **problems(*_ALWAYS, *missing),
        },
    }


def _json(about: str, shape: dict[str, Any]) -> dict[str, Any]:
    return {"description": about, "content": {"application/json": {"schema": shape}}}


@cache
def _told(service: str, method: Method) -> tuple[Any, ...]:
    """The shape of the answer, and `NotThere` where there may be none."""
    hint = answer(service, method.name)
    parts = [part for part in get_args(hint) if part is not NoneType]
    return (shape(parts[0], {}), "NotThere") if NoneType in get_args(hint) else (shape(hint, {}),)


def _spelled(_: Any, field: fields.Field, ret: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if not ret.get("default", True):  # an empty one stands for leaving the field out
        del ret["default"]
    if isinstance(field, Words):
        if field.kind != "text":
            found["description"] = field.kind
        if field.spelling:
            found["pattern"] = f"^{field.spelling}$"
    return {**found, "format": "date-time"} if isinstance(field, Moment) else found


_TELL = {"command": _command, "question": _question, "errand": _errand, "visit": _visit}
