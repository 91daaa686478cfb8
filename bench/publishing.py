"""`publish…`: sealed, and confirmed by RabbitMQ, beside nameko's dispatcher and a bare pika window."""

from collections.abc import Iterator
from functools import partial

from kombu import Connection

from bench import clients, lives
from bench.figures import Figure
from bench.stage import Stage
from bench.turns import in_turns
from bench.waiting import number, until
from shared.bus.topology import queue

_DISPATCHED = 3_000  # enough of the slow one
_SEALED, _PUBLISHED = "SELECT position FROM relay", "SELECT published FROM relay"


def figures(stage: Stage) -> Iterator[Figure]:
    count = min(stage.plan.events // 5, 50_000)
    a, b, c = in_turns(
        stage.plan.rounds,
        partial(_relayed, stage, count),
        partial(_peer, stage, "bench.peers.dispatcher:dispatching", _DISPATCHED),
        partial(_peer, stage, "bench.peers.window:publishing", count),
    )
    note = f"{count} events that are committed, sealed, published and confirmed by one relay process"
    yield Figure("publish", "events/s", a, "nameko EventDispatcher", b, 10.0, note=note)
    yield Figure("publish_of_window", "events/s", a, "bare pika window of 1000 confirms", c, 0.7)


def _relayed(stage: Stage, count: int) -> float:
    stage.fresh("registration")
    clients.once("bench.filling:committed", dsn=stage.dsn("registration", "admin"), first=0, count=count)
    stage.settle()
    with stage.bus() as bus:
        bind(bus, "audit")
        with stage.processes(bus) as processes, stage.admin("registration") as connection:
            processes.run("relay", "registration", ready=False)
            began = until(lambda: number(connection, _SEALED) > 0, "the relay seals", pause=0.002)
            return count / (until(lambda: number(connection, _PUBLISHED) >= count, "it publishes") - began)


def _peer(stage: Stage, work: str, count: int) -> float:
    """Publishes what the relay published, to the same kind of queue."""
    with stage.bus() as bus:
        bind(bus, "audit")
        path = stage.folder / "bodies"
        with path.open("wb") as file:
            for _, entry in zip(range(count), lives.entries(), strict=False):
                file.write(entry.sealed + b"\n")
        stage.settle()
        heard = clients.once(work, url=bus, path=str(path))
    return count / float(heard["seconds"])


def bind(bus: str, *subscribers: str) -> None:
    """Declares the queues that these services read registration's events from."""
    with Connection(bus) as connection:
        for subscriber in subscribers:
            queue(subscriber, "registration")(connection.channel()).declare()
