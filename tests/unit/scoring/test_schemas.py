"""Whatever a caller sends is a command or an InvalidInput that names the field; never anything else."""

import math
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring import queries, schemas
from shared.kernel.errors import InvalidInput
from shared.kernel.ids import blind_code, derived_id
from shared.wire.schemas import CommandSchema, Message

SHEET = "B-7H2K9QXW4M-theory"
COMMAND = {"command_id": derived_id("test", "command")}
VALID: dict[type[Message], dict[str, Any]] = {
    schemas.SubmitScore: {**COMMAND, "sheet": SHEET, "score": 88, "sheet_digest": "ab" * 32},
    schemas.ProposeCorrection: {**COMMAND, "sheet": SHEET, "new": 68, "reason": "小计漏加"},
    schemas.ApproveCorrection: {**COMMAND, "sheet": SHEET, "new": 68},
    schemas.ReviewScores: {**COMMAND, "result": derived_id("test", "application")},
    schemas.PublishResult: {**COMMAND, "result": derived_id("test", "application")},
    schemas.SheetOf: {"sheet": SHEET},
    schemas.SheetsOf: {"batch": derived_id("test", "batch"), "examiner": derived_id("test", "examiner")},
    schemas.ResultOf: {"application": derived_id("test", "application")},
    schemas.ResultsOf: {"batch": derived_id("test", "batch")},
    schemas.RegisterSigningKey: {
        **COMMAND,
        "signer": derived_id("test", "examiner"),
        "public_key": "Ab_-" * 10 + "AbY",
    },
    schemas.ResultsIn: {"status": "combined"},
    schemas.DeskOf: {"examiner": derived_id("test", "examiner")},
    schemas.OwnResults: {"candidate": derived_id("test", "candidate")},
    schemas.DistributionOf: {"batch": derived_id("test", "batch")},
    schemas.SigningKeyOf: {"examiner": derived_id("test", "examiner")},
}
ASKED = {
    schemas.SheetOf: queries.sheet,
    schemas.SheetsOf: queries.sheets,
    schemas.ResultOf: queries.result,
    schemas.ResultsOf: queries.results,
    schemas.ResultsIn: queries.results_in,
    schemas.DeskOf: queries.desk,
    schemas.Proposals: queries.proposals,
    schemas.OwnResults: queries.own_results,
    schemas.DistributionOf: queries.distribution,
    schemas.SigningKeyOf: queries.signing_key,
}
FIELDS = [(schema, name) for schema, message in VALID.items() for name in message]
OPTIONAL = [
    (schemas.SubmitScore, "occurred_at"),
    (schemas.SubmitScore, "signature"),
    (schemas.SheetsOf, "after"),
    (schemas.SheetsOf, "limit"),
    (schemas.DeskOf, "status"),
]
# what the service finds itself: the key that is registered
FOUND = {schemas.SubmitScore: {"public_key"}}

NEVER_RIGHT = [
    None,
    True,
    math.nan,
    math.inf,
    59.5,
    -1,
    10**5000,
    "",
    "\x00",
    "\ud800",
    b"\xff",
    "甲".encode(),
    {},
    [],
    [[]],
]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@pytest.mark.parametrize("schema", VALID)
def test_a_right_message_is_read(schema: type[Message]) -> None:
    read = schema().read(VALID[schema])
    assert VALID[schema].items() <= read.items()


@pytest.mark.parametrize("schema", [each for each in VALID if issubclass(each, CommandSchema)])
def test_a_command_has_every_field_that_its_schema_has(schema: type[CommandSchema]) -> None:
    asked = {field.name for field in fields(schema.command)} - {"by", "at"} - FOUND.get(schema, set())
    assert asked == schema().fields.keys() - {"command_id", "occurred_at"}


@pytest.mark.parametrize("schema", ASKED)
def test_a_query_takes_every_field_that_its_schema_has(schema: type[Message]) -> None:
    code = ASKED[schema].__code__
    assert set(code.co_varnames[1 : code.co_argcount]) - {"own"} == schema().fields.keys()


@pytest.mark.parametrize(("schema", "name"), FIELDS)
def test_a_missing_field_is_named(schema: type[Message], name: str) -> None:
    message = {key: value for key, value in VALID[schema].items() if key != name}
    with pytest.raises(InvalidInput) as refused:
        schema().read(message)
    assert refused.value.field == name


@pytest.mark.parametrize(("schema", "name"), [*FIELDS, *OPTIONAL])
def test_nonsense_is_refused_by_the_name_of_its_field(schema: type[Message], name: str) -> None:
    for nonsense in NEVER_RIGHT:
        assert _attempt(schema, {**VALID[schema], name: nonsense}) == (None, name)


@pytest.mark.parametrize(("schema", "name"), FIELDS)
@given(value=anything)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(
    schema: type[Message], name: str, value: Any
) -> None:
    read, refused = _attempt(schema, {**VALID[schema], name: value})
    assert refused == (None if read else name)
    if read:
        assert read[name] == value
        assert type(value) is type(VALID[schema][name])


@pytest.mark.parametrize("schema", VALID)
@given(name=st.from_regex(r"[A-Za-z0-9_]{1,30}", fullmatch=True), value=anything)
def test_an_unknown_field_is_refused_by_its_name(schema: type[Message], name: str, value: Any) -> None:
    if name not in schema().fields:
        with pytest.raises(InvalidInput) as refused:
            schema().read({**VALID[schema], name: value})
        assert refused.value.field == name


@pytest.mark.parametrize("schema", VALID)
@given(message=anything)
def test_no_message_raises_anything_else(schema: type[Message], message: Any) -> None:
    with pytest.raises(InvalidInput):
        schema().read(message)


@pytest.mark.parametrize(
    "score", [-1, 101, 59.5, 60.0, float("nan"), float("inf"), "60", True, None, 10**400]
)
def test_a_score_is_a_whole_number_from_0_to_100(score: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        schemas.SubmitScore().read({**VALID[schemas.SubmitScore], "score": score})
    assert refused.value.field == "score"


@pytest.mark.parametrize("part", ["theory", "practical"])
def test_every_blind_code_names_a_sheet(part: str) -> None:
    for _ in range(200):
        sheet = f"{blind_code()}-{part}"
        assert schemas.SheetOf().read({"sheet": sheet}) == {"sheet": sheet}


@pytest.mark.parametrize(
    "sheet", ["", "B-7H2K9QXW4M", "B-7H2K9QXW4M-oral", "b-7h2k9qxw4m-theory", f"{SHEET}\n", f" {SHEET}"]
)
def test_what_is_not_a_sheet_is_refused(sheet: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        schemas.SheetOf().read({"sheet": sheet})
    assert refused.value.field == "sheet"


def _attempt(schema: type[Message], message: Any) -> tuple[dict[str, Any] | None, str | None]:
    """What was read, or the field that was refused."""
    try:
        return schema().read(message), None
    except InvalidInput as refusal:
        return None, refusal.field
