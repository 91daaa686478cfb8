"""One spelling in bytes, the one of RFC 8785."""

import enum
import math
from decimal import Decimal

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from shared.wire.canonical import NotCanonical, canonical

SAFE = 2**53 - 1
text = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF))
scalars = st.none() | st.booleans() | st.integers(-SAFE, SAFE) | text
allowed = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(keys, inner),
    max_leaves=30,
)
astral = st.characters(min_codepoint=0x10000)


def holders(value):
    """The value alone, and where it hides deeper."""
    return [value, [value], (1, value), {"a": value}, {"a": [{"b": value}]}]


def refused(value):
    with pytest.raises(NotCanonical):
        canonical(value)


@given(allowed)
@example({"\uffff": 1, "\ud7ff": 2, "": 3})
@example({"\ufb33": 1, "\u20ac": 2, "\r": 3, "1": 4, "\u0080": 5, "\u00f6": 6})
@example('\u2028\x7f\x00\x1f"\\/é😀')
@example([SAFE, -SAFE, 0, True, None])
def test_our_bytes_are_those_of_rfc_8785(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(st.floats() | st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf]))
def test_a_float_is_refused(value):
    for holder in holders(value):
        refused(holder)


@given(st.integers(min_value=2**53) | st.integers(max_value=-(2**53)))
@example(2**63)
@example(2**64)
@example(10**400)
def test_an_integer_that_a_double_cannot_hold_is_refused(value):
    for holder in holders(value):
        refused(holder)


@given(st.text(), astral, st.text())
@example("", "\U00010000", "")
@example("", "\U0010ffff", "")
@example("\uffff", "\U00010000", "a")
def test_a_key_beyond_the_basic_plane_is_refused(before, key, after):
    for holder in holders({before + key + after: 1}):
        refused(holder)


@given(st.none() | st.booleans() | st.integers() | st.binary() | st.tuples(text))
def test_a_key_that_is_not_text_is_refused(key):
    for holder in holders({key: 1}):
        refused(holder)


@given(st.text(), st.characters(categories=["Cs"]), st.text())
def test_half_a_character_is_refused(before, surrogate, after):
    for holder in [*holders(before + surrogate + after), {before + surrogate + after: 1}]:
        refused(holder)


class Word(enum.StrEnum):
    """Text, but not quite."""

    A = "a"


class Number(enum.IntEnum):
    """A number, but not quite."""

    ONE = 1


@pytest.mark.parametrize(
    "value",
    [b"bytes", Decimal(1), {1}, pytest.param(object(), id="object"), Word.A, Number.ONE, {Word.A: 1}],
    ids=repr,
)
def test_what_is_not_plain_is_refused(value):
    for holder in holders(value):
        refused(holder)


def test_what_is_nested_without_end_is_refused():
    endless = []
    endless.append(endless)
    refused(endless)
