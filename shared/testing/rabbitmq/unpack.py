"""RabbitMQ without root: Debian's own packages, unpacked into a folder."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from shared.testing import debian

from .edition import Edition, Machine, newest

# The rest of the package's dependencies serve its service, not the node.
NEEDED = re.compile("erlang-|rabbitmq-server|lib")

OF_ERLANG = re.compile(r"^(?:Package|Depends|Pre-Depends): .*\b(?:erlang|rabbitmq-server)", re.MULTILINE)


def unpacked(machine: Machine, cache: Path) -> Edition | None:
    """RabbitMQ and Erlang below `cache`, fetched once and found again by every later run.

    Both are taken from the packages, also where one of them is installed: only together do they fit.
    """
    root = cache / "root"
    if not root.exists():
        debian.unpack(
            machine, ["rabbitmq-server"], root, needed=NEEDED, passed_over=OF_ERLANG, finish=_settle
        )
    return _edition(root)


def _edition(root: Path) -> Edition | None:
    server = next(iter(newest(root)), None)
    libraries = tuple(folder for folder in root.glob("usr/lib/*-linux-*") if folder.is_dir())
    return Edition(server.parent, root / "usr/lib/erlang/bin", libraries) if server else None


def _settle(root: Path) -> None:
    shutil.rmtree(root / "usr/share", ignore_errors=True)
    _relocate(root / "usr/lib/erlang")


def _relocate(erlang: Path) -> None:
    """Debian's `erl` knows only /usr/lib/erlang: let it start from where it lies."""
    for erl in (*erlang.glob("bin/erl"), *erlang.glob("erts-*/bin/erl")):
        up = "/".join(".." for _ in erl.relative_to(erlang).parts[:-1])
        moved = erl.read_text(encoding="utf-8").replace(
            "ROOTDIR=/usr/lib/erlang", f'ROOTDIR=$(cd "$progdir/{up}" && pwd)'
        )
        erl.write_text(moved, encoding="utf-8")
