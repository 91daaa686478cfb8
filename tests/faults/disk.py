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


def could_mount() -> bool:
    """Whether there is a place where we may: neither root nor user namespaces may everywhere."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            tried = subprocess.run([*_unshared(), "-c", _TRY, folder], capture_output=True)
        except FileNotFoundError:
            return False
    return tried.returncode == 0


def enter(arguments: list[str]) -> None:
    """Becomes the same program where it may mount; returns where that is nowhere."""
    if could_mount():
        command = [*_unshared(), *arguments]
        os.execvpe(command[0], command, os.environ | {_ENTER: "1"})  # noqa: S606


def _unshared() -> list[str]:
    whose = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    return ["unshare", "--mount", *whose, sys.executable]


def mount(folder: str, megabytes: int) -> None:
    """An empty file system of that size at `folder`; OSError where we may not."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, f"size={megabytes}m,mode=755".encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), folder)


def unmount(folder: str) -> None:
    """At once for everybody who looks for it, and in truth when nobody has a file open there."""
    ctypes.CDLL(None).umount2(folder.encode(), _DETACH)


@contextmanager
def nearly_full(folder: Path, left: int) -> Iterator[None]:
    """No more than `left` bytes are free on the disk of `folder` while the block runs."""
    ballast, disk = folder / "ballast", os.statvfs(folder)
    try:
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - left)
        yield
    finally:
        ballast.unlink()


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
