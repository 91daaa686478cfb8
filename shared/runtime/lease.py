"""Who serves the data of a var/ folder: one process, for as long as it lives."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_NAME = "served.pid"


class ServedAlready(Exception):
    """这些数据已有进程在使用；请使用它，或先将它停止。
    This data is served already; use that process, or stop it first."""

    def __init__(self, var: Path, pid: str) -> None:
        super().__init__(f"({var}, pid {pid or '?'})")


@contextmanager
def lease(var: Path) -> Iterator[None]:
    """Holds the folder's data; ServedAlready names who does. What a dead process held, the kernel frees."""
    var.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(var / _NAME, 0, lambda pid: ServedAlready(var, pid)):
        yield


@contextmanager
def one_at_a_time(path: Path, seconds: float, refusal: Callable[[str], Exception]) -> Iterator[None]:
    """Holds the file, with our pid in it; `refusal(pid)` is raised if somebody else does for so long."""
    deadline = time.monotonic() + seconds
    with path.open("a+", encoding="utf-8") as file:
        while not _locked(file):
            if time.monotonic() >= deadline:
                file.seek(0)
                raise refusal(file.read(20).strip())
            time.sleep(0.05)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def holder(var: Path) -> str:
    """The pid of the process that serves the folder's data, if it lives; else empty."""
    with suppress(OSError, ValueError):
        pid = int((var / _NAME).read_text(encoding="utf-8"))
        os.kill(pid, 0)
        return str(pid)
    return ""


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
