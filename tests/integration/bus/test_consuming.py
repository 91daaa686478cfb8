"""Consuming: every effect once, whatever dies between delivery and acknowledgement."""

import pytest

from shared.kernel.ids import new_id
from shared.testing.processes import KILLED, Processes
from shared.testing.rabbitmq import Broker
from tests.integration.bus.ledger import SOURCE, Ledger
from tests.integration.bus.queues import Queues, await_empty

AUDITS = "audit.from.registration"
IN_THE_WAY = (
    "INSERT INTO entries (index, source, position, event_id, type, actor, role, received_at, leaf)"
    " VALUES (1000000, %s, %s, %s, 'Nothing', 'nobody', 'nobody', now(), '')"
)


def test_a_poison_event_is_parked_with_the_rest_of_its_stream_and_nothing_else_waits(
    broker: Broker, queues: Queues, ledger: Ledger, processes: Processes
) -> None:
    ledger.audit.execute(IN_THE_WAY, (SOURCE, 2, new_id()))
    audit = processes.run("serve", "audit")
    processes.run("relay", "registration")
    poisoned, other = ledger.trained(3), ledger.trained(2)
    ledger.await_audited(5)
    await_empty(broker, queues, AUDITS)
    assert [(stream, position) for stream, position, _ in ledger.parked()] == [(poisoned, 2), (poisoned, 3)]
    ledger.trained(1, poisoned)
    ledger.trained(1, other)
    ledger.await_audited(7)
    await_empty(broker, queues, AUDITS)
    log = ledger.log()
    assert ledger.entries()[:-1] == [log[position - 1] for position in (1, 4, 5, 7)]
    assert [position for _, position, _ in ledger.parked()] == [2, 3, 6]
    assert "UniqueViolation" in ledger.parked()[0][2]
    told = ledger.audit.execute("SELECT source, first_position FROM findings WHERE kind = 'unrecordable'")
    assert told.fetchall() == [(SOURCE, 2)]
    assert audit.running


# `apply`: before its effect is committed; `ack`: after it, before the broker knows; `acked`: after that
@pytest.mark.parametrize("place", ["apply", "applied", "ack", "acked"])
def test_a_consumer_killed_around_its_acknowledgement_has_every_event_once(
    place: str, broker: Broker, queues: Queues, ledger: Ledger, processes: Processes
) -> None:
    dying = processes.run("serve", "audit", fault=f"{place}:1")
    processes.run("relay", "registration")
    ledger.trained(50)
    assert dying.wait() == KILLED
    ledger.trained(50)
    processes.run("serve", "audit")
    ledger.await_audited(100)
    await_empty(broker, queues, AUDITS)
    assert ledger.entries() == ledger.log()
    assert ledger.parked() == []


def test_connections_closed_by_force_during_consumption_cost_nothing(
    broker: Broker, queues: Queues, ledger: Ledger, processes: Processes
) -> None:
    audit = processes.run("serve", "audit")
    processes.run("relay", "registration")
    for _ in range(3):
        ledger.trained(500)
        before = ledger.audited()
        ledger.await_audited(before + 1)
        broker.close_connections(queues.virtual_host)
    ledger.await_audited(1500)
    await_empty(broker, queues, AUDITS)
    assert ledger.entries() == ledger.log()
    assert (ledger.parked(), ledger.rejected()) == ([], [])
    assert audit.running
