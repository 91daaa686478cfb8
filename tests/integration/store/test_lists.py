"""Every list on full tables: found through an index, and for the staff of a station its own alone."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import Connection, sql
from psycopg.rows import dict_row

from services.certification import queries as certification
from services.registration import queries as registration
from services.scheduling import queries as scheduling
from services.scoring import queries as scoring
from shared.runtime.definition import definition
from shared.store import builds
from shared.testing.postgres import Cluster
from tests.integration.explained import Explained, touched

SERVICES = {
    "registration": registration,
    "scheduling": scheduling,
    "scoring": scoring,
    "certification": certification,
}
ROWS = 20_000
MOST = 1_000  # rows that a page of 100 may touch; a batch has 50, a station 500
OURS, THEIRS = "10012000", "10012001"
FIRST, LAST = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"

# row n: its id, its batch of 50, and the batch's station, which is one of forty
ID = "lpad(to_hex(n), 32, '0')::uuid"
BATCH = "lpad(to_hex(n / 50), 32, '0')::uuid"
STATION = "'100120' || to_char(n / 50 %% 40, 'FM00')"
PLACE = "'100120' || to_char(n %% 40, 'FM00')"  # where a row is a batch, or belongs to none
FILLED = {
    "registration": [
        f"""INSERT INTO applications SELECT {ID}, {ID}, {BATCH}, {STATION}, '', 4,
            CASE WHEN n < 200 THEN 'rejected' ELSE 'concluded' END,
            CASE WHEN n = 60 THEN 'TCKT222222222222' ELSE 'T' || n END
            FROM generate_series(1, %s) AS n""",
        f"""INSERT INTO appointments SELECT {ID}, 'examiner', 'station-' || {PLACE}
            FROM generate_series(1, %s) AS n""",
        f"""INSERT INTO trainings SELECT {ID}, {BATCH}, {STATION}, '', '', 30, 8, ''
            FROM generate_series(1, %s) AS n""",
        f"""INSERT INTO accounts SELECT {ID}, true, ARRAY['examiner@station-' || {PLACE}]
            FROM generate_series(1, %s) AS n""",
    ],
    # twenty thousand batches, of which those that were first have sittings
    "scheduling": [
        f"""INSERT INTO batches SELECT {ID}, {PLACE}, '', '', '{{4}}', 50,
            to_char(timestamp '2026-01-01' + n * interval '10 minutes', 'YYYY-MM-DD"T"HH24:MI'), '9',
            CASE WHEN n < 200 THEN 'noticed' ELSE 'closed' END FROM generate_series(1, %s) AS n""",
        f"""INSERT INTO sittings SELECT {ID}, {ID}, {BATCH}, 4, '', 0, '', 'drawn'
            FROM generate_series(1, %s) AS n""",
        f"""INSERT INTO panels SELECT {BATCH}, 'e' || n %% 50, 'theory', false
            FROM generate_series(1, %s) AS n""",
        "INSERT INTO panels SELECT lpad(to_hex(%s / 50 + 1), 32, '0')::uuid, 'e1', 'practical', true",
    ],
    "scoring": [
        f"""INSERT INTO results SELECT {ID}, {ID}, {BATCH}, {STATION}, 70, 80, true, '',
            CASE WHEN n < 200 THEN 'reviewed' ELSE 'published' END FROM generate_series(1, %s) AS n""",
        f"""INSERT INTO sheets SELECT 'B-' || n, 'B', {BATCH}, 'theory', '', ARRAY['somebody'], 'open'
            FROM generate_series(1, %s) AS n""",
        f"""INSERT INTO desks SELECT
            CASE WHEN n < 400 THEN 'somebody' ELSE 'another' END, 'B-' || n, 'B', {BATCH}, 'theory', '',
            CASE WHEN n %% 2 = 0 THEN 'open' ELSE 'scored' END FROM generate_series(1, %s) AS n""",
        f"""INSERT INTO marks SELECT 'B-' || n, {ID}, 'B', {BATCH}, {STATION}, 'theory', '', '{{}}', '', 70,
            '', false, 'scored' FROM generate_series(1, %s) AS n""",
        """INSERT INTO corrections SELECT 'B-' || n, '', 60, 61, '', '' FROM generate_series(1, %s) AS n""",
        f"""INSERT INTO proposals SELECT 'B-' || n, {BATCH}, {STATION}, 'theory', 60, 61, '', ''
            FROM generate_series(1, %s) AS n""",
    ],
    "certification": [
        f"""INSERT INTO certificates SELECT 'N' || n, {ID}, {ID}, {BATCH}, {STATION}, '', '', 4, 70, 80, ''
            FROM generate_series(1, %s) AS n""",
        f"""INSERT INTO dossiers SELECT {ID}, {ID}, {BATCH}, {STATION}, '', '', 4, '{{}}', true, 'open', ''
            FROM generate_series(1, %s) AS n""",
    ],
}

PAGE = {"after": FIRST, "limit": 100}
NEWEST = {"after": LAST, "limit": 100}
ANY = {"station": "", "batch": "", "status": "", "text": ""}
# a batch of THEIRS; row 60 is in it
OF_BATCH = {"batch": "00000000-0000-0000-0000-000000000001"}
ROW = f"{60:032x}"
# what each query is asked about THEIRS
ASKED: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "registration": [
        ("application", {"application": ROW}),
        ("roster", {**OF_BATCH, **PAGE}),
        ("accounts", PAGE),
        ("applications", {**NEWEST, **ANY}),
        ("applications", {**NEWEST, **ANY, "station": THEIRS}),
        ("applications", {**NEWEST, **ANY, "status": "rejected"}),
        ("applications", {**NEWEST, **ANY, "status": "rejected", "station": THEIRS}),
        ("applications", {**NEWEST, **ANY, "status": "rejected", "text": "0000"}),
        ("applications", {**NEWEST, **ANY, **OF_BATCH}),
        ("applications", {**NEWEST, **ANY, **OF_BATCH, "status": "rejected", "station": THEIRS}),
        ("applications", {**NEWEST, **ANY, "text": ROW}),
        ("applications", {**NEWEST, **ANY, "text": "TCKT222222222222"}),
        ("applications", {**NEWEST, **ANY, "station": THEIRS, "text": "TCKT222222222222"}),
        ("examiners", {**PAGE, "station": "", "text": ""}),
        ("examiners", {**PAGE, "station": THEIRS, "text": ""}),
        ("examiners", {**PAGE, "station": "", "text": "00000000"}),
        ("trainings", {**NEWEST, "station": ""}),
        ("trainings", {**NEWEST, "station": THEIRS}),
        ("own_applications", {"candidate": ROW}),
    ],
    "scheduling": [
        ("batch", OF_BATCH),
        ("batches", {"station": THEIRS, **PAGE}),
        ("sitting", {"sitting": ROW}),
        ("sittings", {**OF_BATCH, **PAGE}),
        ("agenda", {"stage": "noticed", **NEWEST}),
        ("latest_batches", {"station": THEIRS, **NEWEST}),
        ("stations", {"after": "", "limit": 100}),
        ("exam_days", {"station": THEIRS, "since": "2026-01-02", "until": "2026-01-04"}),
        ("panel", OF_BATCH),
        ("assignments", {"examiner": "e1", **NEWEST}),
        ("latest_assignments", {"examiners": [f"e{n}" for n in range(50)]}),
    ],
    "scoring": [
        ("sheet", {"sheet": "B-60"}),
        ("sheets", {**OF_BATCH, "examiner": "somebody", "after": "", "limit": 100}),
        ("result", {"application": ROW}),
        ("result_status", {"application": ROW}),
        ("marks", {"application": ROW}),
        ("results", {**OF_BATCH, **PAGE}),
        ("results_in", {"status": "reviewed", **NEWEST}),
        ("own_results", {"candidate": f"{2060:032x}"}),
        ("distribution", {"batch": f"{41:032x}"}),
        ("desk", {"examiner": "somebody", "status": "", "after": "", "limit": 100}),
        ("desk", {"examiner": "somebody", "status": "open", "after": "", "limit": 100}),
        ("desk", {"examiner": "somebody", "status": "marked", "after": "", "limit": 100}),
        ("proposals", {"after": "", "limit": 100}),
        ("signing_key", {"examiner": "somebody"}),
    ],
    "certification": [
        ("certificate", {"number": "N60"}),
        ("certificates", {**OF_BATCH, "after": "", "limit": 100}),
        ("dossier", {"application": ROW}),
        ("statistics", OF_BATCH),
        ("statistics_of", {"batches": (OF_BATCH["batch"],)}),
        ("waiting", NEWEST),
        ("own_certificates", {"candidate": ROW}),
    ],
}
CASES = [
    pytest.param(service, name, asked, id=f"{service}-{name}-{number}")
    for service, cases in ASKED.items()
    for number, (name, asked) in enumerate(cases)
]
every_list = pytest.mark.parametrize(("service", "name", "asked"), CASES)

ACROSS = {
    "accounts", "agenda", "assignments", "desk", "latest_assignments", "proposals", "results_in", "stations",
    "waiting",
}  # fmt: skip
NO_STATIONS = {("scoring", "signing_key")}  # public by what it is


@pytest.fixture(scope="module")
def full(cluster: Cluster) -> Iterator[dict[str, Connection[Any]]]:
    """A connection to each service's database, whose projections have twenty thousand rows."""
    cluster.clone(SERVICES)
    connections = {service: cluster.connect(service) for service in SERVICES}
    for service, connection in connections.items():
        _fill(connection, service, ROWS)
    yield connections
    for connection in connections.values():
        connection.close()


