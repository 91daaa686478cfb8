"""Whatever a caller sends to scheduling, he gets a command or is told which field to correct."""

import dataclasses
import inspect
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scheduling import schemas
from shared.kernel.errors import InvalidInput
from shared.kernel.ids import derived_id
from shared.wire.schemas import CommandSchema, Message

ID = derived_id("anything")
ASKED = {"command_id": derived_id("command"), "occurred_at": "2026-04-16T09:30:00+08:00"}
PAGE = {"after": ID, "limit": 10}
EXAMPLES = {
    schemas.ApplyForBatch: {
        **ASKED,
        "batch": ID,
        "station": "10012003",
        "occupation": "6-04-02-05",
        "catalogue": "1999",
        "levels": [5, 4],
        "planned": 60,
        "theory_at": "2026-04-16T09:30:00+08:00",
        "practical_at": "2026-04-16T14:00:00+08:00",
    },
    schemas.IssueTaskNotice: {**ASKED, "batch": ID, "notice": "2026-017"},
    schemas.SealPaperPool: {
        **ASKED,
        "batch": ID,
        "papers": [derived_id("paper", "1"), derived_id("paper", "2")],
    },
    schemas.AssignExaminer: {**ASKED, "batch": ID, "examiner": ID, "part": "theory", "head": False},
    schemas.AllocateSeats: {**ASKED, "batch": ID, "rooms": ["一号考场", "二号考场"]},
    schemas.CheckIn: {
        **ASKED,
        "sitting": ID,
        "ticket": "ABCDEFGH23456789",
        "document_checked": True,
        "photo_matches": False,
    },
    schemas.MarkAbsent: {**ASKED, "sitting": ID},
    schemas.DrawPaper: {**ASKED, "sitting": ID},
    schemas.BatchOf: {"batch": ID},
    schemas.BatchesOf: {**PAGE, "station": "10012003"},
    schemas.SittingsOf: {**PAGE, "batch": ID},
}
FIELDS = [(schema, name) for schema, example in EXAMPLES.items() for name in example]
# what only the service itself may say
GIVEN_BY_SERVICE = {
    schemas.AllocateSeats: {"seed"},
    schemas.CheckIn: {"blind_code"},
    schemas.DrawPaper: {"lot"},
}
NEVER_RIGHT = [
    None,
    math.nan,
    math.inf,
    -1,
    10**5000,
    1.5,
    "",
    "x" * 100_000,
    "\x00",
    "\ud800",
    b"\xff",
    {},
    [],
    [[]],
]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
junk = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5)
)


def ours(cls):
    return inspect.isclass(cls) and issubclass(cls, Message) and cls.__module__ == schemas.__name__


def test_every_schema_has_an_example():
    assert {cls for _, cls in inspect.getmembers(schemas, ours)} == set(EXAMPLES)


@pytest.mark.parametrize("schema", EXAMPLES)
def test_the_example_is_taken(schema):
    assert set(schema().read(EXAMPLES[schema])) == set(EXAMPLES[schema])


@pytest.mark.parametrize("schema", [schema for schema in EXAMPLES if issubclass(schema, CommandSchema)])
def test_a_schema_and_the_service_fill_the_command(schema):
    said = set(schema().fields) - {"command_id", "occurred_at"} | {"by", "at"}
    wanted = {field.name for field in dataclasses.fields(schema.command)}
    assert said | GIVEN_BY_SERVICE.get(schema, set()) == wanted
    assert not said & GIVEN_BY_SERVICE.get(schema, set())


@pytest.mark.parametrize(("schema", "name"), FIELDS)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(schema, name):
    for wrong in NEVER_RIGHT:
        with pytest.raises(InvalidInput) as refusal:
            schema().read({**EXAMPLES[schema], name: wrong})
        assert refusal.value.field.partition("[")[0] == name


@pytest.mark.parametrize(("schema", "name"), FIELDS)
def test_only_what_has_a_default_may_be_left_out(schema, name):
    rest = {key: value for key, value in EXAMPLES[schema].items() if key != name}
    if name in ("occurred_at", *PAGE):
        schema().read(rest)
        return
    with pytest.raises(InvalidInput) as refusal:
        schema().read(rest)
    assert refusal.value.field == name


@pytest.mark.parametrize(
    ("schema", "name", "wrong"),
    [
        (schemas.ApplyForBatch, "levels", [6]),
        (schemas.ApplyForBatch, "levels", [4, 4]),
        (schemas.ApplyForBatch, "levels", [True]),
        (schemas.ApplyForBatch, "planned", 0),
        (schemas.ApplyForBatch, "planned", 501),
        (schemas.ApplyForBatch, "theory_at", "2026-04-16T09:30:00"),
        (schemas.SealPaperPool, "papers", [ID, ID]),
        (schemas.SealPaperPool, "papers", [ID.upper()]),
        (schemas.AssignExaminer, "part", "review"),
        (schemas.AssignExaminer, "head", 1),
        (schemas.CheckIn, "document_checked", "true"),
        (schemas.AllocateSeats, "rooms", ["一号考场", "一号考场"]),
    ],
)
def test_a_value_outside_its_range_is_refused(schema, name, wrong):
    with pytest.raises(InvalidInput) as refusal:
        schema().read({**EXAMPLES[schema], name: wrong})
    assert refusal.value.field.partition("[")[0] == name


@pytest.mark.parametrize(
    ("schema", "name"), [(schema, name) for schema, names in GIVEN_BY_SERVICE.items() for name in names]
)
def test_nobody_chooses_his_own_chance(schema, name):
    with pytest.raises(InvalidInput) as refusal:
        schema().read({**EXAMPLES[schema], name: "5a" * 32})
    assert refusal.value.field == name


@settings(deadline=None)
@given(at=st.sampled_from(FIELDS), value=junk)
def test_junk_in_a_field_is_taken_or_refused_by_name(at, value):
    schema, name = at
    try:
        schema().read({**EXAMPLES[schema], name: value})
    except InvalidInput as refusal:
        assert refusal.field.partition("[")[0] == name  # noqa: PT017


@settings(deadline=None)
@given(schema=st.sampled_from(list(EXAMPLES)), name=st.text(), value=junk)
def test_an_unknown_field_is_refused(schema, name, value):
    if name in schema().fields:
        return
    with pytest.raises(InvalidInput) as refusal:
        schema().read({**EXAMPLES[schema], name: value})
    assert refusal.value.field in (name, "(unnamed)")


@settings(deadline=None)
@given(schema=st.sampled_from(list(EXAMPLES)), message=junk)
def test_junk_instead_of_a_message_is_refused(schema, message):
    with pytest.raises(InvalidInput):
        schema().read(message)
