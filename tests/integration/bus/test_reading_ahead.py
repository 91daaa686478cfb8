"""A subscription reads the next batch while one is being committed, and commits one after the other."""

from pathlib import Path

from shared.testing.postgres import Cluster
from shared.testing.processes import Processes, environment

PROGRAM = """
from shared.runtime import hub

hub.patch()
import eventlet
from kombu import Connection
from shared.bus import memory
from shared.bus.subscription import BATCH, Subscription
from shared.bus.topology import queue, queue_name

url = memory.register()
numbers = [b"%d" % number for number in range(2 * BATCH)]
ours = queue("audit", "scoring")
with Connection(url) as connection:
    ours(connection.channel()).declare()
    producer = connection.Producer()
    for number in numbers:
        producer.publish(number, exchange=ours.exchange.name, routing_key="Scored", content_encoding="utf-8")

committed, at_it, idle = [], [], []

def receive(source, bodies):
    assert not at_it, "one after the other"
    at_it.append(source)
    while memory.Channel.queues[queue_name("audit", "scoring")].qsize():
        eventlet.sleep(0.01)  # until the rest was read
    committed.extend(bodies)
    at_it.clear()

subscription = Subscription(url, "audit", ["scoring"], receive, lambda: idle.append(bool(at_it)), ())
subscription.declare()
reading = eventlet.spawn(subscription.run)
with eventlet.Timeout(20):
    while len(committed) < len(numbers):
        eventlet.sleep(0.01)
subscription.stop()
reading.wait()
print("in order", committed == numbers)
print("idle", bool(idle), any(idle))
"""


def test_while_a_batch_is_committed_the_next_is_read_and_waits_for_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    with Processes(tmp_path, environment(cluster)) as processes:
        program = processes.program("-c", PROGRAM)
        assert program.wait() == 0, program.log.read_text()
        assert program.said("in order") == ["in order True"]
        assert program.said("idle") == ["idle True False"]