def _fill(connection: Connection[Any], service: str, rows: int) -> None:
    for projection in definition(service).projections:
        builds.install(connection, projection)
    with connection.transaction():
        builds.see_live(connection)
        for statement in FILLED[service]:
            connection.execute(statement, (rows,))
    for schema, table in connection.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE tableowner = current_user"
    ).fetchall():
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, table)))


def _ask(connection: Connection[Any], service: str, name: str, asked: dict[str, Any]) -> tuple[Any, Any]:
    """(the answer, its plan)."""
    with connection.transaction():
        builds.see_live(connection)
        with connection.cursor(row_factory=dict_row) as rows:
            explained = Explained(rows)
            return getattr(SERVICES[service], name)(explained, **asked), explained.plan


def _touched(plan: dict[str, Any], name: str) -> float:
    """How many rows were read; without the sittings that are counted for a batch, which plans them."""
    return touched(plan, "" if name.startswith("sitting") else "sittings")


def _shown(answer: Any) -> bool:
    """Whether an answer says anything; counts of nothing do not."""
    return any(answer.values()) if isinstance(answer, dict) else bool(answer)


def _about_them(name: str, asked: dict[str, Any]) -> bool:
    """Whether everything that is asked for is THEIRS."""
    if name in ("examiners", "trainings"):
        return bool(asked["station"])
    if name == "applications":
        return bool(asked["station"] or asked["batch"] or asked["text"] not in ("", "0000"))
    return name not in ACROSS


