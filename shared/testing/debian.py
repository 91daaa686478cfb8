"""Debian's own packages without root: fetched through apt and unpacked into a folder."""

import contextlib
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from shared.testing.rabbitmq.edition import Machine

_PLANNED = re.compile(r"^Inst (\S+)", re.MULTILINE)
_NOTHING = re.compile(r"(?!)")
_EVERYTHING = re.compile("")


def unpack(
    machine: Machine,
    packages: Sequence[str],
    root: Path,
    *,
    needed: re.Pattern[str] = _EVERYTHING,
    passed_over: re.Pattern[str] = _NOTHING,
    finish: Callable[[Path], None] = lambda _: None,
) -> None:
    """Lays `packages`, and what this machine lacks for them, below `root`: all at once, or nothing.

    Of what apt would install, that whose name begins as `needed` is taken. What of dpkg's status matches
    `passed_over` counts as not installed. `finish` is called with the folder before it takes its place.
    Needs apt-get, dpkg and the machine's configured sources; its lists may be absent.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent, prefix="fetch-") as name:
        work, unpacked = Path(name), Path(name) / "root"
        fetched = _fetch(machine, packages, work, needed, passed_over)
        commands = [["dpkg", "-x", str(package), str(unpacked)] for package in fetched]
        if fetched and all(machine.run(command) is not None for command in commands):
            finish(unpacked)
            # Whoever fetched at the same time and came first is as good as we are.
            with contextlib.suppress(OSError):
                unpacked.rename(root)


def _fetch(
    machine: Machine,
    packages: Sequence[str],
    work: Path,
    needed: re.Pattern[str],
    passed_over: re.Pattern[str],
) -> list[Path]:
    """The package files, by the machine's lists if they will do, else by lists of our own."""
    for folder in ("lists/partial", "archives/partial"):
        (work / folder).mkdir(parents=True)
    apt = _apt(work, _status(machine, work, passed_over))
    fetched = _download(machine, apt, packages, work, needed)
    if not fetched:
        own = [*apt, "-o", f"Dir::State::lists={work}/lists"]
        machine.run([*own, "update"])
        fetched = _download(machine, own, packages, work, needed)
    return fetched


def _status(machine: Machine, work: Path, passed_over: re.Pattern[str]) -> Path:
    """What apt shall believe to be installed."""
    status = machine.root / "var/lib/dpkg/status"
    stanzas = status.read_text(encoding="utf-8", errors="replace").split("\n\n") if status.exists() else []
    own = work / "status"
    own.write_text(
        "\n\n".join(stanza for stanza in stanzas if not passed_over.search(stanza)), encoding="utf-8"
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


def _download(
    machine: Machine, apt: list[str], packages: Sequence[str], work: Path, needed: re.Pattern[str]
) -> list[Path]:
    plan = machine.run([*apt, "install", "--simulate", "--no-install-recommends", *packages])
    names = [name for name in _PLANNED.findall(plan or "") if needed.match(name)]
    if not names or machine.run([*apt, "download", *names], folder=work / "archives") is None:
        return []
    return sorted((work / "archives").glob("*.deb"))
