"""A Chromium to test pages with: this machine's, its package (as root), or the package unpacked."""

import os
from dataclasses import dataclass
from pathlib import Path

from shared.testing import debian
from shared.testing.rabbitmq.edition import Machine
from shared.testing.rabbitmq.find import APT, QUIETLY

_CACHE = Path(__file__).parents[2] / "var" / "cache" / "chromium"
_PACKAGES = ("chromium", "fonts-wqy-microhei")  # and letters for Chinese
_PROGRAM = "usr/lib/chromium/chromium"
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
        debian.unpack(machine, _PACKAGES, root)
    return _beside(root) if (root / _PROGRAM).exists() else None


def _beside(root: Path) -> Chromium:
    fonts = root / "fonts.conf"
    fonts.write_text(_FONTS.format(root=root), encoding="utf-8")
    libraries = ":".join(map(str, _libraries(root)))
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries, "FONTCONFIG_FILE": str(fonts)}
    return Chromium(root / _PROGRAM, environment)


def _libraries(root: Path) -> list[Path]:
    """All folders with any: who keeps some in a folder of its own (PulseAudio) looks for it below /usr."""
    patterns = ("usr/lib/*-linux-*/**/lib*.so*", "lib/*-linux-*/**/lib*.so*")
    found = (file.parent for pattern in patterns for file in root.glob(pattern))
    return sorted(set(found), key=lambda folder: (len(folder.parts), folder))
