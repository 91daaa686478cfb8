"""What `jianding send SERVICE list` says: every call with its fields, their types, and who may."""

import pytest

from shared.contracts import SERVICES
from shared.kernel.actors import Role
from shared.runtime.definition import definition
from shared.runtime.manual import Field, Method, manual, methods


def _method(service: str, name: str) -> Method:
    return next(method for method in manual(service) if method.name == name)


def test_a_command_shows_its_fields_with_types_and_who_may() -> None:
    found = _method("registration", "withdraw_application")
    assert (found.kind, found.roles) == ("command", ("exam_affairs",))
    assert found.fields == (
        Field("command_id", "UUID", True),
        Field("occurred_at", "time with offset", False),
        Field("application", "UUID", True),
        Field("reason", "text, 1 to 200 characters", True),
    )


def test_every_type_says_its_bounds() -> None:
    types = {
        field.name: field.type
        for name in ("submit_application", "enrol_person")
        for field in _method("registration", name).fields
    }
    assert types["level"] == "whole number, 1 to 5"
    assert types["kind"] == "one of: student | society | enterprise"
    assert types["evidence"] == "list (1 to 20 items) of sha256 in hex"
    assert types["station"] == "8-digit body code"
    assert types["photo"] == "base64 of at most 200 kB"
    assert _method("scheduling", "check_in").fields[-1] == Field("photo_matches", "true or false", True)


def test_a_question_shows_who_may_ask() -> None:
    found = _method("registration", "roster")
    assert found.kind == "question"
    assert set(found.roles) == set(Role) - {Role.SERVICE, Role.EXAMINER, Role.CANDIDATE}
    assert {Role.EXAMINER, Role.CANDIDATE} <= set(_method("certification", "statistics").roles)


def test_what_has_no_fields_shows_none() -> None:
    assert _method("audit", "verify").fields == ()
    assert [field.name for field in _method("scoring", "events_after").fields] == ["position", "limit"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_command_of_people_is_shown_with_the_roles_that_may(service: str) -> None:
    shown = {method.name: set(method.roles) for method in manual(service) if method.kind == "command"}
    allowed = {
        _spelled(command.__name__): set(roles) - {Role.SERVICE}
        for aggregate in definition(service).aggregates
        for command, roles in aggregate.roles.items()
        if roles != {Role.SERVICE}
    }
    assert shown == allowed
    assert [method.name for method in manual(service)] == list(methods(service))


def _spelled(name: str) -> str:
    """`SubmitApplication` -> `submit_application`."""
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")
