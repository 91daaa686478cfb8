"""The rule that says who passed is data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain import passing

points = st.integers(0, 100)


@pytest.mark.parametrize(
    ("theory", "practical", "passes"),
    [(60, 60, True), (59, 60, False), (60, 59, False), (100, 59, False), (100, 100, True), (0, 0, False)],
)
def test_sixty_in_each_part_passes(theory: int, practical: int, passes: bool) -> None:
    assert passing.passed({"theory": theory, "practical": practical}) is passes


@given(points, points)
def test_the_rule_does_what_its_name_says(theory: int, practical: int) -> None:
    said = passing.CURRENT.replace("theory", str(theory)).replace("practical", str(practical))
    comparisons = [each.split(">=") for each in said.split(",")]
    expected = all(int(score) >= int(least) for score, least in comparisons)
    assert passing.passed({"theory": theory, "practical": practical}) is expected


def test_a_result_is_complete_with_every_part() -> None:
    assert not passing.complete({})
    assert not passing.complete({"theory": 100})
    assert passing.complete({"theory": 0, "practical": 0})
