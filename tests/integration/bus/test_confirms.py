"""Publishing: the relay's mark is a prefix of what the broker certainly has, whatever the broker does."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise

import pytest

from shared.bus import rabbit
from shared.bus.relay import Relay
from shared.bus.window import Broken, Window
from shared.runtime import relaying
from shared.testing.postgres import Cluster
from shared.testing.processes import Processes
from shared.testing.rabbitmq import Broker
from shared.testing.rabbitmq.node import wait_until
from tests.integration.bus.ledger import SOON, Ledger
from tests.integration.bus.queues import QUORUM, Queues, memory_alarm

HOLD = """begin {{ok, Queue}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"{host}">>, queue, <<"{queue}">>)),
    ok = sys:{verb}(amqqueue:get_pid(Queue)), true end"""
BLOCKED = """length([blocked || Pid <- rabbit_networking:connections(),
    [{{vhost, <<"{host}">>}}, {{state, blocked}}] <-
        [catch rabbit_networking:connection_info(Pid, [vhost, state])]])"""
CONNECTIONS = """length([open || Pid <- rabbit_networking:connections(),
    [{{vhost, <<"{host}">>}}] <- [catch rabbit_networking:connection_info(Pid, [vhost])]])"""


@contextmanager
def held(broker: Broker, queues: Queues, queue: str) -> Iterator[None]:
    """A quorum queue takes messages and confirms none for the length of a `with`."""
    asked = {"host": queues.virtual_host, "queue": queue}
    broker.evaluate(HOLD.format(verb="suspend", **asked))
    try:
        yield
    finally:
        broker.evaluate(HOLD.format(verb="resume", **asked))


def test_confirms_out_of_order_move_the_prefix_only_when_it_is_whole() -> None:
    window = Window(4)
    for position in (11, 12, 13, 14):
        window.sent(position)
    window.ack(2, multiple=False)
    window.ack(4, multiple=False)
    assert (window.confirmed, window.room()) == (0, 0)
    window.ack(1, multiple=False)
    assert (window.confirmed, window.room()) == (12, 2)
    window.ack(4, multiple=True)
    assert (window.confirmed, window.room()) == (14, 4)


def test_a_confirm_repeated_or_never_asked_for_changes_nothing() -> None:
    window = Window(2)
    window.sent(1)
    window.ack(7, multiple=False)
    window.ack(1, multiple=False)
    window.ack(1, multiple=False)
    window.ack(1, multiple=True)
    assert (window.confirmed, window.room()) == (1, 2)


def test_the_mark_waits_for_the_event_that_a_queue_has_not_confirmed_yet(
    broker: Broker, queues: Queues, ledger: Ledger, processes: Processes
) -> None:
    queues.bind("slow", "PersonEnrolled", **QUORUM)
    queues.bind("swift", "TrainingHeld", **{"x-queue-type": "classic"})
    ledger.enrolled(1)
    processes.run("relay", "registration")
    ledger.await_published(1)
    with held(broker, queues, "slow"):
        ledger.enrolled(1)
        ledger.trained(50)
        assert wait_until(lambda: queues.count("swift") == 50, SOON)
        ledger.await_steps(5)
        assert ledger.published == 1
    ledger.await_published(57)


def test_nothing_is_missing_after_the_connection_was_closed_by_force(
    broker: Broker, queues: Queues, ledger: Ledger, processes: Processes
) -> None:
    queues.bind("all")
    ledger.trained(2000)
    relay = processes.run("relay", "registration", window=20)
    for position in (200, 600):
        ledger.await_published(position)
        broker.close_connections(queues.virtual_host)
        ledger.trained(1)
    ledger.await_published(2002)
    assert relay.said("BrokerGone")
    positions = queues.positions("all")
    first_time = list(dict.fromkeys(positions))
    assert first_time == list(range(1, 2003))
    assert all(after == before + 1 or after <= before for before, after in pairwise(positions))
    assert ledger.published == 2002


def test_under_a_memory_alarm_the_mark_never_passes_what_the_broker_has_and_goes_on_afterwards(
    broker: Broker, queues: Queues, ledger: Ledger, processes: Processes
) -> None:
    queues.bind("all")
    ledger.trained(10)
    relay = processes.run("relay", "registration")
    ledger.await_published(10)
    with memory_alarm(broker):
        ledger.trained(400)
        assert wait_until(lambda: broker.evaluate(BLOCKED.format(host=queues.virtual_host)) == 1, SOON)
        ledger.await_steps(3)
        marked = ledger.published
        assert marked <= max(queues.positions("all"))
    ledger.await_published(413)
    assert queues.positions("all")[-1] == 413
    assert [line.rpartition(": ")[2] for line in relay.said("WARNING")] == [
        "the broker takes nothing for now (low on memory); waiting"
    ]


def test_a_relay_killed_under_an_alarm_had_marked_only_what_the_broker_has(
    broker: Broker, queues: Queues, ledger: Ledger, processes: Processes
) -> None:
    queues.bind("all")
    with memory_alarm(broker):
        ledger.trained(400)
        relay = processes.run("relay", "registration")
        assert wait_until(lambda: broker.evaluate(BLOCKED.format(host=queues.virtual_host)) == 1, SOON)
        ledger.await_steps(3)
        relay.kill()
        assert ledger.published <= len(queues.positions("all"))
    processes.run("relay", "registration")
    ledger.await_published(403)


def test_without_a_bound_queue_the_mark_stays_and_everything_comes_once_one_is_bound(
    queues: Queues, ledger: Ledger, processes: Processes
) -> None:
    ledger.trained(10)
    relay = processes.run("relay", "registration")
    relay.await_line("no queue is bound to registration.events: start its subscribers")
    assert ledger.published == 0
    queues.bind("late")
    ledger.await_published(10)
    assert list(dict.fromkeys(queues.positions("late"))) == list(range(1, 11))
    assert len(relay.said("no queue is bound")) == 1
    assert not relay.said("Traceback")


def test_an_event_that_the_broker_refuses_is_published_again_until_it_is_taken(
    queues: Queues, ledger: Ledger, processes: Processes
) -> None:
    queues.bind("full", **{"x-max-length": 5, "x-overflow": "reject-publish"})
    ledger.trained(20)
    relay = processes.run("relay", "registration")
    relay.await_line("the broker refused a message")
    assert ledger.published <= 5
    queues.delete("full")
    queues.bind("roomy")
    ledger.await_published(20)
    assert set(queues.positions("roomy")) >= set(range(6, 21))


def test_a_channel_that_confirms_nothing_is_given_up_and_a_new_one_publishes_again(
    broker: Broker,
    bus: str,
    queues: Queues,
    databases: Cluster,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rabbit, "_UNCONFIRMED", 0.3)
    queues.bind("slow")
    ledger.trained(1)
    with databases.connect("registration", "relay") as connection, ExitStack() as until_given_up:
        source = relaying.lead(databases.settings, "registration", connection, lambda: False)
        assert source is not None

        def start(outlet: rabbit.RabbitOutlet) -> Callable[[], bool]:
            relay = Relay(source, outlet)

            def step() -> bool:
                if ledger.published == ledger.sealed == 1:
                    until_given_up.enter_context(held(broker, queues, "slow"))
                    ledger.trained(2)
                return relay.step()

            return step

        def published_or_late() -> bool:
            return ledger.published == 3 or time.monotonic() > deadline

        deadline = time.monotonic() + SOON
        with pytest.raises(Broken, match="confirms nothing"):
            rabbit.Session(bus, "registration", 100).run(start, published_or_late)
        assert ledger.published == 1
        until_given_up.close()
        rabbit.Session(bus, "registration", 100).run(start, published_or_late)
    assert set(queues.positions("slow")) == {1, 2, 3}


def test_a_relay_that_begins_again_leaves_no_connection_behind(
    broker: Broker, queues: Queues, ledger: Ledger, processes: Processes
) -> None:
    ledger.trained(1)
    relay = processes.run("relay", "registration", log_level="INFO")
    for attempt in (1, 2, 3):
        assert wait_until(lambda attempt=attempt: len(relay.said("again in")) >= attempt, SOON)
    assert broker.evaluate(CONNECTIONS.format(host=queues.virtual_host)) <= 1
