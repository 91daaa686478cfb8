"""Each program's own account: enough for its work in whatever order they start, and not for another's."""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from random import Random
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker, ProbableAuthenticationError

from shared.bus.rights import ACCOUNTS, ADMINISTRATOR, definitions
from shared.contracts import SERVICES, SOURCES
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.runtime.demo.people import fictional
from shared.testing.calls import calling
from shared.testing.processes import Processes
from shared.testing.rabbitmq import Broker
from tests.integration.bus.ledger import Ledger
from tests.integration.bus.queues import Queues

CLERK = Actor(new_id(), Role.EXAM_AFFAIRS, "station-10012003")
STARTED = (("relay", "registration"), ("serve", "registration"), ("serve", "audit"))
PROGRAMS = [account for account in ACCOUNTS if account != ADMINISTRATOR]
RELAYS = {f"{source}-relay": source for source in SOURCES}

STRANGER = """
import eventlet; eventlet.monkey_patch()
import os
from nameko.events import event_handler
from nameko.runners import ServiceRunner

class Library:
    name = "library"

    @event_handler("registration", "PersonEnrolled")
    def note(self, event):
        print("heard of", event["type"], flush=True)

runner = ServiceRunner({"AMQP_URI": os.environ["JIANDING_AMQP_URL"], "DECLARE_EVENT_EXCHANGES": False})
runner.add_service(Library)
runner.start()
print("listens", flush=True)
runner.wait()
"""

each_account = pytest.mark.parametrize("account", PROGRAMS)


@pytest.fixture
def url(broker: Broker, queues: Queues, bus: str) -> Iterator[Callable[[str], str]]:
    """How an account connects to this test's virtual host."""
    passwords = {account: token_hex(16) for account in PROGRAMS}
    broker.management.request("POST", "definitions", body=definitions(passwords, queues.virtual_host))
    parts = urlsplit(bus)
    place = parts.netloc.rpartition("@")[2]
    yield lambda account: parts._replace(netloc=f"{account}:{passwords[account]}@{place}").geturl()
    for account in passwords:
        broker.management.request("DELETE", "users", account)


# --- enough


@pytest.mark.parametrize("order", [STARTED, STARTED[::-1]], ids=["the relay first", "audit first"])
def test_what_was_commanded_reaches_audit_over_the_bus_and_over_the_feed_in_whatever_order_all_start(
    order: Any, url: Callable[[str], str], processes: Processes, ledger: Ledger
) -> None:
    missed, heard = fictional(2, Random(7), new_id)
    running, enrolled = [], 1
    with calling(url("caller"), CLERK) as ask:
        for command, service in order:
            if service == "audit" and running:  # it was never told of this one, and will ask the feed
                ask("registration", "enrol_person", command_id=new_id(), **missed.enrolment())
                ledger.await_published(1)
                enrolled += 1
            account = f"{service}-relay" if command == "relay" else service
            running.append(processes.run(command, service, amqp_url=url(account)))
        ask("registration", "enrol_person", command_id=new_id(), **heard.enrolment())
    ledger.await_audited(enrolled)
    assert ledger.entries() == ledger.log()
    for process in running:
        assert not process.said("ACCESS_REFUSED")
        assert not process.said("Traceback")


def test_a_plain_nameko_program_hears_events_with_the_subscribers_account(
    url: Callable[[str], str], processes: Processes, tmp_path: Path
) -> None:
    (tmp_path / "library.py").write_text(STRANGER)
    processes.run("serve", "registration", amqp_url=url("registration"))
    library = processes.program(tmp_path / "library.py", amqp_url=url("subscriber"))
    library.await_line("listens")
    processes.run("relay", "registration", amqp_url=url("registration-relay"))
    with calling(url("caller"), CLERK) as ask:
        (person,) = fictional(1, Random(7), new_id)
        ask("registration", "enrol_person", command_id=new_id(), **person.enrolment())
    library.await_line("heard of PersonEnrolled")


# --- and no more

EVENTS = {f"{source}.events" for source in SOURCES}
EXCHANGES = EVENTS | {"", "amq.topic", "foreign", "nameko-rpc"}
REPLIES = {
    account: f"rpc.reply-{account}-{uuid4()}" for account in (*SERVICES, "standalone_rpc_proxy", "gateway")
}
OWN_QUEUES = {
    **{relay: set() for relay in RELAYS},
    **{
        service: {f"rpc-{service}", REPLIES[service], *(f"{service}.from.{source}" for source in SOURCES)}
        for service in SERVICES
    },
    "subscriber": {"subscriber.archive", "evt-registration-PersonEnrolled--library.note"},
    "caller": {REPLIES["standalone_rpc_proxy"]},
    "gateway": {REPLIES["gateway"]},
}
# names that contain what somebody is allowed
FOREIGN = {"foreign", "x.rpc-audit", "rpc-audit.x", "auditxfrom.scoring", "my.subscriber.archive"}
QUEUES = FOREIGN.union(*OWN_QUEUES.values())


