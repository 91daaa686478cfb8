"""Reading files that anybody may have made."""

import os
import stat
from pathlib import Path

from .words import Fault

NOTE = 1 << 18
POLICY = 1 << 18
BUNDLE = 1 << 28
# a pipe or a device in the place of a file must not hold us up; without O_BINARY, Windows changes line ends
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Unreadable(Fault):
    """A file that is there and cannot be read."""

    def __init__(self, file: str, code: str, **values: object) -> None:
        super().__init__("file", file=file, why=Fault(code, **values))


def read(path: Path | str, limit: int, name: str = "") -> bytes | None:
    """A regular file of at most `limit` bytes; None if there is none, Unreadable if it is anything else."""
    name = name or str(path)
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            return _all(descriptor, limit, name)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise Unreadable(name, "not_opened", why=getattr(error, "strerror", "") or str(error)) from None


def _all(descriptor: int, limit: int, name: str) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable(name, "not_a_file")
    if status.st_size > limit:
        raise Unreadable(name, "too_long", limit=limit)
    parts, total = [], 0
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
        total += len(part)
        if total > limit:  # it grew meanwhile
            raise Unreadable(name, "too_long", limit=limit)
    return parts[0] if len(parts) == 1 else b"".join(parts)
