"""Lists stay quick however many rows there are: every one of them is found through an index."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import dict_row

from services.certification import queries as certification
from services.registration import queries as registration
from services.scheduling import queries as scheduling
from services.scoring import queries as scoring
from shared.runtime.definition import definition
from shared.store import builds
from shared.testing.postgres import Cluster

ROWS = 20_000
FIRST = "00000000-0000-0000-0000-000000000000"
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
STATION = "10000007"

_FILL = (Path(__file__).parent / "lists.sql").read_text(encoding="utf-8")
_SERVICES = ("registration", "scheduling", "scoring", "certification")
Query = Callable[..., Any]
ASKED: dict[str, list[tuple[Query, dict[str, Any]]]] = {
    "registration": [
        (
            registration.applications,
            {"station": STATION, "batch": "", "status": "", "text": "", "after": LAST, "limit": 51},
        ),
        (
            registration.applications,
            {"station": STATION, "batch": "", "status": "submitted", "text": "", "after": LAST, "limit": 51},
        ),
        (
            registration.applications,
            {
                "station": "",
                "batch": "",
                "status": "",
                "text": "00000000000000000000000000001",
                "after": LAST,
                "limit": 51,
            },
        ),
        (
            registration.applications,
            {"station": STATION, "batch": "", "status": "", "text": "2" * 16, "after": LAST, "limit": 51},
        ),
        (registration.own_applications, {"candidate": FIRST}),
    ],
    "scheduling": [
        (scheduling.agenda, {"stage": "applied", "after": LAST, "limit": 51}),
        (scheduling.latest_batches, {"station": STATION, "after": LAST, "limit": 51}),
        (scheduling.stations, {"after": "", "limit": 51}),
        (
            scheduling.exam_days,
            {
                "station": STATION,
                "since": "2026-03-01T00:00:00.000000Z",
                "until": "2026-03-02T00:00:00.000000Z",
            },
        ),
        (scheduling.panel, {"batch": "00000000-0000-0000-0000-000000000004"}),
    ],
    "scoring": [
        (scoring.results_in, {"status": "combined", "after": LAST, "limit": 51}),
        (scoring.own_results, {"candidate": FIRST}),
        (scoring.distribution, {"batch": "00000000-0000-0000-0000-000000000003"}),
        (
            scoring.desk,
            {"examiner": "00000000-0000-0000-0000-000000000003", "status": "open", "after": "", "limit": 51},
        ),
        (
            scoring.desk,
            {"examiner": "00000000-0000-0000-0000-000000000003", "status": "", "after": "", "limit": 51},
        ),
    ],
    "certification": [
        (certification.waiting, {"after": LAST, "limit": 51}),
        (certification.own_certificates, {"candidate": FIRST}),
        (certification.statistics_of, {"batches": ("00000000-0000-0000-0000-000000000003",)}),
    ],
}
LISTS = [(service, query, asked) for service, all_ in ASKED.items() for query, asked in all_]


@pytest.fixture(scope="module")
def filled(cluster: Cluster) -> Iterator[dict[str, Connection[Any]]]:
    """The projections of four services with many rows."""
    cluster.clone(_SERVICES)
    with ExitStack() as stack:
        yield {service: stack.enter_context(closing(_filled(cluster, service))) for service in _SERVICES}


def _filled(cluster: Cluster, service: str) -> Connection[Any]:
    functions, *parts = _FILL.split("-- of ")
    script = next(part.removeprefix(service) for part in parts if part.startswith(service))
    with closing(cluster.connect(service)) as connection:
        for projection in definition(service).projections:
            builds.install(connection, projection)
    with closing(cluster.connect(service, "admin")) as connection:
        connection.execute((functions + script).replace(":rows", str(ROWS)))
        connection.execute("ANALYZE")
    return cluster.connect(service)


class _Planned:
    """Rows that note how each query would be carried out."""

    def __init__(self, rows: Any) -> None:
        self._rows, self.read, self.sorted = rows, [], 0  # type: ignore[var-annotated]

    def execute(self, query: str, params: Any = None) -> Any:
        plan = self._rows.execute(f"EXPLAIN (FORMAT JSON) {query}", params).fetchone()["QUERY PLAN"]
        self.read += list(_scans(plan[0]["Plan"]))
        self.sorted = max([self.sorted, *_sorted(plan[0]["Plan"])])
        return self._rows.execute(query, params)


def _scans(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "Relation Name" in node:
        yield node["Node Type"], node["Relation Name"]
    for each in node.get("Plans", []):
        yield from _scans(each)


def _sorted(node: dict[str, Any]) -> Iterator[float]:
    """How many rows each sorting step would have before it."""
    if node["Node Type"] == "Sort":
        yield node["Plans"][0]["Plan Rows"]
    for each in node.get("Plans", []):
        yield from _sorted(each)


@pytest.mark.parametrize(
    ("service", "query", "asked"), LISTS, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_list_reads_no_table_from_end_to_end(
    filled: dict[str, Connection[Any]], service: str, query: Query, asked: dict[str, Any]
) -> None:
    connection = filled[service]
    with connection.transaction():
        builds.see_live(connection)
        with connection.cursor(row_factory=dict_row) as rows:
            planned = _Planned(rows)
            query(planned, **asked)
    assert planned.read
    assert [table for node, table in planned.read if node == "Seq Scan"] == []
    assert planned.sorted < ROWS / 100


def test_pages_of_applications_join_without_a_gap_and_newest_first(
    filled: dict[str, Connection[Any]],
) -> None:
    connection, found, after = filled["registration"], [], LAST
    with connection.transaction(), connection.cursor(row_factory=dict_row) as rows:
        builds.see_live(connection)
        while page := registration.applications(rows, STATION, "", "submitted", "", after, 7):
            found += [row["application"] for row in page]
            after = found[-1]
        whole = rows.execute(
            "SELECT application::text FROM applications WHERE station = %s AND status = 'submitted'",
            (STATION,),
        ).fetchall()
    assert len(found) > 40
    assert found == sorted((row["application"] for row in whole), reverse=True)


def test_a_station_is_listed_once_with_its_newest_batch(filled: dict[str, Connection[Any]]) -> None:
    with filled["scheduling"].transaction(), filled["scheduling"].cursor(row_factory=dict_row) as rows:
        builds.see_live(filled["scheduling"])
        found = scheduling.stations(rows, "", 500)
    assert [row["station"] for row in found] == [str(10_000_000 + n) for n in range(100)]
    assert int(found[7]["batch"].replace("-", ""), 16) == ROWS - 93
