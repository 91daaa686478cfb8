"""`python -m bench [--quick] [--only GROUP ...]`: measures, shows a table, keeps the results.

At full size, what it finds goes into `bench/results/<date>.json`, beside what else was measured that day. The
last line of standard output is all of this run as one JSON object.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from rich.console import Console

import shared
from bench import machine, results
from bench.figures import Figure, report
from bench.stage import FULL, QUICK, Stage
from bench.table import show
from shared.testing.processes import PROJECT

GROUPS = (
    "appending", "deciding", "publishing", "consuming", "rebuilding", "calling", "door", "lists", "arriving",
    "footprint", "auditing", "growing",
)  # fmt: skip
_console = Console(stderr=True)
assert shared  # imported before psycopg, whose way of waiting it chooses


def main() -> None:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server is left behind
    stage = Stage(_folder(), QUICK if arguments.quick else FULL)
    try:
        groups = dict(_measured(stage, arguments.only or GROUPS))
        about = machine.about(stage.postgresql, stage.rabbitmq)
    finally:
        stage.close()
    size, day = "quick" if arguments.quick else "full", f"{datetime.now(UTC):%F}"
    measured = {group: at for group, (at, _) in groups.items()}
    found = report(
        {group: figures for group, (_, figures) in groups.items()},
        {"size": size, "at": day, "measured": measured, **about},
    )
    show(_console, [figure for _, figures in groups.values() for figure in figures])
    if not arguments.quick:
        results.keep(found, day)
    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short looks at small logs")
    parser.add_argument("--only", nargs="+", choices=GROUPS, metavar="GROUP", help=", ".join(GROUPS))
    return parser.parse_args()


def _folder() -> Path:
    """On the disk where the product keeps its data: a temporary folder may be memory, where fsync is free."""
    above = PROJECT / "var"
    above.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"bench-{os.getpid()}-", dir=above))


def _measured(stage: Stage, groups: Iterable[str]) -> Iterator[tuple[str, tuple[str, list[Figure]]]]:
    """Each group with the time of its beginning and its figures."""
    for group in groups:
        began, at, found = time.monotonic(), f"{datetime.now(UTC):%FT%H:%MZ}", []
        for figure in import_module(f"bench.{group}").figures(stage):
            _console.print(f"{figure.name:32}{figure.value:>12.4g} {figure.unit}", highlight=False)
            found.append(figure)
        _console.print(f"[dim]{group} took {time.monotonic() - began:.0f} s[/dim]")
        yield group, (at, found)


if __name__ == "__main__":
    main()
