"""The feed: in pages, and as a stream that goes on where its reader left it."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from services.gateway import feed
from services.gateway.backend import Backend
from services.gateway.feed import Tail, follow
from shared.bus.calls import NoAnswer
from tests.unit.gateway.conftest import Services

BEARER = {"Authorization": "Bearer clerk"}


class Log:
    """An audit log of so many events."""

    def __init__(self, size: int) -> None:
        self.size = size

    def tell(self, _service: str, method: str, message: dict[str, Any]) -> Any:
        if method == "head":
            return {"size": self.size}
        first = message["after"] + 1
        return [self.event(n) for n in range(first, min(first + message["limit"], self.size))]

    @staticmethod
    def event(position: int) -> str:
        return orjson.dumps({"type": "Said", "n": position}).decode()


@pytest.fixture
def log(services: Services) -> Log:
    log = Log(5)
    services.tell = log.tell
    return log


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_PAUSE", 0.001)


def test_pages_lead_through_the_whole_log(client: FlaskClient, log: Log) -> None:
    path, found = "/api/v1/events?limit=2", []
    while path:
        said = client.get(path, headers=BEARER)
        found += [(row["position"], row["event"]["n"]) for row in said.get_json()]
        path = said.headers["Link"][1:].partition(">")[0] if "Link" in said.headers else ""
    assert found == [(n, n) for n in range(5)]


def test_whoever_may_not_read_is_told_at_once(client: FlaskClient, services: Services) -> None:
    services.answer = NoAnswer("audit")
    assert client.get("/api/v1/events/stream").status_code == 401
    assert client.get("/api/v1/events/stream", headers=BEARER).status_code == 503
    assert client.get("/api/v1/events/stream?after=x", headers=BEARER).status_code == 422


@pytest.mark.parametrize(
    ("query", "header", "first"),
    [("", {}, 0), ("?after=2", {}, 3), ("?after=2", {"Last-Event-ID": "3"}, 4)],
)
def test_the_stream_begins_behind_what_its_reader_has(
    client: FlaskClient, log: Log, query: str, header: dict[str, str], first: int
) -> None:
    said = client.get(f"/api/v1/events/stream{query}", headers={**BEARER, **header})
    chunks = (chunk.decode() for chunk in said.response)  # type: ignore[union-attr]
    assert said.content_type.startswith("text/event-stream")
    assert next(chunks) == "retry: 2000\n\n"
    assert next(chunks) == f"id: {first}\ndata: {log.event(first)}\n\n"
    said.close()


def following(log: Log, after: int) -> Iterator[tuple[int, str] | None]:
    backend = Backend(lambda service, method, _context, message: log.tell(service, method, message))

    def behind(position: int) -> list[tuple[int, str]]:
        return list(enumerate(feed.read(backend, {}, position, feed.PAGE), position + 1))

    return follow(Tail(backend), {}, after, behind)


def test_a_reader_gets_what_comes_while_it_waits(log: Log) -> None:
    events = following(log, 3)
    assert next(events) == (4, log.event(4))
    log.size = 7
    assert list(islice(events, 2)) == [(5, log.event(5)), (6, log.event(6))]


def test_a_silent_log_gives_signs_of_life(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_SIGN_OF_LIFE", 0.01)
    assert next(following(log, 4)) is None


def test_a_stream_ends_when_its_reader_may_not_go_on(
    client: FlaskClient, services: Services, log: Log
) -> None:
    said = client.get("/api/v1/events/stream?after=3", headers=BEARER)
    chunks = iter(said.response)  # type: ignore[arg-type]
    next(chunks), next(chunks)
    services.tell = None
    services.answer = NoAnswer("audit")
    assert list(chunks) == []


def test_there_are_no_more_streams_than_the_door_can_hold(
    client: FlaskClient, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MOST", 1)
    first = client.get("/api/v1/events/stream", headers=BEARER)
    next(iter(first.response))  # type: ignore[arg-type]
    second = client.get("/api/v1/events/stream", headers=BEARER)
    assert (second.status_code, second.get_json()["code"]) == (503, "TooManyStreams")
    first.close()
    assert client.get("/api/v1/events/stream", headers=BEARER).status_code == 200
