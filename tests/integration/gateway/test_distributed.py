"""The distributed edition behind its door: every program a process with its own account at a RabbitMQ."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from shared.bus.rights import ACCOUNTS, ADMINISTRATOR, GATEWAY, definitions
from shared.contracts import SERVICES, SOURCES
from shared.kernel.ids import new_id
from shared.runtime.demo.people import fictional
from shared.testing.command import CommandLine
from shared.testing.http import Visitor
from shared.testing.postgres import Cluster
from shared.testing.processes import Processes, environment
from shared.testing.rabbitmq import Broker
from shared.testing.rabbitmq.node import wait_until

REGISTRATION = "/api/v1/registration"
PASSWORD = "a quiet fictional day"
PEOPLE = iter(fictional(10, Random(11), new_id))
PROGRAMS = [account for account in ACCOUNTS if account != ADMINISTRATOR]


@pytest.fixture(scope="module")
def url(broker: Broker) -> Iterator[Callable[[str], str]]:
    """How an account connects to this module's virtual host."""
    name, passwords = f"door-{uuid4()}", {account: token_hex(16) for account in PROGRAMS}
    parts = urlsplit(broker.virtual_host(name))
    broker.management.request("POST", "definitions", body=definitions(passwords, name))
    place = parts.netloc.rpartition("@")[2]
    yield lambda account: parts._replace(netloc=f"{account}:{passwords[account]}@{place}").geturl()
    for account in passwords:
        broker.management.request("DELETE", "users", account)
    broker.drop_virtual_host(name)


