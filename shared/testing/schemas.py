"""What every schemas module must pass: a caller gets what he asked for, or is told which field to correct."""

import dataclasses
import inspect
import math
from collections.abc import Collection, Mapping
from types import ModuleType
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import fields

from shared.kernel.errors import InvalidInput
from shared.kernel.ids import derived_id
from shared.wire.schemas import CommandSchema, Message, Text

ID = derived_id("anything")
ASKED = {"command_id": derived_id("command"), "occurred_at": "2026-04-16T09:30:00+08:00"}
PAGE = {"after": ID, "limit": 10}

# numbers of nobody: a resident's ID, and a mobile telephone
_OF_A_PERSON = ("9" * 17 + "X", "9" * 17 + "x", "9" * 18, "139" + "0" * 8)
_HAVE_DEFAULTS = ("occurred_at", *PAGE)
_NEVER_RIGHT: list[Any] = [
    None,
    math.nan,
    math.inf,
    -1,
    10**5000,
    1.5,
    "",
    "x" * 300_001,
    "\x00",
    "\ud800",
    b"\xff",
    "甲".encode(),
    {},
    [],
    [[]],
]

_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
_junk = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5)
)
# each subclass is another executor of the same test: inheriting it is what it is for
_alike = settings(
    deadline=None, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow]
)


class SchemaSuite:
    """A module's test subclasses this as `TestSchemas` and says what is its own.

    `examples` has a right message with every field for each schema; `out_of_range` has (schema, field,
    wrong value); `given_by_service` the fields of a command that no caller may choose; `by_another_way` the
    commands whose fields become something else before they are decided on; `optional` the fields that may be
    left out.
    """

    schemas: ClassVar[ModuleType]
    examples: ClassVar[Mapping[type[Message], Mapping[str, Any]]]
    out_of_range: ClassVar[Collection[tuple[type[Message], str, Any]]]
    given_by_service: ClassVar[Mapping[type[Message], Collection[str]]] = {}
    by_another_way: ClassVar[Collection[type[Message]]] = ()
    optional: ClassVar[Collection[tuple[type[Message], str]]] = ()

    @classmethod
    def pytest_generate_tests(cls, metafunc: Any) -> None:
        cases: dict[tuple[str, ...], Collection[Any]] = {
            ("schema",): [(schema,) for schema in cls.examples],
            ("command",): [(schema,) for schema in cls.examples if issubclass(schema, CommandSchema)],
            ("schema", "name"): cls.fields(),
            ("schema", "name", "wrong"): cls.out_of_range,
            ("schema", "text"): cls.texts(),
        }
        wanted = tuple(
            name for name in metafunc.fixturenames if name in ("schema", "command", "name", "wrong", "text")
        )
        if wanted:
            metafunc.parametrize(wanted, cases[wanted])

    @classmethod
    def fields(cls) -> list[tuple[type[Message], str]]:
        return [(schema, name) for schema, example in cls.examples.items() for name in example]

    @classmethod
    def texts(cls) -> list[tuple[type[Message], str]]:
        """The fields that take a text as it is, or a list of them."""
        return [(schema, name) for schema, name in cls.fields() if isinstance(_item(schema, name), Text)]

    def test_every_schema_has_an_example(self):
        assert {cls for _, cls in inspect.getmembers(self.schemas, self._ours)} == set(self.examples)

    def test_the_example_is_taken(self, schema):
        assert set(schema().read(self.examples[schema])) == set(self.examples[schema])

    def test_a_schema_and_the_service_fill_the_command(self, command):
        if command in self.by_another_way:
            assert not hasattr(command, "command")
            return
        said = set(command().fields) - {"command_id", "occurred_at"} | {"by", "at"}
        added = set(self.given_by_service.get(command, ()))
        assert said | added == {field.name for field in dataclasses.fields(command.command)}
        assert not said & added

    def test_a_wrong_value_is_refused_by_the_name_of_its_field(self, schema, name):
        for wrong in _NEVER_RIGHT:
            assert self._refused_field(schema, name, wrong) == name

    def test_a_value_outside_its_range_is_refused(self, schema, name, wrong):
        assert self._refused_field(schema, name, wrong) == name

    def test_no_text_of_an_event_takes_the_number_of_a_person(self, schema, text):
        if _item(schema, text).identity:
            assert schema in self.by_another_way, "what becomes an event has no identity in it"
            return
        for number in _OF_A_PERSON:
            for wrong in (number, f"证{number}。", f"({number})"):
                asked = [wrong] if _is_list(schema, text) else wrong
                assert self._refused_field(schema, text, asked) == text

    def test_only_what_has_a_default_may_be_left_out(self, schema, name):
        rest = {key: value for key, value in self.examples[schema].items() if key != name}
        if name in _HAVE_DEFAULTS or (schema, name) in self.optional:
            schema().read(rest)
            return
        with pytest.raises(InvalidInput) as refusal:
            schema().read(rest)
        assert refusal.value.field == name

    @_alike
    @given(data=st.data(), value=_junk)
    def test_junk_in_a_field_is_taken_or_refused_by_name(self, data, value):
        schema, name = data.draw(st.sampled_from(self.fields()))
        try:
            schema().read({**self.examples[schema], name: value})
        except InvalidInput as refusal:
            assert refusal.field.partition("[")[0] == name  # noqa: PT017

    @_alike
    @given(data=st.data(), name=st.text(), value=_junk)
    def test_an_unknown_field_is_refused(self, data, name, value):
        schema = data.draw(st.sampled_from(list(self.examples)))
        if name not in schema().fields:
            assert self._refused_field(schema, name, value) in (name, "(unnamed)")

    @_alike
    @given(data=st.data(), message=_junk)
    def test_junk_instead_of_a_message_is_refused(self, data, message):
        schema = data.draw(st.sampled_from(list(self.examples)))
        if message == {} and not any(field.required for field in schema().fields.values()):
            return  # where nothing is required, nothing is a right message
        with pytest.raises(InvalidInput):
            schema().read(message)

    def _ours(self, cls: Any) -> bool:
        return inspect.isclass(cls) and issubclass(cls, Message) and cls.__module__ == self.schemas.__name__

    def _refused_field(self, schema: type[Message], name: str, value: Any) -> str:
        with pytest.raises(InvalidInput) as refusal:
            schema().read({**self.examples[schema], name: value})
        return refusal.value.field.partition("[")[0]


def _is_list(schema: type[Message], name: str) -> bool:
    return isinstance(schema().fields[name], fields.List)


def _item(schema: type[Message], name: str) -> Any:
    """The field, or that of the items of a list."""
    field = schema().fields[name]
    return field.inner if isinstance(field, fields.List) else field
