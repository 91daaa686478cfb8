"""`python -m bench [--quick] [--only GROUP ...]`: measures, shows a table, keeps the results.

The last line of standard output is all of it as one JSON object.
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
from bench import machine
from bench.figures import Figure, report
from bench.stage import FULL, QUICK, Stage
from bench.table import show
from shared.testing.processes import PROJECT

GROUPS = (
    "appending", "deciding", "publishing", "consuming", "rebuilding", "calling", "arriving", "footprint",
    "growing",
)  # fmt: skip
_console = Console(stderr=True)
assert shared  # imported before psycopg, whose way of waiting it chooses


def main() -> None:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server is left behind
    stage = Stage(_folder(), QUICK if arguments.quick else FULL)
    try:
        figures = list(_measured(stage, arguments.only or GROUPS))
        about = machine.about(stage.postgresql, stage.rabbitmq)
    finally:
        stage.close()
    now = datetime.now(UTC)
    found = report(figures, {"size": "quick" if arguments.quick else "full", "at": f"{now:%F}", **about})
    show(_console, figures)
    if not arguments.only and not arguments.quick:
        kept = PROJECT / "bench/results" / f"{now:%F}.json"
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
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


def _measured(stage: Stage, groups: Iterable[str]) -> Iterator[Figure]:
    for group in groups:
        began = time.monotonic()
        for figure in import_module(f"bench.{group}").figures(stage):
            _console.print(f"{figure.name:32}{figure.value:>12.4g} {figure.unit}", highlight=False)
            yield figure
        _console.print(f"[dim]{group} took {time.monotonic() - began:.0f} s[/dim]")


if __name__ == "__main__":
    main()
