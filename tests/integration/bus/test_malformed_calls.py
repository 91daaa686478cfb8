"""A call that is no call gets an answer that says so, and the service goes on (over the real broker)."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pika
import pytest

from shared.testing.postgres import Cluster
from shared.testing.processes import Processes

DEADLINE = 20


class Telephone:
    """Sends raw bytes to a service's method, and waits for the answer."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._address = str(uuid4())
        queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(queue, "nameko-rpc", self._address)
        self._answers = self._channel.consume(queue, auto_ack=True, inactivity_timeout=DEADLINE)

    def ask(self, method: str, body: bytes, content_type: str = "application/json") -> dict:
        properties = pika.BasicProperties(
            reply_to=self._address,
            correlation_id=str(uuid4()),
            content_type=content_type,
            content_encoding="utf-8",
        )
        self._channel.basic_publish("nameko-rpc", f"registration.{method}", body, properties)
        _, _, answer = next(self._answers)
        assert answer is not None, "no answer came"
        return json.loads(answer)

    def refused(self, method: str, body: bytes) -> dict:
        error = self.ask(method, body)["error"]
        assert error["exc_type"] == "Refused"
        (problem,) = error["exc_args"]
        assert problem["zh"]
        assert problem["en"]
        return problem

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def telephone(databases: Cluster, bus: str, processes: Processes) -> Iterator[Telephone]:
    processes.run("serve", "registration")
    telephone = Telephone(bus)
    yield telephone
    telephone.close()


def test_every_malformed_call_is_answered_with_what_is_wrong_and_leaves_nothing(
    telephone: Telephone, databases: Cluster
) -> None:
    call = json.dumps({"args": [], "kwargs": {}}).encode()
    positional = json.dumps({"args": ["x"], "kwargs": {}}).encode()
    itself = json.dumps({"args": [], "kwargs": {"self": 1}}).encode()
    for body in (
        b"{",
        b"\xff\xfe",
        b"",
        b"[1, 2, 3]",
        b"null",
        b'"text"',
        b"{}",
        b'{"kwargs": 3}',
        positional,
    ):
        assert telephone.refused("submit_application", body)["field"] == "message", body
    assert telephone.refused("submit_application", itself)["field"] == "self"
    assert telephone.refused("no_such_method", call)["code"] == "UnknownCommand"
    assert telephone.refused("submit_application", call)["field"] == "command_id"
    with databases.connect("registration") as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (0,)
