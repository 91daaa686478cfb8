"""Files that are there whole or not at all, whenever the power goes."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write(path: Path, content: bytes, mode: int = 0o600, *, lasting: bool = True) -> None:
    """Puts `content` in the place of whatever is there; `lasting`: it is on the disk when this returns."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            if lasting:
                os.fsync(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
    if lasting:
        _sync_folder(path.parent)


def folder(path: Path) -> Path:
    """The folder, made for its owner alone if it is missing."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Whether this process has the lock file for the block; what a dead process held, the kernel frees."""
    folder(path.parent)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
