"""Who is logged in at this machine: his tokens, in a file that only its owner reads."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from shared.runtime.cli.output import Failed
from shared.runtime.settings import Settings
from shared.security.keys import KeyFileIsOpen

Ask = Callable[[str, dict[str, Any]], Any]
"""`ask("refresh", message)`: what registration answers."""

_EARLY = 30.0  # seconds before a token runs out in which it is renewed


def place(settings: Settings, named: Path | None) -> Path:
    """Where the login is kept: the file that was named, or the usual one."""
    return named or settings.var / "session"


def keep(path: Path, answer: dict[str, Any]) -> None:
    """Keeps what registration's `login` has answered; KeyFileIsOpen where others could read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _open(path, os.O_CREAT) as file:
        _write(file, answer)


def token(path: Path, ask: Ask) -> str:
    """The access token, renewed if it is about to run out. A file may also hold a token and nothing else."""
    with _open(path) as file:  # alone: a refresh token that two use ends the login
        text = file.read().strip()
        if not text.startswith("{"):
            return text
        kept = _read(text)
        if kept["until"] - time.time() < _EARLY:
            kept = _write(file, ask("refresh", {"refresh": kept["refresh"]}))
    return str(kept["access"])


def leave(path: Path, ask: Ask) -> None:
    """Ends the login at registration, then here."""
    with _open(path) as file:
        text = file.read().strip()
        if text.startswith("{"):
            ask("logout", {"refresh": _read(text)["refresh"]})
    path.unlink()


@contextmanager
def _open(path: Path, create: int = 0) -> Iterator[TextIO]:
    try:
        number = os.open(path, os.O_RDWR | os.O_NOFOLLOW | create, 0o600)
    except FileNotFoundError:
        raise Failed(
            f"{path}: 尚未登录，请先运行 jianding login。 Nobody is logged in here: `jianding login` first."
        ) from None
    with os.fdopen(number, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        found = os.fstat(number)
        if found.st_mode & 0o077 or found.st_uid != os.geteuid():
            raise KeyFileIsOpen(path.name)
        yield file


def _write(file: TextIO, answer: dict[str, Any]) -> dict[str, Any]:
    kept = {
        "access": answer["access"],
        "refresh": answer["refresh"],
        "until": time.time() + answer["expires_in"],
    }
    file.seek(0)
    file.truncate()
    json.dump(kept, file)
    return kept


def _read(text: str) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(text)
        float(kept["until"]), str(kept["access"]), str(kept["refresh"])
    except (ValueError, KeyError, TypeError):
        raise Failed("登录文件已损坏，请重新登录。 The file of the login is broken: log in again.") from None
    return kept
