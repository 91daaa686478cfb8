"""What is kept of a day's measurements."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import results


def found(group: str, at: str, **values: float) -> dict[str, Any]:
    figures = {name: {"value": value, "group": group} for name, value in values.items()}
    return {
        "figures": figures,
        "measured": {group: at},
        "size": "full",
        "machine": {"cores": 2},
        "versions": {"python": "3.11.7"},
    }


def test_a_group_that_is_measured_again_replaces_its_figures_and_leaves_the_others(tmp_path: Path) -> None:
    results.keep(found("calling", "08:00", rpc_1=1.0, rpc_4=1.0), "2026-01-01", tmp_path)
    results.keep(found("publishing", "09:00", publish=2.0), "2026-01-01", tmp_path)
    kept = json.loads(results.keep(found("calling", "10:00", rpc_1=3.0), "2026-01-01", tmp_path).read_text())
    assert {name: figure["value"] for name, figure in kept["figures"].items()} == {
        "publish": 2.0,
        "rpc_1": 3.0,
    }
    assert kept["measured"] == {"calling": "10:00", "publishing": "09:00"}


def test_each_day_has_a_file_of_its_own(tmp_path: Path) -> None:
    first = results.keep(found("calling", "08:00", rpc_1=1.0), "2026-01-01", tmp_path)
    second = results.keep(found("calling", "08:00", rpc_1=2.0), "2026-01-02", tmp_path)
    assert first != second
    assert json.loads(first.read_text())["figures"]["rpc_1"]["value"] == 1.0


def test_a_day_begins_with_what_was_measured_before_on_the_same_machine(tmp_path: Path) -> None:
    results.keep(found("calling", "1st 08:00", rpc_1=1.0), "2026-01-01", tmp_path)
    kept = results.keep(found("publishing", "2nd 08:00", publish=2.0), "2026-01-02", tmp_path)
    assert json.loads(kept.read_text())["measured"] == {"calling": "1st 08:00", "publishing": "2nd 08:00"}
    assert set(json.loads(kept.read_text())["figures"]) == {"rpc_1", "publish"}


@pytest.mark.parametrize("change", [{"machine": {"cores": 4}}, {"versions": {"python": "3.12.0"}}])
@pytest.mark.parametrize("day", ["2026-01-01", "2026-01-02"])
def test_another_machine_or_version_begins_anew(tmp_path: Path, change: dict[str, Any], day: str) -> None:
    results.keep(found("calling", "08:00", rpc_1=1.0), "2026-01-01", tmp_path)
    kept = results.keep(found("publishing", "08:00", publish=2.0) | change, day, tmp_path)
    assert set(json.loads(kept.read_text())["figures"]) == {"publish"}
