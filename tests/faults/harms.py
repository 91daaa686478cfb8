"""What breaks under the processes, and comes back. Each harm is done with when its function returns."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from kombu import Connection

from shared.bus.topology import exchange, queue
from shared.testing.rabbitmq.node import wait_until
from tests.faults import disk
from tests.faults.stage import PROJECTIONS, Stage

Harm = Callable[[Stage, random.Random], None]

_ATTEMPTS = 5  # until whoever applies the poison is one that dies of it
_PAGE = 10  # events that a rebuild applies at once
_REGROW = "tests.faults.regrow"
_SUBSCRIBERS = ("registration", "scheduling", "audit")
_ROLES = (
    "registration_service",
    "registration_relay",
    "scheduling_service",
    "scheduling_relay",
    "audit_service",
    "audit_relay",
    "audit_signer",
)
_TERMINATE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE usename = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_BROKER_NEEDS = 50_000_000  # bytes that it wants free: disk_free_limit of the nodes of tests


class HarmFailed(Exception):
    """Something could not be broken as it should have been."""


def broker_is_killed(stage: Stage, chance: random.Random) -> None:
    stage.broker.write_out()
    stage.broker.kill()
    stage.broker.start(120)


def broker_closes_connections(stage: Stage, chance: random.Random) -> None:
    if not wait_until(lambda: bool(stage.broker.close_connections(stage.name)), 30):
        raise HarmFailed("nobody is connected to the broker")


def broker_memory_alarm(stage: Stage, chance: random.Random) -> None:
    stage.broker.alarm(True)
    _last(1)
    stage.broker.alarm(False)


def broker_disk_alarm(stage: Stage, chance: random.Random) -> None:
    stage.broker.disk_full(True)
    _last(1)
    stage.broker.disk_full(False)


def broker_disk_is_as_full_as_it_allows(stage: Stage, chance: random.Random) -> None:
    """It sees so itself and lets nobody publish. Filled to the last byte, RabbitMQ 3.10 ruins its files."""

    with disk.nearly_full(stage.theatre.brokers_disk, _BROKER_NEEDS // 2):
        if not wait_until(lambda: stage.broker.disk_alarmed, 30):
            raise HarmFailed("the broker goes on with its disk full")
        _last(1)
    if not wait_until(lambda: not stage.broker.disk_alarmed, 30):
        raise HarmFailed("the broker does not see that there is room again")


def database_sessions_are_terminated(stage: Stage, chance: random.Random) -> None:
    role = chance.choice(_ROLES)
    with psycopg.connect(stage.theatre.dsn, autocommit=True) as admin:
        if not wait_until(lambda: bool(admin.execute(_TERMINATE, (role,)).fetchall()), 30):
            raise HarmFailed(f"{role} is not connected to the database")


def database_is_restarted(stage: Stage, chance: random.Random) -> None:
    stage.cluster.postgres.stop("immediate")
    stage.cluster.postgres.start()


def database_disk_is_full(stage: Stage, chance: random.Random) -> None:
    with disk.full(stage.theatre.disk):
        _last(1.5)
    stage.cluster.postgres.start()  # where it needed room for its log, it has ended


def link_is_slow(link: str) -> Harm:
    def harm(stage: Stage, chance: random.Random) -> None:
        with getattr(stage.theatre, f"to_{link}").slow(chance.uniform(0.02, 0.2)):
            _last(1.5)

    return harm


def link_is_cut(link: str) -> Harm:
    def harm(stage: Stage, chance: random.Random) -> None:
        with getattr(stage.theatre, f"to_{link}").cut():
            _last(chance.uniform(0.5, 2.5))

    return harm


def link_is_reset(link: str) -> Harm:
    def harm(stage: Stage, chance: random.Random) -> None:
        if not wait_until(getattr(stage.theatre, f"to_{link}").reset, 30):
            raise HarmFailed(f"nothing goes to the {link}")

    return harm


def an_event_is_returned(stage: Stage, chance: random.Random) -> None:
    """No queue is bound until a relay has met that, and died of it."""
    source, before = chance.choice(_SUBSCRIBERS[:2]), stage.tally.points["return"]
    stage.deck.first(f"relay {source}", "return:1")
    with _unbound(stage, source, _SUBSCRIBERS) as unbind:

        def met() -> bool:
            unbind()  # a subscriber that was started again has bound its queue
            return stage.tally.points["return"] > before

        if not wait_until(met, 90):
            raise HarmFailed(f"nothing that {source} said came back")


def a_queue_misses_events(stage: Stage, chance: random.Random) -> None:
    """One subscriber hears of nothing for a while: the bus loses what others get."""
    with _unbound(stage, chance.choice(_SUBSCRIBERS[:2]), (chance.choice(_SUBSCRIBERS),)):
        _last(1)


def a_process_stands_still(stage: Stage, chance: random.Random) -> None:
    process = chance.choice(stage.keepers).process
    with suppress(ProcessLookupError):
        os.kill(process.id, signal.SIGSTOP)
        _last(2)
        os.kill(process.id, signal.SIGCONT)


def a_process_is_killed(stage: Stage, chance: random.Random) -> None:
    """Whatever it is at."""
    keeper = chance.choice(stage.keepers)
    if not wait_until(lambda: keeper.process.running, 30):
        raise HarmFailed(f"{keeper.program} does not run")
    keeper.kill()


def a_poison_event(stage: Stage, chance: random.Random) -> None:
    """Somebody dies of setting it aside; until it is cured its stream stays parked, and others flow.

    Registration's is cured, with another death at its replay, while clients go on; scheduling's in the end.
    """
    _somebody_dies_of_poison(stage)
    if not wait_until(lambda: bool(stage.parked("registration")), 60):
        raise HarmFailed("no poison is set aside")
    if found := stage.cure_in("registration"):
        raise HarmFailed(f"{found}")


def _somebody_dies_of_poison(stage: Stage) -> None:
    before = stage.tally.points["park"]
    for _ in range(_ATTEMPTS):
        stage.deck.first("serve registration", "park:1")
        if not wait_until(lambda: stage.armed("serve registration", "park:1"), 60):
            raise HarmFailed("nobody waits for poison")
        stage.poison()
        if wait_until(lambda: stage.tally.points["park"] > before, 20):
            return
    raise HarmFailed("nobody died of poison")


def a_rebuild_dies_half_grown(stage: Stage, chance: random.Random) -> None:
    """After its second page; what it has and what it lacks is seen before the next goes on with it."""
    projection = chance.choice(PROJECTIONS)
    if not wait_until(lambda: stage.sealed(projection) > 4 * _PAGE, 60):
        raise HarmFailed(f"too little is in the log for {projection} to grow in pages")
    stage.die("rebuild:2", _REGROW, projection, str(_PAGE))
    if (grown := stage.grown(projection)) != 2 * _PAGE:
        raise HarmFailed(f"{projection} died with {grown} events and not with {2 * _PAGE}")
    stage.operate("rebuild", projection)


def a_rebuild_dies_at_its_switch(stage: Stage, chance: random.Random) -> None:
    projection = chance.choice(PROJECTIONS)
    stage.die("switch:1", _REGROW, projection, str(_PAGE))
    stage.operate("rebuild", projection)


HARMS: dict[str, Harm] = {
    "broker killed and restarted": broker_is_killed,
    "broker connections closed by force": broker_closes_connections,
    "broker memory alarm": broker_memory_alarm,
    "broker disk alarm": broker_disk_alarm,
    "broker disk at its limit": broker_disk_is_as_full_as_it_allows,
    "database backends terminated": database_sessions_are_terminated,
    "database restarted": database_is_restarted,
    "database disk full": database_disk_is_full,
    "link to the broker slow": link_is_slow("broker"),
    "link to the broker cut": link_is_cut("broker"),
    "link to the broker reset": link_is_reset("broker"),
    "link to the database slow": link_is_slow("database"),
    "link to the database cut": link_is_cut("database"),
    "link to the database reset": link_is_reset("database"),
    "event returned by the broker": an_event_is_returned,
    "events lost by the bus": a_queue_misses_events,
    "process stands still": a_process_stands_still,
    "process killed": a_process_is_killed,
    "poison event": a_poison_event,
    "rebuild dies half grown": a_rebuild_dies_half_grown,
    "rebuild dies while it switches": a_rebuild_dies_at_its_switch,
}
NEEDS_A_DISK = {"broker disk at its limit", "database disk full"}
DEATHS = {"rebuild dies half grown", "rebuild dies while it switches"}  # counted as such


def _last(seconds: float) -> None:
    """How long a harm lasts."""
    time.sleep(seconds)


@contextmanager
def _unbound(stage: Stage, source: str, subscribers: tuple[str, ...]) -> Iterator[Callable[[], None]]:
    with Connection(stage.bus) as connection:
        channel = connection.channel()
        queues = [queue(subscriber, source)(channel) for subscriber in subscribers]

        def unbind() -> None:
            for each in queues:
                each.unbind_from(exchange(source), routing_key="#")

        unbind()
        try:
            yield unbind
        finally:
            for each in queues:
                each.bind_to(exchange(source), routing_key="#")
