"""Every point that is listed is a place in our code, and every such place is listed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shared.kernel.faults import POINTS


def run(program: str, fault: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"JIANDING_FAULT": fault}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)


def test_the_list_of_points_is_complete(project: Path) -> None:
    code = [path.read_text() for room in ("shared", "services") for path in (project / room).rglob("*.py")]
    assert sorted(re.findall(r'\breached\("([^"]*)"\)', "".join(code))) == sorted(POINTS)


@pytest.mark.parametrize("fault", ["seel:3", "seal:third", "seal:0", "seal:-1", "signer", "seal;3"])
def test_a_fault_that_nobody_can_meet_ends_the_program_at_once(fault: str) -> None:
    ended = run("import shared.kernel.clock; print('goes on')", fault)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"JIANDING_FAULT={fault}" in ended.stderr


def test_a_process_dies_at_the_nth_time_and_at_no_other_point() -> None:
    died = run(
        "from shared.kernel.faults import reached\n"
        "for n in (1, 2, 3): reached('ack'); reached('seal'); print(n, flush=True)",
        "seal:2",
    )
    assert (died.returncode, died.stdout) == (137, "1\n")


def test_a_clock_jumps_back_at_the_nth_look_and_stays_there() -> None:
    jumped = run(
        "from shared.kernel.clock import utc_now\n"
        "looks = [utc_now() for _ in range(4)]\n"
        "print([round((looks[0] - look).total_seconds()) for look in looks])",
        "clock:3",
    )
    assert jumped.stdout == "[0, 0, 3600, 3600]\n"
    assert "the clock jumps back" in jumped.stderr


def test_identifiers_go_back_with_the_clock() -> None:
    jumped = run(
        "from shared.kernel.ids import new_id\n"
        "made = [int(new_id().replace('-', '')[:12], 16) for _ in range(4)]\n"
        "print([round((made[0] - each) / 1000) for each in made])",
        "clock:3",
    )
    assert jumped.stdout == "[0, 0, 3600, 3600]\n"
