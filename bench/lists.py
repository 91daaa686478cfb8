"""`list_million_p99`: the slowest of all lists through HTTP, over tables of a million rows.

Each is asked for its first page and for one from the middle, by everybody who may be shown all stations, and
by the staff of one; each filter alone. A page has the usual 100 rows. One client, one process.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import orjson

from bench import clients, crowd
from bench.figures import Figure, percentile
from bench.stage import Stage
from services.registration.domain.identity import plain_name
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.security.keys import secret
from shared.security.tokens import Mint
from shared.security.vault import Vault
from shared.testing.processes import PROJECT, environment

LIMIT = 200.0  # ms
_PORT = 8492
_TIMES = 100  # that each page is asked for: of fewer, the slowest would be all that p99 says
_SECONDS = 10.0  # after which a page is slow enough
_NAME = "虚构甲子"
_STATION = "10012007"
_OF_THE_CENTRE = ("scoring/proposals", "certification/waiting", "registration/examiners")
_SERVICES = ("registration", "scheduling", "scoring", "certification")


def _id(n: int) -> str:
    """Of row n (bench/crowd.py)."""
    return str(UUID(int=n))


class Asked(NamedTuple):
    """A list, the filters with which it is asked for, where its middle is, and who asks."""

    path: str
    filters: dict[str, Any]
    middle: Any = None
    role: Role = Role.SUPERVISOR
    body: str = "centre"
    verb: str = "GET"

    @property
    def name(self) -> str:
        said = ",".join(sorted(self.filters))
        at = " at a station" if self.body != "centre" else ""
        return f"{self.path}({said}){at}"


_DAYS = {"since": "2026-04-16T00:00:00+08:00", "until": "2026-05-16T00:00:00+08:00"}
_HERE = {"station": _STATION}
_SUBJECT = {"kind": "station", "id": _STATION}


def _asked(rows: int) -> Iterator[Asked]:
    """Every list of the four services, each filter by itself, and where a page in the middle begins."""
    middle, of = _id(rows // 2), {"batch": _id(rows // 2 // crowd.OF_BATCH)}
    within = _id(rows // 2 // crowd.OF_BATCH * crowd.OF_BATCH + crowd.OF_BATCH // 2)
    yield from _of_registration(middle, of, within)
    yield from _of_scheduling(middle, of, within)
    yield from _of_scoring(middle, of, within, _sheet(rows // 2))
    yield Asked("certification/certificates", of)
    yield Asked("certification/waiting", {}, middle)
    yield Asked("certification/own_certificates", {"candidate": middle})
    yield Asked("certification/statistics_of", {"batches": [_id(n) for n in range(100)]})


def _of_registration(middle: str, of: dict[str, str], within: str) -> Iterator[Asked]:
    plain = middle.replace("-", "")
    yield Asked("registration/roster", of, within)
    for filters in (
        {},
        _HERE,
        of,
        {"status": "submitted"},
        {"status": "concluded"},
        {"text": plain[:28]},
        {"text": plain},
        {"text": "T22222222222289A"},
        {"text": "0000"},
    ):
        yield Asked("registration/applications", filters, middle)
    yield Asked("registration/own_applications", {"candidate": middle})
    yield Asked("registration/list_accounts", {}, middle, Role.ADMINISTRATOR)
    yield Asked("registration/trainings", {}, middle, Role.CENTRE_OFFICER)
    yield Asked("registration/trainings", _HERE, middle, Role.CENTRE_OFFICER)
    for filters in ({}, _HERE, {"text": plain[:28]}):
        yield Asked("registration/examiners", filters, middle, Role.CENTRE_OFFICER)


def _of_scheduling(middle: str, of: dict[str, str], within: str) -> Iterator[Asked]:
    yield Asked("scheduling/assignments", {"examiner": crowd.EXAMINER}, of["batch"])
    yield Asked("scheduling/latest_assignments", {"examiners": [crowd.EXAMINER, *map(_id, range(99))]})
    yield Asked("scheduling/batches", _HERE, middle)
    yield Asked("scheduling/latest_batches", _HERE, middle)
    for stage in ("noticed", "closed"):
        yield Asked("scheduling/agenda", {"stage": stage}, middle)
    yield Asked("scheduling/stations", {}, "10012020")
    yield Asked("scheduling/exam_days", {**_HERE, **_DAYS})
    yield Asked("scheduling/panel", of)
    yield Asked("scheduling/sittings", of, within)


def _of_scoring(middle: str, of: dict[str, str], within: str, sheet: str) -> Iterator[Asked]:
    yield Asked("scoring/sheets", {**of, "examiner": crowd.EXAMINER})
    yield Asked("scoring/results", of, within)
    for status in ("combined", "reviewed"):
        yield Asked("scoring/results_in", {"status": status}, middle)
    yield Asked("scoring/own_results", {"candidate": middle})
    yield Asked("scoring/distribution", of)
    for filters in ({}, {"status": "open"}, {"status": "scored"}, {"status": "marked"}):
        yield Asked("scoring/desk", {"examiner": crowd.EXAMINER, **filters}, sheet)
    yield Asked("scoring/proposals", {}, sheet)


def _of_a_station(rows: int) -> Iterator[Asked]:
    """The same by somebody who is shown one station; it is his own that he names."""
    for each in _asked(rows):
        role = Role.ADMINISTRATOR if each.path.endswith("list_accounts") else Role.STATION_DIRECTOR
        if each.path not in _OF_THE_CENTRE:
            yield each._replace(role=role, body=f"station-{_STATION}")
    named = {"name": _NAME}
    yield Asked(
        "registration/applications_named", named, None, Role.EXAM_AFFAIRS, f"station-{_STATION}", "POST"
    )


def _audit(rows: int) -> Iterator[Asked]:
    middle, row, batch = rows // 2, _id(rows // 2), _id(rows // 2 // crowd.OF_BATCH)
    for about in (_SUBJECT, {"kind": "candidate", "id": row}, {"kind": "batch", "id": batch}):
        yield Asked("audit/trail", about, middle)
    for filters in ({"types": "Seldom"}, {"actor": "seldom"}, {"as_of": "2026-01-01T00:00:00Z"}):
        yield Asked("audit/trail", {**_SUBJECT, **filters}, middle)
    yield Asked("audit/entries", {}, middle)
    yield Asked("audit/newest", {}, middle)
    yield Asked("audit/together", {"id": row, "at": middle})
    for filters in (
        {},
        {"kind": "seldom"},
        {"kind": "silence"},
        {"source": "/centre/seldom"},
        {"source": crowd.SOURCE},
    ):
        yield Asked("audit/findings", filters, middle)
    yield Asked("audit/looks", {"actor": crowd.EXAMINER})
    yield Asked("audit/checks", {}, middle, Role.ADMINISTRATOR)
    yield Asked("audit/pace", {"minutes": 240})
    yield Asked("events", {}, middle)


def _sheet(n: int) -> str:
    spelled = f"{n:010x}".translate(str.maketrans("0123456789abcdef", "23456789ABCDEFGH"))
    return f"B-{spelled}-theory"


def figures(stage: Stage) -> Iterator[Figure]:
    rows = stage.plan.audited
    stage.fresh()
    _fill(stage, rows)
    found: dict[str, float] = {}
    with _house(stage):
        ask = _Client(stage)
        found = {
            each.name: ask.slowest(each) for each in (*_asked(rows), *_of_a_station(rows), *_audit(rows))
        }
    order = sorted(found, key=found.__getitem__, reverse=True)
    worst, *others = order
    note = (
        f"{worst}, the slowest of {len(found)}; then "
        + ", ".join(f"{name} {found[name]:.0f}" for name in others[:8])
        + f"; the median {median(found.values()):.0f}"
    )
    yield Figure("list_million_p99", "ms", [found[worst]], aim=LIMIT, at_most=True, note=note)


def _fill(stage: Stage, rows: int) -> None:
    """Two databases at a time, as there are two cores."""
    jobs = [
        {
            "work": "bench.crowd:projected",
            "times": 1,
            "arguments": {"dsn": stage.dsn(service, "admin"), "service": service, "rows": rows},
        }
        for service in _SERVICES
    ]
    jobs.append(
        {
            "work": "bench.crowd:audited",
            "times": 1,
            "arguments": {"dsn": stage.dsn("audit", "admin"), "rows": rows},
        }
    )
    with clients.together(*jobs) as running:
        for client in running:
            client.heard()
    _name(stage, rows)
    stage.settle()


def _name(stage: Stage, rows: int) -> None:
    """The same name for some people who have applied at the station."""
    vault = Vault(secret(stage.cluster.settings.secrets / "vault.master"))
    people = [
        _id(n)
        for n in range(rows)
        if n // crowd.OF_BATCH % crowd.STATIONS == int(_STATION[-2:]) and n % 1000 == 0
    ]
    with stage.admin("registration") as connection:
        index = vault.name_index(plain_name(_NAME))
        connection.execute(
            "UPDATE vault SET name_index = %s WHERE person = ANY (%s::uuid[])", (index, people)
        )


@contextmanager
def _house(stage: Stage) -> Iterator[None]:
    settings = {"JIANDING_HTTP": f"127.0.0.1:{_PORT}", "JIANDING_RATE": "0", "JIANDING_DATABASE_URL": ""}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "bench.house"],
        cwd=PROJECT,
        env=environment(stage.cluster) | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise ChildProcessError("the node ended before it was up")
        yield
    finally:
        process.communicate(timeout=60)


class _Client:
    def __init__(self, stage: Stage) -> None:
        self._mint = Mint.load(stage.cluster.settings.tokens_folder, "/centre/registration")
        self._connection = HTTPConnection("127.0.0.1", _PORT, timeout=120)

    def slowest(self, asked: Asked) -> float:
        """The p99 in ms, of the first page or of that from the middle on, whichever is slower."""
        token = self._mint.issue(Actor(new_id(), asked.role, asked.body))
        pages = [
            asked.filters,
            *([{**asked.filters, "after": asked.middle}] if asked.middle is not None else []),
        ]
        return max(self._p99(asked, page, token) for page in pages)

    def _p99(self, asked: Asked, page: dict[str, Any], token: str) -> float:
        times: list[float] = []
        began = time.monotonic()
        while len(times) < _TIMES and time.monotonic() - began < _SECONDS:
            times.append(self._once(asked, page, token))
        return percentile(times, 0.99) * 1000

    def _once(self, asked: Asked, page: dict[str, Any], token: str) -> float:
        path, headers = f"/api/v1/{asked.path}", {"Authorization": f"Bearer {token}"}
        body = None
        if asked.verb == "POST":
            body, headers = orjson.dumps(page), {**headers, "Content-Type": "application/json"}
        elif page:
            path += f"?{urlencode(page, doseq=True)}"
        began = time.monotonic()
        self._connection.request(asked.verb, path, body, headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise ChildProcessError(f"{asked.name}: {answer.status} {said[:300]!r}")
        return time.monotonic() - began
