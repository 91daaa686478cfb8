"""A sample of the campaign: every point and every kind of harm, and all that clients were told is true."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import disk
from tests.faults.campaign import Plan
from tests.faults.harms import HARMS, NEEDS_A_DISK


def test_a_run_follows_from_seed_and_number() -> None:
    assert Plan.of("seed", 3, set()) == Plan.of("seed", 3, set()) != Plan.of("other", 3, set())


def test_two_runs_do_every_harm() -> None:
    for left_out in (set(), NEEDS_A_DISK):
        harms = Plan.of("seed", 4, left_out).harms + Plan.of("seed", 5, left_out).harms
        assert sorted(harms) == sorted(HARMS.keys() - left_out)


@pytest.mark.timeout(600)
def test_fifty_faults_leave_everything_true(project: Path) -> None:
    # two at once can contradict each other; more would make the log longer, and meet no other fault
    asked = ["--faults", "50", "--minutes", "8", "--clients", "2"]
    asked += ["--without-disk"] * (not disk.could_mount())
    campaign = subprocess.run(
        [sys.executable, "-m", "tests.faults.campaign", *asked],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert campaign.returncode == 0, campaign.stdout + campaign.stderr
    report = json.loads(campaign.stdout.splitlines()[-1])
    assert report["injected"] >= 50
    assert min(report["points"].values()) > 0
    assert report["beside"]["two of every program at once"] == 1
    assert report["kinds"]["clock jumps back"] > 0
    assert report["in_doubt"] > 0, "no client was left without an answer"
    assert [report[kind] for kind in ("lost", "duplicated", "reordered", "divergent")] == [0, 0, 0, 0]
