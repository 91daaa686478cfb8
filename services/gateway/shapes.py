"""JSON Schema of Python's own types: what an annotation says of an answer, or of a field of an event."""

from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

Shapes = dict[str, dict[str, Any]]
"""Schemas by name, to which `$ref` leads."""

_PLAIN = {str: "string", int: "integer", bool: "boolean", NoneType: "null"}
_WHERE = "#/components/schemas/"


def shape(hint: Any, known: Shapes) -> dict[str, Any]:
    """The schema of a type; classes of fields (TypedDict) go into `known`, by service and name."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any:
        return {}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if is_typeddict(hint):
        return {"$ref": _WHERE + _named(hint, known)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [each.value for each in hint]}
    if origin is Annotated:
        return {**shape(parts[0], known), **dict(parts[1])}
    if origin is NotRequired:
        return shape(parts[0], known)
    if origin is Literal:
        return {"type": "string", "enum": list(parts)}
    if origin in (Union, UnionType):
        return {"anyOf": [shape(part, known) for part in parts]}
    if origin in (list, tuple):
        return {"type": "array", "items": shape(parts[0], known)}
    if origin is dict:
        return {"type": "object", "additionalProperties": shape(parts[1], known)}
    raise TypeError(f"nothing says how {hint} is spelled")


def _named(hint: Any, known: Shapes) -> str:
    room, owner, *_ = hint.__module__.split(".")
    name = f"{owner}.{hint.__name__}" if room == "services" else hint.__name__
    if name not in known:
        known[name] = {}  # one that has itself among its fields ends here
        hints = get_type_hints(hint, include_extras=True)
        known[name] |= {
            "type": "object",
            "description": " ".join((hint.__doc__ or "").split()),
            "required": sorted(hint.__required_keys__, key=list(hints).index),
            "properties": {field: shape(each, known) for field, each in hints.items()},
            "additionalProperties": False,
        }
    return name
