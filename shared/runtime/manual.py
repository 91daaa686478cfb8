"""What each service may be asked: the fields of every call, their types, and who may ask.

Entrypoints are asked themselves: each begins by naming its schema, and a question also the roles.
"""

import inspect
import re
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, get_type_hints

from marshmallow import Schema, fields, validate
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from shared.kernel.actors import Role
from shared.runtime.callers import FOLLOWERS
from shared.runtime.chassis import After
from shared.runtime.definition import Definition, definition, service_class
from shared.wire.schemas import CommandSchema

_PEOPLE = frozenset(Role) - {Role.SERVICE}


@dataclass(frozen=True)
class Field:
    """One field of a call."""

    name: str
    type: str
    required: bool


@dataclass(frozen=True)
class Method:
    """One call; `roles` are those who may, in the order of the appointments.

    `kind`: command, question, or visit, by which somebody becomes known: no query, and nothing to repeat.
    """

    name: str
    kind: str
    about: str
    roles: tuple[str, ...]
    fields: tuple[Field, ...]

    def as_data(self) -> dict[str, Any]:
        """{kind, about, roles, fields: [{name, type, required}]}."""
        return {key: value for key, value in asdict(self).items() if key != "name"}


def methods(service: str) -> Iterable[str]:
    """The names of everything that a service may be asked."""
    return [name for name, _ in _entrypoints(service)]


def manual(service: str) -> list[Method]:
    """Every call of a service, in the order of its class."""
    return [_method(definition(service), name, entrypoint) for name, entrypoint in _entrypoints(service)]


def schema(service: str, method: str) -> type[Schema]:
    """The schema of a call; LookupError if a service has no such method."""
    return _Named.by(dict(_entrypoints(service))[method]).schema


@cache
def answer(service: str, method: str) -> Any:
    """The type of a call's answer as it is annotated: `Application | None`."""
    return get_type_hints(dict(_entrypoints(service))[method], include_extras=True)["return"]


def roles(service: str) -> Iterable[tuple[str, Collection[Role]]]:
    """Every call of a service, and who may, services among them."""
    found = definition(service)
    return [(name, asked(found, entrypoint)[1]) for name, entrypoint in _entrypoints(service)]


def _entrypoints(service: str) -> list[tuple[str, Callable[..., Any]]]:
    members = vars(service_class(service)).items()
    return [(name, member) for name, member in members if hasattr(member, ENTRYPOINT_EXTENSIONS_ATTR)]


def _method(found: Definition, name: str, entrypoint: Callable[..., Any]) -> Method:
    schema, roles = asked(found, entrypoint)
    named = _Named.by(entrypoint)
    kind = "command" if issubclass(schema, CommandSchema) else named.kind
    told = _first_line(inspect.getdoc(entrypoint) or _own_doc(schema) or named.about)
    fields_ = tuple(map(_field, schema().fields.items()))
    return Method(
        name, kind, told, tuple(role for role in Role if role in roles and role in _PEOPLE), fields_
    )


def _own_doc(said: type) -> str:
    """What a class itself says, not what it is one of."""
    return said.__dict__.get("__doc__") or ""


def _of_command(schema: type[Schema]) -> str:
    return _own_doc(schema.command) if hasattr(schema, "command") else ""


def _first_line(doc: str) -> str:
    # a dataclass that says nothing is given its signature
    line = doc.strip().partition("\n")[0]
    return "" if re.match(r"\w+\(.*\)$", line) else line


def asked(found: Definition, entrypoint: Callable[..., Any]) -> tuple[type[Schema], Collection[Role]]:
    """The schema of an entrypoint's message, and who may call it."""
    named = _Named.by(entrypoint)
    if issubclass(named.schema, CommandSchema):
        return named.schema, _roles(found, named.schema.__name__)
    return named.schema, named.roles


def _roles(found: Definition, command: str) -> Collection[Role]:
    return next(
        roles
        for aggregate in found.aggregates
        for each, roles in aggregate.roles.items()
        if each.__name__ == command
    )


class _Said(Exception):
    """An entrypoint has named its schema; nothing more of it runs."""


class _Named:
    """Stands for all parts of a service, and takes down what an entrypoint asks of them first."""

    def __init__(self) -> None:
        self.schema: type[Schema] = Schema  # which has no fields
        self.roles: Collection[Role] = frozenset(Role)  # where nobody is asked who he is
        self.about, self.kind = "", "question"

    @classmethod
    def by(cls, entrypoint: Callable[..., Any]) -> "_Named":
        named = cls()
        with suppress(_Said):
            entrypoint(named)
        return named

    def __getattr__(self, name: str) -> Any:
        if name == "read":
            self.roles = _PEOPLE
        elif name in ("visit", "errand"):
            self.kind = name
        elif name == "feed":
            self.schema, self.roles = After, FOLLOWERS
        return self

    def __call__(self, *words: Any, **more: Any) -> Any:
        self.roles = more.get("roles") or self.roles
        for word in words:
            if isinstance(word, type) and issubclass(word, Schema):
                self.schema = word
                self.about = self.about or _of_command(word)
            elif inspect.isfunction(word):
                self.about = inspect.getdoc(word) or ""
            elif isinstance(word, frozenset):  # self.admit(ROLES)
                self.roles = word
        raise _Said


def _field(named: tuple[str, fields.Field]) -> Field:
    name, field = named
    return Field(name, _type(field), field.required)


def _type(field: fields.Field) -> str:
    if isinstance(field, fields.List):
        extent = _extent(field, " items").removeprefix(", ")
        return f"list ({extent}) of {_type(field.inner)}"
    kind = getattr(field, "kind", "text")
    if kind == "text":
        kind += _extent(field, " characters")
    return kind + _choice(field) + _range(field)


def _extent(field: fields.Field, of: str) -> str:
    for each in field.validators:
        if isinstance(each, validate.Length):
            return f", {each.min} to {each.max}{of}"
    return ""


def _choice(field: fields.Field) -> str:
    return "".join(
        f": {' | '.join(each.choices)}" for each in field.validators if isinstance(each, validate.OneOf)
    )


def _range(field: fields.Field) -> str:
    return "".join(
        f", {each.min} to {each.max}" for each in field.validators if isinstance(each, validate.Range)
    )
