"""Certificate numbers: what is written is read again, and what is not a number is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.certification.domain import numbers
from services.certification.domain.numbers import NoSchemeInForce, NumberInvalid, Parts

# requirements §8.4, constructed there from P8
VECTOR = "0810012003400001"
VECTOR_PARTS = Parts(year=2008, body="10012003", level=4, serial=1)

parts = st.builds(
    Parts,
    year=st.integers(2000, 2099),
    body=st.from_regex(r"[0-9]{8}", fullmatch=True),
    level=st.integers(1, 5),
    serial=st.integers(1, 99_999),
)


def test_the_vector_is_written() -> None:
    assert numbers.written(VECTOR_PARTS) == VECTOR


def test_the_vector_is_read() -> None:
    assert numbers.read(VECTOR) == VECTOR_PARTS


@given(parts)
def test_what_is_written_is_read_again(parts: Parts) -> None:
    number = numbers.written(parts)
    assert len(number) == 16
    assert numbers.read(number) == parts


@given(parts, parts)
def test_different_certificates_have_different_numbers(one: Parts, other: Parts) -> None:
    assert (numbers.written(one) == numbers.written(other)) == (one == other)


@given(st.text() | st.from_regex(r"[0-9]{14,18}", fullmatch=True))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        read = numbers.read(text)
    except NumberInvalid:
        return
    assert numbers.written(read) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        VECTOR[:-1],
        VECTOR + "0",
        VECTOR + "\n",
        " " + VECTOR,
        "0810012003000001",  # no such level
        "0810012003600001",
        "0810012003400000",  # serials begin at 1
        "08100120034000O1",
        "\uff10" + VECTOR[1:],  # a full-width digit
        "Y000123XXXXXX195000001",  # another scheme (P9)
    ],
)
def test_what_is_not_a_number_is_refused(text: str) -> None:
    with pytest.raises(NumberInvalid):
        numbers.read(text)


@pytest.mark.parametrize("year", [1999, 2100])
def test_a_year_without_a_scheme_has_no_numbers(year: int) -> None:
    with pytest.raises(NoSchemeInForce):
        numbers.written(Parts(year=year, body="10012003", level=4, serial=1))


def test_no_year_has_two_schemes_and_none_spans_more_than_a_century() -> None:
    years = [year for scheme in numbers.SCHEMES for year in scheme.years]
    assert len(years) == len(set(years))
    assert all(len(scheme.years) <= 100 for scheme in numbers.SCHEMES)
