"""Whatever a caller sends to registration, he gets a command or is told which field to correct."""

import base64
import dataclasses
import inspect
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registration import schemas
from shared.kernel.errors import InvalidInput
from shared.kernel.ids import derived_id
from shared.wire.schemas import CommandSchema, Message

ID = derived_id("anything")
PHOTO = base64.b64encode(b"a picture").decode()
ASKED = {"command_id": derived_id("command"), "occurred_at": "2026-04-16T09:30:00+08:00"}
PAGE = {"after": ID, "limit": 10}
EXAMPLES = {
    schemas.EnrolPerson: {
        **ASKED,
        "candidate": ID,
        "name": "某甲",
        "document": "resident_id",
        "number": "11010519491231002X",
        "photo": PHOTO,
    },
    schemas.RecordTraining: {
        **ASKED,
        "training": ID,
        "batch": ID,
        "station": "10012003",
        "occupation": "6-04-02-05",
        "trainees": [derived_id("candidate", "1"), derived_id("candidate", "2")],
        "hours": 40,
    },
    schemas.SubmitApplication: {
        **ASKED,
        "application": ID,
        "candidate": ID,
        "batch": ID,
        "station": "10012003",
        "occupation": "6-04-02-05",
        "catalogue": "1999",
        "level": 4,
        "kind": "society",
        "held_level": 5,
        "years_in_trade": 2,
        "education": "none",
        "evidence": ["0f" * 32],
    },
    schemas.PassStationReview: {**ASKED, "application": ID},
    schemas.RejectAtStation: {**ASKED, "application": ID, "reason": "证件不全"},
    schemas.PassCentreReview: {**ASKED, "application": ID},
    schemas.RejectAtCentre: {**ASKED, "application": ID, "reason": "工龄不足"},
    schemas.WithdrawApplication: {**ASKED, "application": ID, "reason": "本人要求"},
    schemas.ApplicationOf: {"application": ID},
    schemas.Roster: {**PAGE, "batch": ID},
}
FIELDS = [(schema, name) for schema, example in EXAMPLES.items() for name in example]
# its fields become commitments first, see services/registration/people.py
BY_ANOTHER_WAY = {schemas.EnrolPerson}
NEVER_RIGHT = [
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


def test_a_photo_is_loaded_as_bytes():
    assert schemas.EnrolPerson().read(EXAMPLES[schemas.EnrolPerson])["photo"] == b"a picture"


@pytest.mark.parametrize(
    "schema",
    [schema for schema in EXAMPLES if issubclass(schema, CommandSchema) and schema not in BY_ANOTHER_WAY],
)
def test_a_schema_fills_its_command(schema):
    said = set(schema().fields) - {"command_id", "occurred_at"} | {"by", "at"}
    assert said == {field.name for field in dataclasses.fields(schema.command)}


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
        (schemas.EnrolPerson, "photo", "not base64!"),
        (schemas.EnrolPerson, "photo", "照片照片"),
        (schemas.EnrolPerson, "document", "library_card"),
        (schemas.EnrolPerson, "name", "某\n甲"),
        (schemas.RecordTraining, "hours", 0),
        (schemas.RecordTraining, "trainees", [ID, ID]),
        (schemas.SubmitApplication, "level", 6),
        (schemas.SubmitApplication, "level", True),
        (schemas.SubmitApplication, "held_level", "5"),
        (schemas.SubmitApplication, "station", "1001200３"),
        (schemas.SubmitApplication, "candidate", ID.upper()),
        (schemas.SubmitApplication, "evidence", ["0F" * 32]),
        (schemas.Roster, "limit", 501),
    ],
)
def test_a_value_outside_its_range_is_refused(schema, name, wrong):
    with pytest.raises(InvalidInput) as refusal:
        schema().read({**EXAMPLES[schema], name: wrong})
    assert refusal.value.field.partition("[")[0] == name


def test_a_refusal_never_repeats_what_was_sent():
    with pytest.raises(InvalidInput) as refusal:
        schemas.EnrolPerson().read({**EXAMPLES[schemas.EnrolPerson], "number": "11010519491231002X9"})
    assert "1949" not in str(refusal.value)


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
