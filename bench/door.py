"""`door_…`: requests in a second through HTTP on one process, and their p99, beside an empty Flask route.

`page_…`: kB of a page with everything that it loads.
"""

import re
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import orjson

from bench import clients
from bench.commands import BATCH, BODY, submitting, training
from bench.figures import Figure, percentile
from bench.footprint import Up
from bench.stage import Stage
from bench.waiting import until
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.security.tokens import Mint
from shared.testing.processes import Process, environment

EMPTY = "empty Flask route"
HEAVIEST = 300.0  # kB
_CLIENTS = 4
_ROWS = 100  # of the list
_PORT, _PEERS = 8493, 8494
_WORK = {
    "read": "a roster's row by its id",
    "list": f"{_ROWS} rows of it",
    "command": "培训登记 to its commit",
}
_PAGES = ("/api/v1/docs", "/api/v1/docs/events", "/login")


def figures(stage: Stage) -> Iterator[Figure]:
    stage.fresh()
    submit = submitting(stage.dsn("registration"), 1)
    wanted = [submit()["stream"].removeprefix("application-") for _ in range(_ROWS)]
    settings = {"JIANDING_HTTP": f"127.0.0.1:{_PORT}", "JIANDING_RATE": "0"}
    peer = _peer(stage)
    try:
        peer.await_line("ready")
        with Up(stage, settings=settings):
            tokens = _tokens(stage)
            until(lambda: len(_roster(tokens["read"])) == _ROWS, "the roster is there")
            yield from _paces(stage, tokens, wanted)
            yield from _weights()
    finally:
        peer.kill()


def _paces(stage: Stage, tokens: dict[str, str], wanted: list[str]) -> Iterator[Figure]:
    for kind, about in _WORK.items():
        ours: dict[str, list[float]] = {"rate": [], "p99": []}
        theirs: dict[str, list[float]] = {"rate": [], "p99": []}
        for _ in range(stage.plan.rounds):
            stage.settle()
            arguments = {"kind": kind, "token": tokens[kind], "wanted": wanted}
            _note(ours, _asked(stage, port=_PORT, **arguments))
            _note(theirs, _asked(stage, port=_PEERS, kind="empty", token="", wanted=[]))
        note = f"{about}, {_CLIENTS} client processes; the embedded node is one process"
        yield Figure(f"door_{kind}", "requests/s", ours["rate"], EMPTY, theirs["rate"], note=note)
        yield Figure(f"door_{kind}_p99", "ms", ours["p99"], EMPTY, theirs["p99"], at_most=True, note=note)


def _note(noted: dict[str, list[float]], found: tuple[float, float]) -> None:
    for name, value in zip(noted, found, strict=True):
        noted[name].append(value)


def _asked(stage: Stage, **arguments: Any) -> tuple[float, float]:
    """(requests in a second, p99 in ms) of all clients together."""
    seconds = stage.plan.seconds
    job = {"work": "bench.door:asking", "times": 1, "arguments": {**arguments, "seconds": seconds}}
    with clients.together(*[job] * _CLIENTS) as running:
        times = [each for client in running for each in client.heard()["said"]]
    return len(times) / seconds, percentile(times, 0.99) * 1000


def asking(port: int, kind: str, token: str, wanted: list[str], seconds: float) -> Callable[[], list[float]]:
    """One request after the other over a connection that is kept; how long each took."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    request = _requests(kind, token, wanted)

    def once() -> list[float]:
        times, ends = [], time.monotonic() + seconds
        while (began := time.monotonic()) < ends:
            connection.request(*request())
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise ChildProcessError(f"{kind}: {answer.status}")
            times.append(time.monotonic() - began)
        return times

    return once


def _requests(kind: str, token: str, wanted: list[str]) -> Callable[[], tuple[Any, ...]]:
    bearer, place = {"Authorization": f"Bearer {token}"}, 0
    if kind == "command":
        header = {**bearer, "Content-Type": "application/json"}
        path = "/api/v1/registration/record_training"
        return lambda: ("POST", path, orjson.dumps(training()), {**header, "Idempotency-Key": new_id()})
    if kind == "list":
        return lambda: ("GET", _LIST, None, bearer)
    if kind == "empty":
        return lambda: ("GET", "/", None, {})

    def read() -> tuple[Any, ...]:
        nonlocal place
        place += 1
        path = f"/api/v1/registration/application?application={wanted[place % len(wanted)]}"
        return "GET", path, None, bearer

    return read


_LIST = f"/api/v1/registration/roster?batch={BATCH}&limit={_ROWS}"


def _tokens(stage: Stage) -> dict[str, str]:
    mint = Mint.load(stage.cluster.settings.tokens_folder, "/centre/registration")
    clerk = mint.issue(Actor(new_id(), Role.EXAM_AFFAIRS, BODY))
    return {"read": clerk, "list": clerk, "command": mint.issue(Actor(new_id(), Role.TRAINER, BODY))}


def _roster(token: str) -> list[Any]:
    found: list[Any] = orjson.loads(_get(_LIST, {"Authorization": f"Bearer {token}"}))
    return found


def _get(path: str, headers: dict[str, str] | None = None) -> bytes:
    connection = HTTPConnection("127.0.0.1", _PORT, timeout=30)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse().read()
    connection.close()
    return answer


def _weights() -> Iterator[Figure]:
    for path in _PAGES:
        page = _get(path)
        loaded = re.findall(rb'(?:src|href)="(/[^"]+\.(?:css|js|svg|woff2)(?:\?[^"]*)?)"', page)
        size = len(page) + sum(len(_get(each.decode())) for each in set(loaded))
        yield Figure(f"page{path.replace('/', '_')}", "kB", [size / 1000], aim=HEAVIEST, at_most=True)


def _peer(stage: Stage) -> Process:
    arguments = ["-m", "bench.peers.route", str(_PEERS)]
    return Process(arguments, environment(stage.cluster), stage.folder / "route.log")
