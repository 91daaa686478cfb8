"""What a stranger puts into our exchanges: kept as it came, and in nobody's way."""

import pickle

import orjson
import pika

from shared.testing.processes import Processes
from shared.testing.rabbitmq import Broker
from shared.testing.rabbitmq.node import wait_until
from tests.integration.bus.ledger import SOON, Ledger
from tests.integration.bus.queues import Queues, await_empty

AUDITS = "audit.from.registration"
ELSEWHERE = orjson.dumps(
    {
        "specversion": "1.0",
        "id": "01a1fc21-bd25-7759-99f1-0715bbcdbcfc",
        "source": "/station-00000001/registration",
        "type": "CandidateRegistered",
        "subject": "application-1",
        "time": "2024-03-01T00:00:00.000000Z",
        "data": {},
        "position": 1,
        "previoushash": "0" * 64,
    }
)
STRANGE = [
    (
        b"\xff\xfe no text at all",
        pika.BasicProperties(content_type="application/json", content_encoding="utf-8"),
    ),
    (b"not JSON", pika.BasicProperties(content_type="application/json")),
    (b'{"specversion": "1.0"}', pika.BasicProperties(content_type="text/plain")),
    (
        pickle.dumps({"specversion": "1.0"}),
        pika.BasicProperties(content_type="application/x-python-serialize"),
    ),
    (b"\xe9t\xe9", pika.BasicProperties(content_type="text/plain", content_encoding="latin-1")),
    (b"no such encoding", pika.BasicProperties(content_encoding="x-none")),
    (b"not compressed", pika.BasicProperties(headers={"compression": "application/x-gzip"})),
    (b"compressed by nobody", pika.BasicProperties(headers={"compression": "x-none"})),
    (ELSEWHERE, pika.BasicProperties(content_type="application/json", content_encoding="utf-8")),
    (b"", pika.BasicProperties()),
]


def test_strange_bodies_are_kept_as_they_came_and_later_events_are_applied(
    broker: Broker, queues: Queues, ledger: Ledger, processes: Processes
) -> None:
    audit = processes.run("serve", "audit")
    for body, properties in STRANGE:
        queues.publish(body, properties)
    assert wait_until(lambda: len(ledger.rejected()) == len(STRANGE) or not audit.running, SOON)
    assert ledger.rejected() == [body for body, _ in STRANGE]
    ledger.trained(3)
    processes.run("relay", "registration")
    ledger.await_audited(3)
    await_empty(broker, queues, AUDITS)
    assert ledger.entries() == ledger.log()
    assert len(ledger.rejected()) == len(STRANGE)
    assert audit.running
