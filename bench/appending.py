"""`append_…`: commands a second through the real executor, beside the library and a bare insert."""

from collections.abc import Iterator

from bench import clients
from bench.figures import Figure
from bench.peers import bare
from bench.stage import Stage

LIBRARY, BARE = "eventsourcing", "bare psycopg insert of event and command result"
TUNED = f"{LIBRARY}, with its database functions"


def figures(stage: Stage) -> Iterator[Figure]:
    stage.fresh("registration")
    ours = stage.dsn("registration")
    clients.once("bench.commands:submitting", dsn=ours, number=0)
    size = event_size(stage, "registration")
    theirs = stage.peer("bench_library")
    clients.once("bench.peers.library:preparing", dsn=theirs)
    least = stage.peer("bench_bare")
    bare.prepare(least)
    for count, of_library in ((8, 4.0), (1, 2.0)):
        a, b, c, d, e = [], [], [], [], []
        for _ in range(stage.plan.rounds):
            a.append(_rate(stage, "bench.commands:submitting", count, dsn=ours))
            b.append(_rate(stage, "bench.peers.library:saving", count, dsn=theirs, size=size))
            e.append(_rate(stage, "bench.peers.library:saving", count, dsn=theirs, size=size, tuned=True))
            c.append(_rate(stage, "bench.peers.bare:inserting", count, dsn=least, size=size))
            d.append(_rate(stage, "bench.peers.bare:inserting_at_once", count, dsn=least, size=size))
        note = f"提交申请 by {count} client processes; an event has {size} bytes"
        yield Figure(f"append_{count}", "commands/s", a, LIBRARY, b, of_library, note=note)
        yield Figure(f"append_{count}_of_tuned", "commands/s", a, TUNED, e)
        yield Figure(f"append_{count}_of_bare", "commands/s", a, BARE, c, 0.6)
        yield Figure(f"append_{count}_of_one_round_trip", "commands/s", a, f"{BARE}, in one statement", d)


def event_size(stage: Stage, service: str) -> int:
    """Bytes of the newest event."""
    with stage.admin(service) as connection:
        row = connection.execute("SELECT length(draft) FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    assert row is not None
    return int(row[0])


def _rate(stage: Stage, work: str, count: int, **arguments: object) -> float:
    stage.settle()
    return clients.rate(work, count, stage.plan.seconds, **arguments)