@every_list
@pytest.mark.parametrize("own", ["", THEIRS])
def test_a_page_reads_no_more_than_it_shows_however_long_the_list(
    full: dict[str, Connection[Any]], service: str, name: str, asked: dict[str, Any], own: str
) -> None:
    within = {"own": own} if (service, name) not in NO_STATIONS else {}
    answer, plan = _ask(full[service], service, name, {**asked, **within})
    assert _touched(plan, name) <= MOST, plan
    assert _shown(answer) or (service, name) in NO_STATIONS


@every_list
def test_the_staff_of_a_station_are_shown_nothing_of_another(
    full: dict[str, Connection[Any]], service: str, name: str, asked: dict[str, Any]
) -> None:
    if (service, name) in NO_STATIONS:
        assert "own" not in inspect.signature(getattr(SERVICES[service], name)).parameters
        return
    answer, _ = _ask(full[service], service, name, {**asked, "own": OURS})
    rows = answer if isinstance(answer, list) else [answer]
    assert {row["station"] for row in rows if row and "station" in row} <= {OURS}
    if _about_them(name, asked):
        assert not _shown(answer)


def test_every_list_is_tried(full: dict[str, Connection[Any]]) -> None:
    for service, queries in SERVICES.items():
        public = {
            name
            for name, each in inspect.getmembers(queries, inspect.isfunction)
            if not name.startswith("_") and each.__module__ == queries.__name__
        }
        by_name = {"applications_named"}  # through the vault's index: tests/integration/store/test_names.py
        assert public - by_name == {name for name, _ in ASKED[service]}


def test_pages_of_applications_join_without_a_gap_and_newest_first(full: dict[str, Connection[Any]]) -> None:
    found: list[str] = []
    while page := _ask(
        full["registration"],
        "registration",
        "applications",
        {**ANY, "station": THEIRS, "status": "rejected", "limit": 7, "after": (found or [LAST])[-1]},
    )[0]:
        found += [row["application"].replace("-", "") for row in page]
    assert found == [f"{n:032x}" for n in range(99, 49, -1)]


def test_a_station_is_listed_once_with_its_newest_batch(full: dict[str, Connection[Any]]) -> None:
    found, _ = _ask(full["scheduling"], "scheduling", "stations", {"after": "", "limit": 100})
    assert [row["station"] for row in found] == [str(10_012_000 + n) for n in range(40)]
    assert int(found[1]["batch"].replace("-", ""), 16) == ROWS - 39


def test_who_has_several_roles_at_a_station_is_listed_once_on_the_page_of_his_id(
    full: dict[str, Connection[Any]],
) -> None:
    connection, found = full["registration"], list[str]()
    with connection.transaction(force_rollback=True):
        builds.see_live(connection)
        connection.execute(
            "INSERT INTO appointments SELECT account, more.role, body FROM appointments,"
            " (VALUES ('invigilator'), ('trainer')) AS more (role)"
            " WHERE body = %s ORDER BY account LIMIT 30",
            (f"station-{THEIRS}",),
        )
        while page := _ask(
            connection,
            "registration",
            "accounts",
            {"own": THEIRS, "limit": 7, "after": (found or [FIRST])[-1]},
        )[0]:
            found += [row["account"] for row in page]
            if len(found) > 60:
                break
    assert [int(each.replace("-", ""), 16) for each in found] == [40 * n + 1 for n in range(len(found))]
