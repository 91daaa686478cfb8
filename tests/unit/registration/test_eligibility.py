"""Who may apply for which level."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.domain.eligibility import COLLEGE, CURRENT, RULES, VOCATIONAL, satisfied

levels = st.integers(1, 5)
held_levels = st.integers(0, 5)
years = st.integers(0, 60)
educations = st.sampled_from(["none", VOCATIONAL, COLLEGE])


@pytest.mark.parametrize(
    ("level", "held_level", "years", "education", "clause"),
    [
        (5, 0, 1, "none", "5.1"),
        (5, 0, 0, VOCATIONAL, "5.2"),
        (4, 5, 2, "none", "4.1"),
        (4, 0, 4, "none", "4.2"),
        (4, 0, 0, VOCATIONAL, "4.3"),
        (3, 4, 4, "none", "3.1"),
        (3, 4, 0, VOCATIONAL, "3.2"),
        (3, 4, 2, COLLEGE, "3.3"),
        (2, 3, 4, "none", "2.1"),
        (1, 2, 4, "none", "1.1"),
    ],
)
def test_each_branch_suffices_and_is_named(level, held_level, years, education, clause):
    assert satisfied(level, held_level=held_level, years=years, education=education) == clause


def test_each_branch_is_tested_above():
    assert sum(len(clauses) for clauses in RULES[CURRENT].values()) == 10


@pytest.mark.parametrize(
    ("level", "held_level", "years", "education"),
    [
        (5, 0, 0, "none"),
        (4, 5, 1, "none"),
        (4, 0, 3, COLLEGE),
        (3, 5, 60, "none"),
        (3, 4, 3, "none"),
        (3, 4, 1, COLLEGE),
        (3, 0, 60, VOCATIONAL),
        (2, 4, 60, "none"),
        (2, 3, 3, COLLEGE),
        (1, 3, 60, "none"),
        (1, 0, 60, VOCATIONAL),
    ],
)
def test_just_short_of_a_branch_is_not_enough(level, held_level, years, education):
    assert satisfied(level, held_level=held_level, years=years, education=education) is None


def test_a_higher_level_held_counts_as_the_lower_one():
    assert satisfied(3, held_level=2, years=4, education="none") == "3.1"


@pytest.mark.parametrize("level", [0, 6])
def test_a_level_without_rules_is_open_to_nobody(level):
    assert satisfied(level, held_level=1, years=60, education=COLLEGE) is None


@given(level=levels, held_level=held_levels, fewer=years, more=years, education=educations)
def test_more_years_never_exclude(level, held_level, fewer, more, education):
    fewer, more = sorted((fewer, more))
    if satisfied(level, held_level=held_level, years=fewer, education=education):
        assert satisfied(level, held_level=held_level, years=more, education=education)


@given(level=levels, lower=st.integers(1, 5), higher=st.integers(1, 5), years=years, education=educations)
def test_a_higher_level_held_never_excludes(level, lower, higher, years, education):
    higher, lower = sorted((lower, higher))
    if satisfied(level, held_level=lower, years=years, education=education):
        assert satisfied(level, held_level=higher, years=years, education=education)


@given(level=st.integers(1, 3), years=years, education=educations)
def test_from_level_three_up_somebody_without_a_level_is_never_eligible(level, years, education):
    assert satisfied(level, held_level=0, years=years, education=education) is None
