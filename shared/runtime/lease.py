"""Who serves the data of a var/ folder: one process, for as long as it lives."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    with (var / _NAME).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ServedAlready(var, file.read(20).strip()) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
