"""A small disk of our own that can be full: a tmpfs in a mount namespace, which ends with the process."""

import ctypes
import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ENTER = "JIANDING_MAY_MOUNT"
_DETACH = 2
_TRY = "import sys; sys.path.insert(0, '.'); from tests.faults.disk import mount; mount(sys.argv[1], 1)"


def may_mount() -> bool:
    """Whether this process is where it may mount without anybody else seeing it."""
    return os.environ.get(_ENTER) == "1"


def enter(arguments: list[str]) -> None:
    """Becomes the same program where it may mount; returns where neither root nor user namespaces may."""
    whose = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    unshare = ["unshare", "--mount", *whose, sys.executable]
    with tempfile.TemporaryDirectory() as folder:
        try:
            tried = subprocess.run([*unshare, "-c", _TRY, folder], capture_output=True)
        except FileNotFoundError:
            return
    if tried.returncode == 0:
        os.execvpe(unshare[0], [*unshare, *arguments], os.environ | {_ENTER: "1"})  # noqa: S606


def mount(folder: str, megabytes: int) -> None:
    """An empty file system of that size at `folder`; OSError where we may not."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, f"size={megabytes}m,mode=755".encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), folder)


def unmount(folder: str) -> None:
    """At once for everybody who looks for it, and in truth when nobody has a file open there."""
    ctypes.CDLL(None).umount2(folder.encode(), _DETACH)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Nothing more can be written on the disk of `folder` while the block runs."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            for size in (2**20, 2**12):
                _fill(file.fileno(), bytes(size))
        yield
    finally:
        ballast.unlink()


def _fill(file: int, block: bytes) -> None:
    while True:
        try:
            os.write(file, block)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return
