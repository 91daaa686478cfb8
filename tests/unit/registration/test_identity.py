"""A resident ID number is checked before anybody is enrolled by it (P7; vectors of requirements 8.4)."""

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.registration.domain.identity import (
    DOCUMENTS,
    RESIDENT_ID,
    BirthDateImplausible,
    DocumentKindWrong,
    IdNumberInvalid,
    check,
    check_character,
    check_document,
    spelled,
)

TODAY = date(2026, 4, 1)
VALID = "11010519491231002X"

seventeen_digits = st.text("0123456789", min_size=17, max_size=17)


def number_of_someone_born(born: date) -> str:
    digits = f"110105{born:%Y%m%d}002"
    return digits + check_character(digits)


def test_the_published_number_is_valid():
    check(VALID, TODAY)


def test_somebody_born_in_1880_has_the_right_character_and_is_not_plausible():
    assert check_character("44052418800101001") == "4"
    with pytest.raises(BirthDateImplausible):
        check("440524188001010014", TODAY)


def test_the_published_forgery_is_invalid():
    with pytest.raises(IdNumberInvalid):
        check("110105194912310021", TODAY)


@pytest.mark.parametrize(
    "number",
    ["", "X", VALID[:17], VALID + "0", VALID.lower(), " " + VALID[1:], "１" + VALID[1:], "²" + VALID[1:]],
)
def test_what_is_not_written_as_a_number_is_invalid(number):
    with pytest.raises(IdNumberInvalid):
        check(number, TODAY)


@pytest.mark.parametrize("digits", ["11010519490229002", "11010519491301002", "11010500000101002"])
def test_a_day_that_no_calendar_has_is_not_plausible(digits):
    with pytest.raises(BirthDateImplausible):
        check(digits + check_character(digits), TODAY)


def test_nobody_is_born_tomorrow():
    check(number_of_someone_born(TODAY), TODAY)
    with pytest.raises(BirthDateImplausible):
        check(number_of_someone_born(TODAY + timedelta(days=1)), TODAY)


def test_somebody_may_be_120_years_old():
    check(number_of_someone_born(date(1906, 1, 1)), TODAY)
    with pytest.raises(BirthDateImplausible):
        check(number_of_someone_born(date(1905, 12, 31)), TODAY)


@given(born=st.dates(date(1906, 1, 1), TODAY))
def test_of_eleven_last_characters_one_is_right(born):
    digits = number_of_someone_born(born)[:17]
    right = [last for last in "0123456789X" if accepted(digits + last)]
    assert right == [check_character(digits)]


@given(digits=seventeen_digits, place=st.integers(0, 16), other=st.sampled_from("0123456789"))
def test_one_wrong_digit_changes_the_last_character(digits, place, other):
    assume(digits[place] != other)
    assert check_character(digits[:place] + other + digits[place + 1 :]) != check_character(digits)


@given(digits=seventeen_digits, place=st.integers(0, 15))
def test_two_swapped_neighbours_change_the_last_character(digits, place):
    first, second = digits[place : place + 2]
    assume(first != second)
    swapped = digits[:place] + second + first + digits[place + 2 :]
    assert check_character(swapped) != check_character(digits)


@pytest.mark.parametrize("document", [kind for kind in DOCUMENTS if kind != RESIDENT_ID])
@pytest.mark.parametrize("number", [VALID, "110105194912310021", "0" * 18])
def test_what_looks_like_a_resident_id_number_is_of_no_other_document(document, number):
    with pytest.raises(DocumentKindWrong):
        check_document(document, number, TODAY)


@pytest.mark.parametrize("number", ["E1234567", VALID[:17], "X" * 18, VALID[:16] + "X2", "H0123456789"])
def test_what_does_not_look_like_one_may_be_of_another_document(number):
    check_document("passport", number, TODAY)


def test_a_permanent_residence_card_may_have_eighteen_digits_of_its_own():
    card = "91100019900101123"
    check_document("permanent_residence", card + check_character(card), TODAY)
    with pytest.raises(IdNumberInvalid):
        check_document("permanent_residence", card + "XA"[check_character(card) == "X"], TODAY)
    with pytest.raises(DocumentKindWrong):
        check_document("permanent_residence", VALID, TODAY)


def test_a_resident_id_is_held_to_its_check_character():
    check_document(RESIDENT_ID, VALID, TODAY)
    with pytest.raises(IdNumberInvalid):
        check_document(RESIDENT_ID, "110105194912310021", TODAY)


@pytest.mark.parametrize(
    "number", ["E1234567", "E1234567 ", " e1234567", "E 1234\u3000567", "Ｅ１２３４５６７", "ｅ1234567\t"]
)
def test_a_number_has_one_spelling(number):
    assert spelled(number) == "E1234567"


@given(number=st.text("0123456789XxEeＥ１ａ\u3000 -", max_size=18))
def test_spelling_a_number_again_changes_nothing(number):
    assert spelled(spelled(number)) == spelled(number)


@given(number=st.text())
def test_any_text_is_accepted_or_refused(number):
    accepted(number)


def accepted(number: str) -> bool:
    try:
        check(number, TODAY)
    except (IdNumberInvalid, BirthDateImplausible):
        return False
    return True
