"""Mutations of a real audit log by the hundred thousand: `python -m tests.tamper --count 100000`.

Each belongs to a class of `--list`. Whether it was detected is what the product's own checks say: the
verification of the database, the signer's re-reading, witnesses, the offline verifier, the policy. What they
have to say is stated before they are asked. The last line of output is a JSON object.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from shared.kernel.ids import new_id
from tests.tamper import runs
from tests.tamper.deeds import KINDS
from tests.tamper.runs import Share, Tally

_OFTEN = 15.0  # seconds after which it tells how far it is
_COUNTED = ("done", "detected", "exact", "ranged", "unknowable")
_SHOWN = 20  # of those that were not detected


def main() -> int:
    asked = _arguments().parse_args()
    if asked.list:
        for each in KINDS.values():
            print(f"{each.name:40} {each.where:9} {each.about}")
        return 0
    print(f"seed {asked.seed}", flush=True)
    began = time.monotonic()
    shares = _shared(asked.seed, _work(asked))
    report = _report(shares, asked.seed, time.monotonic() - began)
    for what in [*_all(shares, "missed"), *(alarm for share in shares for alarm in share.alarms)][:_SHOWN]:
        print(what)
    print(json.dumps(report))
    return 0 if report["detected"] == report["mutations"] and not report["false_alarms"] else 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.tamper", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many mutations")
    parser.add_argument("--seed", default=new_id(), help="the same seed does the same mutations")
    parser.add_argument("--only", action="append", default=[], choices=sorted(KINDS), metavar="CLASS")
    parser.add_argument("--number", type=int, help="with --only: the mutation of this number alone")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="name the classes")
    return parser


def _work(asked: Any) -> list[list[tuple[str, int]]]:
    """For each process what it has to do, in an order in which classes come after one another by chance."""
    if asked.number is not None:
        return [[(name, asked.number) for name in asked.only]]
    numbers = runs.dealt(asked.count, asked.only)
    everything = [(name, number) for name, count in numbers.items() for number in range(count)]
    Random(asked.seed).shuffle(everything)
    return [everything[start :: asked.processes] for start in range(asked.processes)]


def _shared(seed: str, works: list[list[tuple[str, int]]]) -> list[Share]:
    context = get_context("spawn")
    count = context.Value("q", 0)
    with (
        tempfile.TemporaryDirectory(prefix="tamper-") as folder,
        ProcessPoolExecutor(len(works), context, runs.begin, (count,)) as pool,
    ):
        folders = [Path(folder, str(number)) for number in range(len(works))]
        for each in folders:
            each.mkdir()
        shares = [pool.submit(runs.run, seed, *work) for work in zip(works, folders, strict=True)]
        while wait(shares, _OFTEN, FIRST_EXCEPTION).not_done:
            if any(share.done() and share.exception() for share in shares):
                break
            print(f"{count.value} of {sum(map(len, works))} mutations …", file=sys.stderr, flush=True)
        return [share.result() for share in shares]


def _all(shares: list[Share], name: str) -> list[str]:
    return [what for share in shares for tally in share.tallies.values() for what in getattr(tally, name)]


def _report(shares: list[Share], seed: str, seconds: float) -> dict[str, Any]:
    tallies: dict[str, Tally] = {}
    for name in KINDS:
        parts = [share.tallies[name] for share in shares if name in share.tallies]
        if parts:
            numbers = (sum(getattr(part, one) for part in parts) for one in _COUNTED)
            tallies[name] = Tally(*numbers, sum(part.seconds for part in parts))
            tallies[name].different = set[bytes]().union(*(part.different for part in parts))
    untouched = sum((share.untouched for share in shares), Counter[str]())
    return {
        "mutations": sum(each.done for each in tallies.values()),
        "classes": len(tallies),
        "detected": sum(each.detected for each in tallies.values()),
        "false_alarms": sum(len(share.alarms) for share in shares),
        "distinct": sum(len(each.different) for each in tallies.values()),
        "exact": sum(each.exact for each in tallies.values()),
        "ranged": sum(each.ranged for each in tallies.values()),
        "unknowable": sum(each.unknowable for each in tallies.values()),
        "untouched": sum(untouched.values()),
        "seconds": round(seconds, 1),
        "seed": seed,
        "by_class": {
            name: {
                "mutations": each.done,
                "detected": each.detected,
                "distinct": len(each.different),
                "exact": each.exact,
                "ranged": each.ranged,
                "unknowable": each.unknowable,
                "again": KINDS[name].again,
                "seconds": round(each.seconds, 1),
            }
            for name, each in tallies.items()
        },
    }


if __name__ == "__main__":
    sys.exit(main())
