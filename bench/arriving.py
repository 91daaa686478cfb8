"""`e2e_…`: milliseconds from a command's commit to its event in the audit log, at a fixed rate of commands.

Commands come by the clock whether earlier ones are done or not. The audit log is looked at every few
milliseconds, and an event counts as visible from the look that found it: the pause is part of the figure.
"""

import json
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg

from bench import clients
from bench.commands import submitting
from bench.figures import Figure, percentile
from bench.stage import Stage
from bench.waiting import TooSlow, number, until

RATES = {200: 150.0, 1000: 400.0}
_DRIVERS = 2  # client processes that share the rate
_LOOK = 0.003
_KEPT_UP = 0.98  # of the rate, or the delays are those of another one
LONG = 30.0  # seconds without any event after which nothing will come
_VISIBLE = "SELECT coalesce(max(size), 0) FROM tree_heads"


def figures(stage: Stage) -> Iterator[Figure]:
    for rate, aim in RATES.items():
        middle, late, reached = [], [], []
        for _ in range(stage.plan.rounds):
            delays, seconds = measured(stage, rate, stage.plan.steady)
            middle.append(percentile(delays, 0.5))
            late.append(percentile(delays, 0.99))
            reached.append(len(delays) / seconds)
        if min(reached) < _KEPT_UP * rate:
            raise TooSlow(f"{min(reached):.0f} commands/s were accepted instead of {rate}")
        said = (
            f"{min(reached):.0f} commands/s were accepted, by executors in two client processes, over"
            f" {stage.plan.steady:.0f} s; registration's relay and audit's service ran, and nothing else"
        )
        yield Figure(f"e2e_{rate}_p50", "ms", middle, at_most=True, note=said)
        yield Figure(f"e2e_{rate}_p99", "ms", late, aim=aim, at_most=True, note=said)


def measured(stage: Stage, rate: int, seconds: float) -> tuple[list[float], float]:
    """The delay of every command in ms, and how long it took to have all of them accepted."""
    stage.fresh("registration", "audit")
    with stage.bus() as bus, stage.processes(bus) as processes:
        processes.run("serve", "audit")
        processes.run("relay", "registration")
        with stage.admin("audit") as connection:
            until(lambda: number(connection, "SELECT count(*) FROM checkpoints") > 0, "audit asks")
        return driven(stage, rate, seconds)


def driven(stage: Stage, rate: int, seconds: float) -> tuple[list[float], float]:
    """The same, where the processes run already."""
    count = int(rate * seconds) // _DRIVERS  # by each
    paths = [str(stage.folder / f"accepted-{place}") for place in range(_DRIVERS)]
    arguments = {"dsn": stage.dsn("registration"), "rate": rate / _DRIVERS, "count": count}
    seen = str(stage.folder / "seen")
    watch = {"dsn": stage.dsn("audit"), "path": seen, "until": (count + 1) * _DRIVERS}  # one to warm up
    jobs = [
        {"work": "bench.arriving:watching", "times": 1, "arguments": watch},
        *(
            {"work": "bench.arriving:driving", "times": 1, "arguments": {**arguments, "number": n, "path": p}}
            for n, p in enumerate(paths)
        ),
    ]
    with clients.together(*jobs) as running:
        took = [client.heard()["seconds"] for client in running]
    accepted: dict[str, float] = {}
    for path in paths:
        accepted |= json.loads(Path(path).read_text())
    return _delays(stage, accepted, json.loads(Path(seen).read_text())), max(took[1:])


def driving(dsn: str, number: int, rate: float, count: int, path: str) -> Callable[[], None]:
    """Submits at its times, behind schedule as fast as it can; notes when each event was committed."""
    submit = submitting(dsn, number)

    def drive() -> None:
        accepted, began = {}, time.monotonic()
        for place in range(count):
            if (early := began + place / rate - time.monotonic()) > 0:
                time.sleep(early)
            answer = submit()
            accepted[answer["events"][0]["id"]] = time.monotonic()
        Path(path).write_text(json.dumps(accepted))

    return drive


def watching(dsn: str, path: str, until: int) -> Callable[[], None]:
    """Notes the size of the audit log whenever it has grown: `[[size, time], ...]`."""
    connection = psycopg.connect(dsn, autocommit=True)
    connection.prepare_threshold = 0

    def watch() -> None:
        seen: list[tuple[int, float]] = [(0, 0.0)]
        while seen[-1][0] < until:
            row: Any = connection.execute(_VISIBLE).fetchone()
            if row[0] > seen[-1][0]:
                seen.append((row[0], time.monotonic()))
            elif seen[-1][1] and time.monotonic() - seen[-1][1] > LONG:
                raise TooSlow(f"{seen[-1][0]} of {until} events are in the audit log")
            time.sleep(_LOOK)
        Path(path).write_text(json.dumps(seen))

    return watch


def _delays(stage: Stage, accepted: dict[str, float], seen: list[tuple[int, float]]) -> list[float]:
    with stage.admin("audit") as connection:
        order = [row[0] for row in connection.execute("SELECT event_id::text FROM entries ORDER BY index")]
    delays = []
    for (before, _), (size, moment) in pairwise(seen):
        # the drivers' first commands, by which they warmed up, are not among the accepted
        delays += [(moment - accepted[id]) * 1000 for id in order[before:size] if id in accepted]
    return delays