class Tries:
    """What an account may do, found out by doing it."""

    def __init__(self, connection: pika.BlockingConnection) -> None:
        self._connection = connection

    def publishes(self, exchange: str, key: str = "registration.events_after") -> bool:
        return self._may(lambda channel: channel.basic_publish(exchange, key, b"{}"))

    def takes(self, queue: str) -> bool:
        return self._may(lambda channel: channel.basic_get(queue, auto_ack=True))

    def declares(self, queue: str) -> bool:
        return self._may(lambda channel: channel.queue_declare(queue, durable=True))

    def makes(self, exchange: str) -> bool:
        return self._may(lambda channel: channel.exchange_declare(exchange, "topic", durable=True))

    def binds(self, queue: str, exchange: str, key: str) -> bool:
        return self._may(lambda channel: channel.queue_bind(queue, exchange, key))

    def joins(self, destination: str, source: str) -> bool:
        return self._may(lambda channel: channel.exchange_bind(destination, source, "#"))

    def _may(self, act: Callable[[Any], Any]) -> bool:
        channel = self._connection.channel()
        channel.confirm_delivery()
        try:
            act(channel)
        except ChannelClosedByBroker as refusal:
            if not refusal.reply_text.startswith("ACCESS_REFUSED"):
                raise
            return False
        channel.close()
        return True


@pytest.fixture
def tries(bus: str, url: Callable[[str], str], account: str) -> Iterator[Tries]:
    with closing(pika.BlockingConnection(pika.URLParameters(bus))) as administrator:
        channel = administrator.channel()
        for exchange in EXCHANGES - {"", "amq.topic"}:
            channel.exchange_declare(exchange, "topic", durable=True)
        for queue in QUEUES:
            channel.queue_declare(queue, durable=True)
    with closing(pika.BlockingConnection(pika.URLParameters(url(account)))) as connection:
        yield Tries(connection)


@each_account
def test_an_account_publishes_to_its_own_exchange_and_to_no_other(account: str, tries: Tries) -> None:
    expected = {f"{RELAYS[account]}.events"} if account in RELAYS else {"nameko-rpc"}
    if account == "subscriber":
        expected = set()
    assert {exchange for exchange in EXCHANGES if tries.publishes(exchange)} == expected


@each_account
def test_an_account_takes_from_its_own_queues_and_declares_no_others(account: str, tries: Tries) -> None:
    assert {queue for queue in QUEUES if tries.takes(queue)} == OWN_QUEUES[account]
    assert {queue for queue in QUEUES if tries.declares(queue)} == OWN_QUEUES[account]


@each_account
def test_an_account_declares_the_exchanges_that_its_program_does_and_no_others(
    account: str, tries: Tries
) -> None:
    expected = {"nameko-rpc"} | (EVENTS if account in SERVICES else set())
    if account in RELAYS:
        expected = {f"{RELAYS[account]}.events"}
    if account == "subscriber":
        expected = set()
    assert {exchange for exchange in EXCHANGES - {""} if tries.makes(exchange)} == expected


@each_account
def test_an_account_binds_its_own_queues_to_events_and_nothing_to_an_exchange_of_events(
    account: str, tries: Tries
) -> None:
    listens = account in SERVICES or account == "subscriber"
    bound = {(queue, name) for queue, name in product(QUEUES, EVENTS) if tries.binds(queue, name, "#")}
    assert bound == (set(product(OWN_QUEUES[account], EVENTS)) if listens else set())
    assert not [pair for pair in product(EVENTS, EXCHANGES - {""}) if tries.joins(*pair)]


@pytest.mark.parametrize("account", SERVICES)
def test_a_service_hears_its_own_calls_and_makes_none_but_for_feeds(account: str, tries: Tries) -> None:
    own = f"rpc-{account}"
    heard = {f"{service}.*" for service in SERVICES if tries.binds(own, "nameko-rpc", f"{service}.*")}
    assert heard == {f"{account}.*"}
    assert not [key for key in ("#", "*.*", "*") if tries.binds(own, "nameko-rpc", key)]
    assert tries.publishes("nameko-rpc", str(uuid4()))
    assert all(tries.publishes("nameko-rpc", f"{source}.events_after") for source in SOURCES)
    assert not tries.publishes("nameko-rpc", "registration.enrol_person")


@pytest.mark.parametrize("account", ["caller", "gateway"])
def test_a_caller_hears_no_calls(account: str, tries: Tries) -> None:
    (reply,) = OWN_QUEUES[account]
    assert tries.publishes("nameko-rpc", "registration.enrol_person")
    assert tries.binds(reply, "nameko-rpc", str(uuid4()))
    assert not [key for key in ("#", "registration.*") if tries.binds(reply, "nameko-rpc", key)]


def test_an_account_needs_its_password(url: Callable[[str], str]) -> None:
    wrong = urlsplit(url("audit"))
    place = wrong.netloc.replace(f":{wrong.password}@", ":guess@")
    with pytest.raises(ProbableAuthenticationError):
        pika.BlockingConnection(pika.URLParameters(wrong._replace(netloc=place).geturl()))
