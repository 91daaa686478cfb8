"""RabbitMQ without root: Debian's own packages, fetched through apt and unpacked into a folder."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from pathlib import Path

from .edition import Edition, Machine, newest

# The rest of the package's dependencies serve its service, not the node.
NEEDED = re.compile(r"^Inst ((?:erlang-|rabbitmq-server|lib)\S*)", re.MULTILINE)

OF_ERLANG = re.compile(r"^(?:Package|Depends|Pre-Depends): .*\b(?:erlang|rabbitmq-server)", re.MULTILINE)


def unpacked(machine: Machine, cache: Path) -> Edition | None:
    """RabbitMQ and Erlang below `cache`, fetched once and found again by every later run.

    Needs apt-get, dpkg and the machine's configured sources; its lists may be absent.
    """
    root = cache / "root"
    if not root.exists():
        _fill(machine, root)
    return _edition(root)


def _edition(root: Path) -> Edition | None:
    server = next(iter(newest(root)), None)
    libraries = tuple(folder for folder in root.glob("usr/lib/*-linux-*") if folder.is_dir())
    return Edition(server.parent, root / "usr/lib/erlang/bin", libraries) if server else None


def _fill(machine: Machine, root: Path) -> None:
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent, prefix="fetch-") as name:
        fetched = _fetch(machine, Path(name))
        if fetched and _unpack(machine, fetched, Path(name) / "root"):
            # Whoever fetched at the same time and came first is as good as we are.
            with contextlib.suppress(OSError):
                (Path(name) / "root").rename(root)


def _fetch(machine: Machine, work: Path) -> list[Path]:
    """The package files, by the machine's lists if they will do, else by lists of our own."""
    for folder in ("lists/partial", "archives/partial"):
        (work / folder).mkdir(parents=True)
    status = _status(machine, work)
    apt = _apt(work, status)
    fetched = _download(machine, apt, work)
    if not fetched:
        own = [*apt, "-o", f"Dir::State::lists={work}/lists"]
        machine.run([*own, "update"])
        fetched = _download(machine, own, work)
    return fetched


def _status(machine: Machine, work: Path) -> Path:
    """What apt shall believe to be installed: everything but Erlang and what stands on it."""
    status = machine.root / "var/lib/dpkg/status"
    stanzas = status.read_text(encoding="utf-8", errors="replace").split("\n\n") if status.exists() else []
    own = work / "status"
    own.write_text(
        "\n\n".join(stanza for stanza in stanzas if not OF_ERLANG.search(stanza)), encoding="utf-8"
    )
    return own


def _apt(work: Path, status: Path) -> list[str]:
    options = {
        "Dir::State::status": status,
        "Dir::State::extended_states": work / "extended_states",
        "Dir::Cache": work,
        "Dir::Cache::archives": work / "archives",
        "Dir::Log": work,
        "APT::Sandbox::User": "",
    }
    return ["apt-get", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]


def _download(machine: Machine, apt: list[str], work: Path) -> list[Path]:
    plan = machine.run([*apt, "install", "--simulate", "--no-install-recommends", "rabbitmq-server"])
    names = NEEDED.findall(plan or "")
    if not names or machine.run([*apt, "download", *names], folder=work / "archives") is None:
        return []
    return sorted((work / "archives").glob("*.deb"))


def _unpack(machine: Machine, packages: list[Path], root: Path) -> bool:
    if any(machine.run(["dpkg", "-x", str(package), str(root)]) is None for package in packages):
        return False
    shutil.rmtree(root / "usr/share", ignore_errors=True)
    _relocate(root / "usr/lib/erlang")
    return True


def _relocate(erlang: Path) -> None:
    """Debian's `erl` knows only /usr/lib/erlang: let it start from where it lies."""
    for erl in (*erlang.glob("bin/erl"), *erlang.glob("erts-*/bin/erl")):
        up = "/".join(".." for _ in erl.relative_to(erlang).parts[:-1])
        moved = erl.read_text(encoding="utf-8").replace(
            "ROOTDIR=/usr/lib/erlang", f'ROOTDIR=$(cd "$progdir/{up}" && pwd)'
        )
        erl.write_text(moved, encoding="utf-8")