@pytest.fixture(scope="module")
def address(
    cluster: Cluster, url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Where the door is; five services and their relays run behind it, and the first account is open."""
    cluster.clone(SERVICES)
    folder: Path = tmp_path_factory.mktemp("distributed")
    there = environment(cluster, tokens="required", var=folder)
    with Processes(folder, there) as processes:
        # the door first: it waits for nobody behind it
        door = processes.run("serve", GATEWAY, amqp_url=url(GATEWAY), http="127.0.0.1:0", rate=0)
        running = [door]
        for service in SERVICES:
            running.append(processes.run("serve", service, ready=False, amqp_url=url(service)))
        for source in SOURCES:
            running.append(processes.run("relay", source, ready=False, amqp_url=url(f"{source}-relay")))
        found = re.search(r"http://\S+", door.log.read_text(encoding="utf-8"))
        assert found, door.last_words
        with closing(Visitor(found[0])) as visitor:
            assert wait_until(lambda: visitor.get("/readyz").status == 200, 60), visitor.get("/readyz").body
        words = ("account", "open", "first", "--password-file", "-", "--json")
        held = ("--appointment", "exam_affairs@station-10012003", "--appointment", "supervisor@centre")
        opened = CommandLine(there)(*words, *held, stdin=f"{PASSWORD}\n")
        assert opened.code == 0, opened.errors + opened.output
        yield found[0]
        for process in running:
            os.kill(process.id, signal.SIGTERM)
        for process in running:
            assert process.wait() == 0, process.last_words
            assert not process.said("ACCESS_REFUSED"), process.last_words
            assert not process.said("Traceback"), process.last_words


@pytest.fixture
def visitor(address: str) -> Iterator[Visitor]:
    with closing(Visitor(address)) as visitor:
        yield visitor


def _login(visitor: Visitor, appointment: str) -> str:
    said = visitor.post(f"{REGISTRATION}/login", name="first", password=PASSWORD, appointment=appointment)
    assert said.status == 200, said.body
    return str(said.json["access"])


@pytest.fixture
def clerk(visitor: Visitor) -> str:
    """The token of somebody at a station, who logged in."""
    return _login(visitor, "exam_affairs@station-10012003")


@pytest.fixture
def supervisor(visitor: Visitor) -> str:
    return _login(visitor, "supervisor@centre")


def _enrol(visitor: Visitor, token: str, key: str, fields: dict[str, Any]) -> Any:
    return visitor.post(f"{REGISTRATION}/enrol_person", token, key, **fields)


def _seen(visitor: Visitor, token: str, after: int) -> list[Any]:
    """The events behind a position, without what was looked at."""
    rows = visitor.get("/api/v1/events", token, after=after, limit=500).json
    return [row for row in rows if row["event"]["type"] not in ("SensitiveRead", "TrailRead")]


def _size(visitor: Visitor, token: str) -> int:
    return int(visitor.get("/api/v1/audit/head", token).json["size"])


def test_a_command_is_recorded_once_and_reaches_lists_and_the_feed(
    visitor: Visitor, clerk: str, supervisor: str
) -> None:
    after, person, batch = _size(visitor, supervisor) - 1, next(PEOPLE).enrolment(), new_id()
    first, again = (_enrol(visitor, clerk, "form 3", person) for _ in range(2))
    assert first.status == 200, first.body
    assert again.json == first.json
    fields = {
        "application": new_id(), "candidate": person["candidate"], "batch": batch, "station": "10012003",
        "occupation": "化工分析工", "catalogue": "1999", "level": 4, "kind": "society", "held_level": 5,
        "years_in_trade": 6, "education": "none", "evidence": ["e" * 64],
    }  # fmt: skip
    submitted = visitor.post(f"{REGISTRATION}/submit_application", clerk, "form 4", **fields)
    assert submitted.status == 200, submitted.body

    def listed() -> list[Any]:
        found: list[Any] = visitor.get(f"{REGISTRATION}/roster", supervisor, batch=batch).json
        return found

    assert wait_until(lambda: [row["application"] for row in listed()] == [fields["application"]], 30)
    assert wait_until(lambda: len(_seen(visitor, supervisor, after)) == 2, 30)
    (enrolled, applied) = _seen(visitor, supervisor, after)
    assert [row["event"]["id"] for row in (enrolled, applied)] == [
        each.json["events"][0]["id"] for each in (first, submitted)
    ]
    assert [row["event"]["id"] for row in _seen(visitor, supervisor, enrolled["position"])] == [
        applied["event"]["id"]
    ]


def test_a_stream_goes_on_from_the_position_that_a_reader_has_seen(
    visitor: Visitor, clerk: str, supervisor: str
) -> None:
    after = _size(visitor, supervisor) - 1
    with closing(visitor.stream(f"/api/v1/events/stream?after={after}", supervisor)) as lines:  # type: ignore[type-var]
        assert next(lines).startswith("retry:")
        said = _enrol(visitor, clerk, new_id(), next(PEOPLE).enrolment())
        seen, position = "", after
        while said.json["events"][0]["id"] not in seen:
            seen = next(lines)
            position = int(seen[3:]) if seen.startswith("id:") else position
    again = visitor.stream("/api/v1/events/stream", supervisor, {"Last-Event-ID": str(position - 1)})
    with closing(again) as lines:  # type: ignore[type-var]
        first = [next(lines) for _ in range(4)]
    assert first[2:] == [f"id: {position}", seen]


def test_metrics_tell_of_every_service_behind_the_door(visitor: Visitor) -> None:
    told = visitor.get("/metrics")
    assert told.status == 200
    lines = told.body.decode().splitlines()
    for service in SERVICES:
        assert f'jianding_up{{service="{service}"}} 1.0' in lines
    for source in SOURCES:
        assert any(line.startswith(f'jianding_relay_lag_events{{service="{source}"}}') for line in lines)


def test_a_door_whose_broker_was_killed_says_so_and_is_ready_again_with_it(
    broker: Broker, visitor: Visitor, clerk: str, supervisor: str
) -> None:
    person, key = next(PEOPLE).enrolment(), new_id()
    broker.kill()
    try:
        assert wait_until(lambda: visitor.get("/readyz").status == 503, 20)
        assert visitor.get("/readyz").json == {"ready": False, "services": dict.fromkeys(SERVICES, False)}
        assert visitor.get("/healthz").status == 200
        away = _enrol(visitor, clerk, key, person)
        assert (away.status, away.code) == (503, "ServiceSilent")
    finally:
        broker.start()
    assert wait_until(lambda: visitor.get("/readyz").status == 200, 60), visitor.get("/readyz").body
    after = _size(visitor, supervisor) - 1
    first, again = (_enrol(visitor, clerk, key, person) for _ in range(2))
    assert first.status == 200, first.body
    assert again.json == first.json
    assert wait_until(lambda: len(_seen(visitor, supervisor, after)) == 1, 60)
