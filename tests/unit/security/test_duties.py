"""职责分离, against the table of the requirements (§4), written out once more and independently."""

from itertools import product

import pytest

from shared.kernel.actors import Role
from shared.security import duties

COLUMNS = (
    Role.CENTRE_REVIEWER,
    Role.EXAMINER,
    Role.INVIGILATOR,
    Role.SCORE_REGISTRAR,
    Role.SCORE_REVIEWER,
    Role.CERTIFICATE_PROCESSOR,
    Role.SUPERVISOR,
)
TABLE = {
    #                        review 2  examiner  invig.  registrar  reviewer  certif.  supervisor
    Role.STATION_REVIEWER: ("X",       "X",      "",     "",        "X",      "X",     "X"),
    Role.TRAINER:          ("",        "X",      "X",    "",        "",       "X",     "X"),
    Role.PAPER_CUSTODIAN:  ("",        "X",      "",     "",        "",       "X",     "X"),
    Role.EXAMINER:         ("X",       "",       "",     "X",       "X",      "X",     "X"),
    Role.SCORE_REGISTRAR:  ("",        "X",      "",     "",        "X",      "X",     "X"),
    Role.STATION_DIRECTOR: ("",        "X",      "",     "X",       "",       "X",     "X"),
    Role.ADMINISTRATOR:    ("X",       "X",      "X",    "X",       "X",      "X",     "X"),
}  # fmt: skip
EXCLUDED = {
    frozenset((row, column))
    for row, marks in TABLE.items()
    for column, mark in zip(COLUMNS, marks, strict=True)
    if mark
}


@pytest.mark.parametrize(("one", "other"), list(product(Role, Role)))
def test_two_duties_exclude_each_other_where_the_table_says_so(one, other):
    expected = other if frozenset((one, other)) in EXCLUDED else None
    assert duties.conflict(one, {other}) == expected


def test_exclusion_works_both_ways():
    assert all(duties.conflict(one, {other}) for one, other in (sorted(pair) for pair in EXCLUDED))
    assert all(duties.conflict(other, {one}) for one, other in (sorted(pair) for pair in EXCLUDED))
    assert EXCLUDED == duties.PAIRS


@pytest.mark.parametrize("role", Role)
def test_the_same_duty_twice_is_one(role):
    assert duties.conflict(role, {role}) is None


@pytest.mark.parametrize("role", Role)
def test_pairs_are_the_keys_that_two_excluding_duties_share(role):
    for other in Role:
        shared = set(duties.pairs(role)) & set(duties.pairs(other))
        assert bool(shared) == (frozenset((role, other)) in EXCLUDED or (role == other and any_pair(role)))


def any_pair(role):
    return any(role in pair for pair in EXCLUDED)


def test_who_holds_nothing_may_hold_anything():
    assert all(duties.conflict(role, set()) is None for role in Role)


def test_one_excluding_duty_among_several_is_found():
    held = {Role.EXAM_AFFAIRS, Role.INVIGILATOR, Role.SCORE_REVIEWER}
    assert duties.conflict(Role.EXAMINER, held) is Role.SCORE_REVIEWER
