"""A call may carry who somebody is (R207): the broker is asked to keep it in memory, not on its disk."""

import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.kernel.ids import new_id
from shared.runtime.demo.people import fictional
from shared.testing.processes import Processes
from shared.testing.rabbitmq.node import wait_until
from tests.integration.bus.queues import Queues

TRANSIENT = 1  # AMQP's delivery mode; 2 is persistent


@pytest.fixture(autouse=True)
def _calls_wait(queues: Queues) -> None:
    queues.silence("registration")


def _first_call(queues: Queues) -> tuple[Any, Any, bytes]:
    assert wait_until(lambda: queues.count("rpc-registration") > 0, 30)
    return queues.take("rpc-registration")[0]


def test_an_enrolment_sent_from_the_command_line_is_transient(
    queues: Queues, processes: Processes, tmp_path: Path
) -> None:
    (person,) = fictional(1, random.Random(3), new_id)
    message = orjson.dumps({"command_id": new_id(), **person.enrolment()}).decode()
    who = ("--actor", new_id(), "--role", "exam_affairs", "--body", "station-10012003")
    send = processes.program(
        "-m", "shared.runtime.cli", "send", "registration", "enrol_person", message, *who
    )
    method, properties, body = _first_call(queues)
    assert method.routing_key == "registration.enrol_person"
    assert person.number in body.decode(), "it is the call with the identity"
    assert properties.delivery_mode == TRANSIENT
    send.kill()


def test_a_call_from_service_to_service_is_transient(queues: Queues, processes: Processes) -> None:
    processes.run("serve", "audit", ready=False)
    method, properties, _ = _first_call(queues)
    assert method.routing_key == "registration.events_after"
    assert properties.delivery_mode == TRANSIENT
