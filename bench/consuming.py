"""`consume`, `audit`: from RabbitMQ into a projection and into the audit log, exactly once, by real services.

The service stands still while its queue is filled, so that nothing but its own pace is measured.
"""

import os
import signal
from collections.abc import Callable, Iterator

from bench import clients, lives
from bench.figures import Figure
from bench.publishing import bind
from bench.stage import Stage
from bench.waiting import number, pace, until
from shared.testing.processes import Processes

_APPLIED = "SELECT coalesce(min(position), 0) FROM checkpoints WHERE source = %s"


def figures(stage: Stage) -> Iterator[Figure]:
    count = min(stage.plan.events // 5, 50_000)
    a, b = [], []
    for _ in range(stage.plan.rounds):
        a.append(consumed(stage, "registration", count))
        b.append(consumed(stage, "audit", count))
    note = (
        f"{count} events by `jianding serve registration`: policies and projection, 7 events an application"
    )
    yield Figure("consume", "events/s", a, aim=10_000, note=note)
    yield Figure("audit", "events/s", b, aim=10_000, note=f"{count} events by `jianding serve audit`")


def consumed(
    stage: Stage,
    service: str,
    count: int,
    beside: Callable[[Processes], None] = lambda _: None,
    then: Callable[[], None] = lambda: None,
) -> float:
    """Events a second out of a full queue. `beside`: starts who works meanwhile; `then`: waits for them."""
    stage.fresh("registration", "audit")
    with (
        stage.bus() as bus,
        # nobody answers for the source whose events fill the queue: they are not asked for a second time
        stage.processes(bus, catch_up_seconds=3600) as processes,
        stage.admin(service) as connection,
    ):
        consumer = processes.run("serve", service)
        # its first question to the sources is answered (by nobody, but for registration itself) and over
        until(lambda: number(connection, "SELECT count(*) FROM checkpoints") > 0, "the consumer asks")
        bind(bus, service)
        os.kill(consumer.id, signal.SIGSTOP)
        _publish(stage, bus, count)
        beside(processes)
        os.kill(consumer.id, signal.SIGCONT)
        found = pace(lambda: number(connection, _APPLIED, lives.SOURCE), count, f"{service} consumes")
        then()
        _check(stage, service, count)
    return found


def _publish(stage: Stage, bus: str, count: int) -> None:
    path = stage.folder / "bodies"
    with path.open("wb") as file:
        for _, entry in zip(range(count), lives.entries(), strict=False):
            file.write(entry.sealed + b"\n")
    clients.once("bench.peers.window:publishing", url=bus, path=str(path))
    stage.settle()


def _check(stage: Stage, service: str, count: int) -> None:
    """Every event has had its effect, and no event twice."""
    with stage.admin(service) as connection:
        if service == "audit":
            done = number(connection, "SELECT count(*) FROM entries"), count
        else:
            submitted = sum(number // lives.PEOPLE % lives.STEPS == 1 for number in range(count))
            done = number(connection, "SELECT count(*) FROM register_1.applications"), submitted
        parked = number(connection, "SELECT count(*) FROM parked")
    if done[0] != done[1] or parked:
        raise RuntimeError(f"{service}: {done[0]} effects instead of {done[1]}, {parked} parked")
