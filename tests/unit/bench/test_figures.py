"""What a figure says of itself."""

import pytest

from bench.figures import Figure, percentile, report


def test_a_figure_is_its_median_beside_the_median_of_its_peer():
    data = Figure("append_8", "commands/s", [90, 400, 100], "library", [20, 25, 1000], aim=4).as_data()
    assert (data["value"], data["against"], data["against_value"], data["ratio"]) == (100, "library", 25, 4)
    assert data["met"] is True


def test_the_spread_stays_in_the_results():
    data = Figure("append_8", "commands/s", [90, 400, 100], "library", [20, 25, 1000], aim=4).as_data()
    assert data["values"] == [90, 400, 100]
    assert data["against_values"] == [20, 25, 1000]


def test_with_a_peer_the_aim_is_of_the_ratio():
    assert Figure("publish", "events/s", [900], "nameko", [100], aim=10).met is False


def test_without_a_peer_the_aim_is_of_the_value_and_stands_as_its_limit():
    data = Figure("audit", "events/s", [9000], aim=10_000).as_data()
    assert (data["against"], data["against_value"], data["ratio"]) == ("limit", 10_000, None)
    assert data["met"] is False


@pytest.mark.parametrize(("delay", "met"), [(149.9, True), (150.0, True), (150.1, False)])
def test_a_delay_meets_its_aim_from_above(delay, met):
    assert Figure("e2e_200_p99", "ms", [delay], aim=150, at_most=True).met is met


def test_a_time_that_grows_with_the_log_misses_by_its_ratio():
    assert Figure("growth_start_1m", "s", [2.6], "at 10k", [2.0], aim=1.2, at_most=True).met is False


def test_a_figure_without_an_aim_is_neither_met_nor_missed():
    data = Figure("e2e_200_p50", "ms", [12.0]).as_data()
    assert (data["met"], data["against"], data["against_value"]) == (None, None, None)


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(share, value):
    assert percentile(range(100, 0, -1), share) == value


def test_a_percentile_of_one_value_is_that_value():
    assert percentile([7.0], 0.99) == 7.0


def test_the_report_has_all_figures_by_name_and_says_where_they_come_from():
    found = report({"consuming": [Figure("audit", "events/s", [1.0])]}, {"machine": {"cores": 2}})
    assert list(found["figures"]) == ["audit"]
    assert found["machine"] == {"cores": 2}


def test_no_figure_takes_the_place_of_another():
    with pytest.raises(ValueError, match="audit"):
        report({"a": [Figure("audit", "events/s", [1.0])], "b": [Figure("audit", "events/s", [2.0])]}, {})
