"""SIGTERM: an end with exit code 0 that leaves nothing half done."""

from shared.contracts import SERVICES, SOURCES
from shared.testing.calls import calling
from shared.testing.postgres import Cluster
from shared.testing.processes import Processes
from tests.integration.bus.ledger import TRAINER, Ledger, training
from tests.integration.bus.queues import Queues

NODE = """
from shared.runtime import hub

hub.patch()
import os
import eventlet
from shared.bus.calls import context
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.runtime.node import Node
from shared.runtime.settings import settings

by = context(Actor(new_id(), Role.TRAINER, "station-10012003"))
supervisor = context(Actor(new_id(), Role.SUPERVISOR, "centre"))

def train(node):
    node.call("registration", "record_training", by, command_id=new_id(), training=new_id(), batch=new_id(),
              station="10012003", occupation="化工分析工", trainees=[new_id()], hours=80)

with Node(settings(), os.environ["JIANDING_DATABASE_URL"]) as node:
    pool = eventlet.GreenPool(8)
    for _ in range(60):
        pool.spawn(train, node)
    pool.waitall()
again = Node(settings(), os.environ["JIANDING_DATABASE_URL"])
again.start()
with eventlet.Timeout(30):
    while again.call("audit", "head", by)["size"] < 60:
        eventlet.sleep(0.05)
print("verified", again.call("audit", "verify", supervisor)["verified"], flush=True)
os._exit(0)
"""


def test_a_relay_told_to_end_has_marked_what_the_next_one_continues(
    ledger: Ledger, processes: Processes
) -> None:
    processes.run("serve", "audit")
    ledger.trained(2000)
    relay = processes.run("relay", "registration", window=50)
    ledger.await_published(100)
    assert relay.stop() == 0
    assert not relay.said("Traceback")
    processes.run("relay", "registration")
    ledger.await_audited(2000)
    assert ledger.entries() == ledger.log()


def test_a_consumer_told_to_end_leaves_whole_batches(ledger: Ledger, processes: Processes) -> None:
    audit = processes.run("serve", "audit")
    processes.run("relay", "registration", window=50)
    ledger.trained(2000)
    ledger.await_audited(1)
    assert audit.stop() == 0
    assert not audit.said("Traceback")
    assert len(ledger.entries()) == ledger.audited()
    processes.run("serve", "audit")
    ledger.await_audited(2000)
    assert ledger.entries() == ledger.log()


def test_a_service_told_to_end_answers_what_it_took_and_leaves_the_rest_to_the_next(
    bus: str, ledger: Ledger, processes: Processes
) -> None:
    processes.run("relay", "registration")
    processes.run("serve", "audit")
    service = processes.run("serve", "registration")
    with calling(bus, TRAINER) as ask:
        asked = [ask("registration", "record_training", later=True, **training()) for _ in range(100)]
        asked[0].result()
        assert service.stop() == 0
        assert not service.said("Traceback")
        processes.run("serve", "registration")
        streams = {each.result()["stream"] for each in asked}
    assert len(streams) == 100
    ledger.await_audited(100)
    assert len(ledger.log()) == 100


def test_a_consumer_told_to_end_neither_waits_for_a_source_that_does_not_answer_nor_asks_more(
    queues: Queues, processes: Processes
) -> None:
    for source in SOURCES:
        queues.silence(source)
    audit = processes.run("serve", "audit", log_level="INFO")
    audit.await_line("NoAnswer")
    assert audit.stop() == 0
    assert len(audit.said("NoAnswer")) == 1


def test_an_embedded_node_stopped_and_started_keeps_everything(
    cluster: Cluster, ledger: Ledger, processes: Processes
) -> None:
    cluster.clone(set(SERVICES) - {"registration", "audit"})
    program = processes.program("-c", NODE, amqp_url="")
    assert program.wait(60) == 0, program.log.read_text()
    assert program.said("verified True")
    assert len(ledger.log()) == 60
    assert ledger.entries() == ledger.log()
