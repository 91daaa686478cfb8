"""Whatever a caller sends is a command or an InvalidInput that names the field; never anything else."""

import math
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.certification import queries, schemas
from shared.kernel.errors import InvalidInput
from shared.kernel.ids import derived_id
from shared.wire.schemas import CommandSchema, Message

NUMBER = "0810012003400001"
VALID: dict[type[Message], dict[str, Any]] = {
    schemas.ApproveCertificate: {
        "command_id": derived_id("test", "command"),
        "dossier": derived_id("test", "application"),
    },
    schemas.CertificateOf: {"number": NUMBER},
    schemas.CertificatesOf: {"batch": derived_id("test", "batch")},
    schemas.DossierOf: {"application": derived_id("test", "application")},
    schemas.StatisticsOf: {"batch": derived_id("test", "batch")},
    schemas.OwnCertificates: {"candidate": derived_id("test", "candidate")},
}
ASKED = {
    schemas.CertificateOf: queries.certificate,
    schemas.CertificatesOf: queries.certificates,
    schemas.DossierOf: queries.dossier,
    schemas.StatisticsOf: queries.statistics,
    schemas.StatisticsOfMany: queries.statistics_of,
    schemas.Waiting: queries.waiting,
    schemas.OwnCertificates: queries.own_certificates,
}
FIELDS = [(schema, name) for schema, message in VALID.items() for name in message]
OPTIONAL = [
    (schemas.ApproveCertificate, "occurred_at"),
    (schemas.CertificatesOf, "after"),
    (schemas.CertificatesOf, "limit"),
]

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
    asked = {field.name for field in fields(schema.command)} - {"by", "at"}
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


@pytest.mark.parametrize("number", ["", "0810012003600001", "0810012003400000", f"{NUMBER}\n", f" {NUMBER}"])
def test_what_is_not_a_certificate_number_is_refused(number: str) -> None:
    assert _attempt(schemas.CertificateOf, {"number": number}) == (None, "number")


def _attempt(schema: type[Message], message: Any) -> tuple[dict[str, Any] | None, str | None]:
    """What was read, or the field that was refused."""
    try:
        return schema().read(message), None
    except InvalidInput as refusal:
        return None, refusal.field
