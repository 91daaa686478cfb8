"""What a RabbitMQ to run consists of, and the machine it is looked for on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SCRIPTS = "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"


@dataclass(frozen=True)
class Edition:
    """One RabbitMQ with the Erlang that runs it; both folders hold executables."""

    scripts: Path
    erlang: Path
    libraries: tuple[Path, ...] = ()

    def environment(self) -> dict[str, str]:
        """A fresh environment: nothing of the caller's RABBITMQ_* or ERL_* reaches the node."""
        path = f"{self.erlang}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        environment = {"PATH": path, "LANG": "C.UTF-8"}
        if self.libraries:
            environment["LD_LIBRARY_PATH"] = ":".join(map(str, self.libraries))
        return environment


@dataclass(frozen=True)
class Machine:
    """The machine we look at: its files, its search path, our rights and its commands."""

    root: Path = Path("/")
    path: str = field(default_factory=lambda: os.environ.get("PATH", os.defpath))
    superuser: bool = field(default_factory=lambda: os.geteuid() == 0)

    def which(self, command: str) -> Path | None:
        """Where `command` really lies on the search path, symbolic links followed."""
        found = shutil.which(command, path=self.path)
        return Path(found).resolve() if found else None

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> str | None:
        """The output of `command`, or nothing when it is unknown or fails."""
        try:
            ended = subprocess.run(
                command,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        except OSError:
            return None
        return ended.stdout if ended.returncode == 0 else None


def newest(root: Path) -> list[Path]:
    """The server scripts below `root` as the packages lay them out, highest version first."""
    return sorted(root.glob(SCRIPTS), key=_version, reverse=True)


def _version(server: Path) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", server.parent.parent.name)]
