"""Find a RabbitMQ to run: on this machine, through apt, or unpacked into a folder of our own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import RabbitmqIsMissing

DEFAULT_CACHE = Path(__file__).parents[3] / "var" / "cache" / "rabbitmq"

SCRIPTS = "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"

# Installing the package must not start its service: apt asks nothing, and
# neither sysvinit nor systemd considers this a moment to start anything.
QUIETLY = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1", "SYSTEMD_OFFLINE": "1"}


@dataclass(frozen=True)
class Edition:
    """One RabbitMQ with the Erlang that runs it; both folders hold executables."""

    scripts: Path
    erlang: Path
    libraries: tuple[Path, ...] = ()

    @property
    def server(self) -> Path:
        """The script that becomes the node, as the user who calls it."""
        return self.scripts / "rabbitmq-server"

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


def find(machine: Machine | None = None, cache: Path = DEFAULT_CACHE) -> Edition:
    """The first RabbitMQ of: this machine, its package (when root), its package unpacked below `cache`.

    Raises RabbitmqIsMissing when none of the three can be had.
    """
    from .unpack import unpacked

    machine = machine or Machine()
    edition = on_machine(machine) or installed(machine) or unpacked(machine, cache)
    if edition is None:
        raise RabbitmqIsMissing
    return edition


def on_machine(machine: Machine) -> Edition | None:
    """The RabbitMQ that is here already, when its Erlang is too."""
    erl = machine.which("erl")
    server = next(_servers(machine), None)
    return Edition(server.parent, erl.parent) if erl and server else None


def installed(machine: Machine) -> Edition | None:
    """RabbitMQ from the machine's package sources; only root can have this."""
    if not machine.superuser:
        return None
    install = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "install", "-y", "--no-install-recommends", "rabbitmq-server"]
    if machine.run(install, QUIETLY) is None:
        machine.run(["apt-get", "update"], QUIETLY)
        machine.run(install, QUIETLY)
    return on_machine(machine)


def _servers(machine: Machine) -> Iterator[Path]:
    on_path = machine.which("rabbitmq-server")
    candidates = [*([on_path] if on_path else []), *newest(machine.root)]
    return filter(_is_real, candidates)


def newest(root: Path) -> list[Path]:
    """The server scripts below `root` as the packages lay them out, highest version first."""
    return sorted(root.glob(SCRIPTS), key=_version, reverse=True)


def _version(server: Path) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", server.parent.parent.name)]


def _is_real(server: Path) -> bool:
    # The packages put a wrapper in front which insists on the user rabbitmq;
    # only the script that lies beside rabbitmq-env runs as whoever calls it.
    return server.name == "rabbitmq-server" and (server.parent / "rabbitmq-env").exists()
