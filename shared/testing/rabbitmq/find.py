"""Find a RabbitMQ to run: on this machine, through apt, or unpacked into a folder of our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .edition import Edition, Machine, newest
from .errors import RabbitmqIsMissing
from .unpack import unpacked

DEFAULT_CACHE = Path(__file__).parents[3] / "var" / "cache" / "rabbitmq"

# Installing the package must not start its service: apt asks nothing, and
# neither sysvinit nor systemd considers this a moment to start anything.
QUIETLY = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1", "SYSTEMD_OFFLINE": "1"}

APT = ["apt-get", "-o", "DPkg::Lock::Timeout=120"]


def find(machine: Machine | None = None, cache: Path = DEFAULT_CACHE) -> Edition:
    """The first RabbitMQ of: this machine, its package (when root), its package unpacked below `cache`.

    Raises RabbitmqIsMissing when none of the three can be had.
    """
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
    install = [*APT, "install", "-y", "--no-install-recommends", "rabbitmq-server"]
    if machine.run(install, QUIETLY) is None:
        machine.run([*APT, "update"], QUIETLY)
        machine.run(install, QUIETLY)
    return on_machine(machine)


def _servers(machine: Machine) -> Iterator[Path]:
    on_path = machine.which("rabbitmq-server")
    candidates = [*([on_path] if on_path else []), *newest(machine.root)]
    return filter(_is_real, candidates)


def _is_real(server: Path) -> bool:
    # The packages put a wrapper in front which insists on the user rabbitmq;
    # only the script that lies beside rabbitmq-env runs as whoever calls it.
    return server.name == "rabbitmq-server" and (server.parent / "rabbitmq-env").exists()
