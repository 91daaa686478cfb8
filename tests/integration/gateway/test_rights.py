"""Every role at every route: let in or refused, as the one table of rights says."""

import base64
from typing import Any

import pytest
from marshmallow import Schema, fields, validate

from shared.contracts import SERVICES
from shared.kernel.actors import Role
from shared.kernel.ids import new_id
from shared.runtime.manual import manual, schema
from shared.runtime.rights import open_to_all, table
from shared.testing.http import Said, Visitor
from shared.wire.schemas import CommandSchema, Digest, Id, Moment, Station, Truth
from tests.integration.gateway.conftest import House, somebody

PEOPLE = [role for role in Role if role is not Role.SERVICE]
BY_ROLE = {"RoleNotAllowed", "NotForThisRole"}
ROUTES = [(service, method.name) for service in SERVICES for method in manual(service) if method.roles]
LIMITED = {("registration", "login"), ("registration", "refresh"), ("registration", "logout")}
_KINDS = {
    "blind code and part, as B-7H2K9QXW4M-theory": "B-7H2K9QXW4M-theory",
    "certificate number": "0810012003400001",
    "base64 of at most 200 kB": base64.b64encode(b"picture").decode(),
}


def message(known: type[Schema], own: str = "") -> dict[str, Any]:
    """A message that is well-formed, about nothing that there is, and about oneself where that matters."""
    named = {
        "body": "centre",
        "password": "no secret at all",
        "data": "{}",
        "public_key": base64.urlsafe_b64encode(bytes(32)).decode().rstrip("="),
        **dict.fromkeys(("examiner", "candidate", "signer"), own),
    }
    return {
        name: named.get(name) or _value(field)
        for name, field in known().fields.items()
        if field.required and name != "command_id"
    }


def _value(field: fields.Field) -> Any:
    if isinstance(field, fields.List):
        return [_value(field.inner)]
    if isinstance(field, fields.Nested):
        return message(type(field.schema))
    for check in field.validators:
        if isinstance(check, validate.OneOf):
            return next(iter(check.choices))
    if isinstance(field, fields.Integer):
        return next(check.min for check in field.validators if isinstance(check, validate.Range))
    if isinstance(field, Truth):
        return True
    return _text(field)


def _text(field: fields.Field) -> str:
    if isinstance(field, Id):
        return new_id()
    if isinstance(field, Station):
        return "10012003"
    if isinstance(field, Digest):
        return "e" * 64
    if isinstance(field, Moment):
        return "2026-04-16T09:30:00+08:00"
    return _KINDS.get(getattr(field, "kind", ""), "a word")


def _ask(visitor: Visitor, house: House, service: str, method: str, role: Role) -> Said:
    path, said = f"/api/v1/{service}/{method}", message(schema(service, method), somebody(role))
    if next(each.kind for each in manual(service) if each.name == method) == "question":
        return visitor.get(path, house.token(role), **said)
    return visitor.post(path, house.token(role), _key(service, method), **said)


def _key(service: str, method: str) -> str:
    """For a command; nothing else takes one."""
    return new_id() if issubclass(schema(service, method), CommandSchema) else ""


@pytest.mark.parametrize(("service", "method"), [each for each in ROUTES if each not in LIMITED])
def test_who_may_and_who_may_not(visitor: Visitor, house: House, service: str, method: str) -> None:
    refused = {}
    for role in PEOPLE:
        said = _ask(visitor, house, service, method, role)
        assert said.status != 422, said.body  # what is wrong with a message is told before who may
        refused[role] = said.code in BY_ROLE
        assert (said.status == 403) >= refused[role]
    may = table()[service, method]
    assert refused == {role: role not in may for role in PEOPLE}


@pytest.mark.parametrize(("service", "method"), ROUTES)
def test_nobody_is_let_in_without_a_token_but_to_what_is_open(
    visitor: Visitor, service: str, method: str
) -> None:
    kind = next(each.kind for each in manual(service) if each.name == method)
    path, said = f"/api/v1/{service}/{method}", message(schema(service, method))
    answer = (
        visitor.get(path, **said)
        if kind == "question"
        else visitor.post(path, "", _key(service, method), **said)
    )
    is_open = (service, method) in open_to_all()
    assert (answer.code == "NotLoggedIn") != is_open
