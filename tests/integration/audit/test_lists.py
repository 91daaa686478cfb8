"""Audit's own lists on full tables: a page reads no more than it shows, whatever is asked for."""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import dict_row

from services.audit import checking, findings
from shared.testing.postgres import Cluster
from tests.integration.explained import Explained, touched

ROWS = 20_000
MOST = 101
FILL = """
INSERT INTO findings (kind, source, first_position, detail)
SELECT CASE WHEN n % 5000 = 0 THEN 'seldom' ELSE 'silence' END,
       CASE WHEN n % 5000 = 1 THEN '/centre/seldom' ELSE '/centre/scoring' END, n, '{}'
  FROM generate_series(1, 20000) AS n;
INSERT INTO checks (asked_by, whole, ended_at) SELECT '', n, now() FROM generate_series(1, 20000) AS n;
ANALYZE findings; ANALYZE checks;
"""


@pytest.fixture(scope="module")
def full(cluster: Cluster) -> Iterator[Connection[Any]]:
    """Audit's database with twenty thousand findings and tasks, as its administrator sees it."""
    cluster.clone(["audit"])
    with cluster.connect("audit", "admin") as connection:
        connection.execute(FILL)
        yield connection


@pytest.mark.parametrize("after", [0, ROWS // 2])
@pytest.mark.parametrize(
    ("kind", "source", "count"),
    [
        ("", "", 100),
        ("seldom", "", 4),
        ("", "/centre/seldom", 4),
        ("silence", "/centre/seldom", 4),
        ("silence", "", 100),
        ("seldom", "/centre/scoring", 4),
    ],
)
def test_findings_of_a_kind_or_a_source_are_found_by_an_index(
    full: Connection[Any], kind: str, source: str, count: int, after: int
) -> None:
    with full.cursor(row_factory=dict_row) as rows:
        explained: Any = Explained(rows)
        found = findings.findings(explained, after, 100, kind, source)
    assert touched(explained.plan) <= MOST, explained.plan
    assert len(found) == (count if count == 100 or not after else count / 2)
    assert [row["id"] for row in found] == sorted(row["id"] for row in found)
    assert {kind, source} - {""} <= {row[name] for row in found for name in ("kind", "source")}


def test_a_page_of_verifications_is_found_by_its_key(full: Connection[Any]) -> None:
    with full.cursor(row_factory=dict_row) as rows:
        explained: Any = Explained(rows)
        assert len(checking.shown(explained, ROWS // 2, 100)) == 100
    assert touched(explained.plan) <= MOST
