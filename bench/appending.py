"""`append_…`: commands a second through the real executor, beside the library and a bare insert."""

from collections.abc import Iterator
from functools import partial

from bench import clients
from bench.figures import Figure
from bench.peers import bare
from bench.stage import Stage
from bench.turns import in_turns

LIBRARY = "eventsourcing"
BARE = "bare psycopg insert of event and command result, in one statement"
TRANSACTION = "bare psycopg inserts of event and command result, in one transaction"
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
        saving, inserting = {"dsn": theirs, "size": size}, {"dsn": least, "size": size}
        a, b, tuned, c, d = in_turns(
            stage.plan.rounds,
            partial(stage.rate, "bench.commands:submitting", count, dsn=ours),
            partial(stage.rate, "bench.peers.library:saving", count, **saving),
            partial(stage.rate, "bench.peers.library:saving", count, **saving, tuned=True),
            partial(stage.rate, "bench.peers.bare:inserting_at_once", count, **inserting),
            partial(stage.rate, "bench.peers.bare:inserting", count, **inserting),
        )
        note = f"提交申请 by {count} client processes; an event has {size} bytes"
        yield Figure(f"append_{count}", "commands/s", a, LIBRARY, b, of_library, note=note)
        yield Figure(f"append_{count}_of_tuned", "commands/s", a, TUNED, tuned)
        yield Figure(f"append_{count}_of_bare", "commands/s", a, BARE, c, 0.6)
        yield Figure(f"append_{count}_of_transaction", "commands/s", a, TRANSACTION, d)


def event_size(stage: Stage, service: str) -> int:
    """Bytes of the newest event."""
    with stage.admin(service) as connection:
        row = connection.execute("SELECT length(draft) FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    assert row is not None
    return int(row[0])
