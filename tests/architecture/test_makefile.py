"""The Makefile: whoever waits for it sees what it is at."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("target", [".venv/.runtime", ".venv/.dev"])
def test_no_installation_is_silent(target: str) -> None:
    """Every command of pip comes behind a line that says what is installed."""
    told = subprocess.run(
        ["make", "--dry-run", "--always-make", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = told.stdout.splitlines()
    installing = [place for place, line in enumerate(lines) if " pip " in line and " install " in line]
    assert installing
    assert all(lines[place - 1].startswith('echo "installing ') for place in installing)
    assert all("正在安装" in lines[place - 1] for place in installing)
