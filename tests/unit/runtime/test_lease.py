"""The data of a folder has one process that serves it, for as long as that process lives."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.runtime.lease import ServedAlready, lease

HOLDER = """
import sys
from pathlib import Path
from shared.runtime.lease import lease
with lease(Path(sys.argv[1])):
    print("holds", flush=True)
    sys.stdin.read()
"""


def test_whoever_comes_second_is_told_who_was_first(tmp_path: Path) -> None:
    with lease(tmp_path), pytest.raises(ServedAlready, match=rf"pid {os.getpid()}\)"), lease(tmp_path):
        pass


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with lease(tmp_path / "new"):
            assert (tmp_path / "new" / "served.pid").read_text() == f"{os.getpid()}\n"


def test_a_process_that_is_killed_leaves_it_free(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holds\n"
        with pytest.raises(ServedAlready, match=f"pid {holder.pid}"), lease(tmp_path):
            pass
        holder.kill()
        holder.wait()
    with lease(tmp_path):
        assert (tmp_path / "served.pid").read_text() == f"{os.getpid()}\n"
