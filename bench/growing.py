"""`growth_…`: appending, relaying, looking up a trail and starting the node, with ever longer logs.

The logs are filled by COPY with valid chains, signed heads and tree (bench/filling.py); what a measurement
adds is taken away again before the next fill.
"""

import random
import time
from collections.abc import Callable, Iterator

from psycopg.rows import dict_row

from bench import clients, filling, lives
from bench.figures import Figure
from bench.footprint import starts
from bench.publishing import bind
from bench.stage import Stage
from bench.waiting import number, pace
from services.audit import trails
from shared.contracts import SERVICES

_FLAT = 0.2
_LOOKUPS = 200
_MARK = """
CREATE TABLE bench_mark AS
    SELECT *, (SELECT command_id FROM commands ORDER BY command_id DESC LIMIT 1) AS newest FROM relay
"""
_TRIM = """
DELETE FROM events WHERE (xid, seq) > (SELECT xid, seq FROM bench_mark);
DELETE FROM log WHERE position > (SELECT position FROM bench_mark);
DELETE FROM heads WHERE position > (SELECT position FROM bench_mark);
UPDATE relay SET (xid, seq, position, hash, published)
    = (SELECT xid, seq, position, hash, published FROM bench_mark);
DELETE FROM commands WHERE command_id > (SELECT newest FROM bench_mark);
DELETE FROM claims;
DROP TABLE bench_mark;
"""


def figures(stage: Stage) -> Iterator[Figure]:
    stage.fresh()
    _install(stage)
    first: dict[str, list[float]] = {}
    size = 0
    for wanted in stage.plan.sizes:
        began = time.monotonic()
        _fill(stage, size, wanted - size)
        filled, size = time.monotonic() - began, wanted
        name = _spoken(size)
        for what, unit, values in _measured(stage, size):
            before = first.setdefault(what, values)
            at_most = unit != "events/s" and unit != "commands/s"
            note = f"filled in {filled:.0f} s" if what == "append" else ""
            base = f"at {_spoken(stage.plan.sizes[0])}"
            aim = 1 + _FLAT if at_most else 1 - _FLAT
            if before is values:
                yield Figure(f"growth_{what}_{name}", unit, values, at_most=at_most, note=note)
            else:
                yield Figure(f"growth_{what}_{name}", unit, values, base, before, aim, at_most, note)
            if what == "start" and size == 1_000_000:
                yield Figure("start_node_1m", "s", values, at_most=True, note="as growth_start_1m")


def _measured(stage: Stage, size: int) -> Iterator[tuple[str, str, list[float]]]:
    yield "start", "s", starts(stage)
    yield "trail", "ms", _trails(stage, size)
    append, relay = [], []
    with stage.admin("registration") as connection:
        connection.execute(_MARK)
    for _ in range(stage.plan.rounds):
        append.append(stage.rate("bench.commands:submitting", 8, dsn=stage.dsn("registration")))
        relay.append(_relayed(stage))
    with stage.admin("registration") as connection:
        connection.execute(_TRIM)  # type: ignore[arg-type]
        connection.execute("VACUUM ANALYZE")
    yield "append", "commands/s", append
    yield "relay", "events/s", relay


def _fill(stage: Stage, first: int, count: int) -> None:
    """The sources' log and the audit log of the same events, at the same time."""
    secrets = str(stage.cluster.settings.secrets / "sources")
    jobs = [
        {
            "work": "bench.filling:source",
            "times": 1,
            "arguments": {
                "dsn": stage.dsn("registration", "admin"),
                "secrets": secrets,
                "first": first,
                "count": count,
            },
        },
        {
            "work": "bench.filling:audit",
            "times": 1,
            "arguments": {"dsn": stage.dsn("audit", "admin"), "first": first, "count": count},
        },
    ]
    with clients.together(*jobs) as running:
        for client in running:
            client.heard()
    filling.caught_up(stage, *SERVICES)
    for service in ("registration", "audit"):
        with stage.admin(service) as connection:
            connection.execute("VACUUM ANALYZE")
    stage.settle()


def _install(stage: Stage) -> None:
    clients.once("bench.rebuilding:installing", dsn=stage.dsn("registration"))


def _trails(stage: Stage, size: int) -> list[float]:
    """Milliseconds for the trail of a candidate, the median of many candidates of the whole log."""
    people = size // (lives.PEOPLE * lives.STEPS) * lives.PEOPLE  # of the batches that are complete
    found = []
    for place in range(stage.plan.rounds):
        heard = clients.once("bench.growing:looking", dsn=stage.dsn("audit"), people=people, seed=place)
        found.append(heard["said"])
    return found


def looking(dsn: str, people: int, seed: int) -> Callable[[], float]:
    """Looks up trails, without what their rows may hide, on one connection."""
    import psycopg

    chance = random.Random(seed)
    connection = psycopg.connect(dsn, autocommit=True)

    def look() -> float:
        took = []
        with connection.cursor(row_factory=dict_row) as rows:
            for place in range(_LOOKUPS + 20):
                candidate = lives.id_of("candidate", chance.randrange(people))
                began = time.perf_counter()
                steps = trails.trail(rows, "candidate", candidate)
                if place >= 20:  # after some, the statement is prepared
                    took.append(time.perf_counter() - began)
                if not steps:
                    raise LookupError(candidate)
        return sorted(took)[len(took) // 2] * 1000

    return look


def _relayed(stage: Stage) -> float:
    """What the appending has left is sealed and published."""
    with stage.bus() as bus:
        bind(bus, "audit")
        with stage.processes(bus) as processes, stage.admin("registration") as connection:
            before = number(connection, "SELECT published FROM relay")
            waiting = number(
                connection,
                "SELECT count(*) FROM events, relay WHERE (events.xid, events.seq) > (relay.xid, relay.seq)",
            )
            processes.run("relay", "registration", ready=False)
            return pace(
                lambda: number(connection, "SELECT published FROM relay") - before, waiting, "it publishes"
            )


def _spoken(size: int) -> str:
    return f"{size // 1_000_000}m" if size >= 1_000_000 else f"{size // 1000}k"
