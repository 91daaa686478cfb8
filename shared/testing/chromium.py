"""A Chromium to test pages with: this machine's, its package (as root), or the package unpacked."""

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shared.testing.rabbitmq.edition import Machine
from shared.testing.rabbitmq.find import APT, QUIETLY

_CACHE = Path(__file__).parents[2] / "var" / "cache" / "chromium"
_PACKAGES = ("chromium", "fonts-wqy-microhei")  # and letters for Chinese
_PROGRAM = "usr/lib/chromium/chromium"
_NEEDED = re.compile(r"^Inst (\S+)", re.MULTILINE)
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{root}/usr/share/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{root}/fonts</cachedir></fontconfig>
"""


class ChromiumIsMissing(Exception):
    """没有 Chromium，也无法安装；请安装软件包 chromium。

    There is no Chromium here and none can be had; install the package chromium.
    """


@dataclass(frozen=True)
class Chromium:
    """The program, and the environment that it runs in."""

    program: Path
    environment: dict[str, str]


def chromium(machine: Machine | None = None, cache: Path = _CACHE) -> Chromium:
    """The first of the three that can be had; ChromiumIsMissing if none can."""
    machine = machine or Machine()
    found = _here(machine.root) or _installed(machine) or _unpacked(machine, cache)
    if found is None:
        raise ChromiumIsMissing
    return found


def _here(root: Path) -> Chromium | None:
    program = root / _PROGRAM
    return Chromium(program, dict(os.environ)) if program.exists() else None


def _installed(machine: Machine) -> Chromium | None:
    if not machine.superuser:
        return None
    install = [*APT, "install", "-y", "--no-install-recommends", *_PACKAGES]
    if machine.run(install, QUIETLY) is None:
        machine.run([*APT, "update"], QUIETLY)
        machine.run(install, QUIETLY)
    return _here(machine.root)


def _unpacked(machine: Machine, cache: Path) -> Chromium | None:
    """Fetched once with all that this machine lacks for it, and found again by every later run."""
    root = cache / "root"
    if not root.exists():
        _fetch(machine, root)
    return _beside(root) if (root / _PROGRAM).exists() else None


def _fetch(machine: Machine, root: Path) -> None:
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent, prefix="fetch-") as name:
        work = Path(name)
        plan = machine.run(["apt-get", "install", "--simulate", "--no-install-recommends", *_PACKAGES])
        names = _NEEDED.findall(plan or "")
        if not names or machine.run(["apt-get", "download", *names], folder=work) is None:
            return
        for package in sorted(work.glob("*.deb")):
            if machine.run(["dpkg", "-x", str(package), str(work / "root")]) is None:
                return
        shutil.move(work / "root", root)


def _beside(root: Path) -> Chromium:
    libraries = [str(folder) for folder in root.glob("usr/lib/*-linux-*") if folder.is_dir()]
    fonts = root / "fonts.conf"
    fonts.write_text(_FONTS.format(root=root), encoding="utf-8")
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries), "FONTCONFIG_FILE": str(fonts)}
    return Chromium(root / _PROGRAM, environment)
