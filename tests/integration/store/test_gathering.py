"""Gathered rows: one journey to the database writes what statement by statement would have written."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from shared.contracts import SOURCES
from shared.contracts.registration import TrainingHeld
from shared.contracts.scoring import PartScored
from shared.kernel.events import Event
from shared.kernel.ids import derived_id
from shared.kernel.reactions import Projection
from shared.runtime.definition import definition
from shared.store.gathering import _PORTION, Gathered
from shared.wire import examples
from tests.integration.store.office import Office

PROJECTIONS = [projection for service in SOURCES for projection in definition(service).projections]
TABLE = (
    "CREATE TABLE things (id uuid PRIMARY KEY, name text, size int, tags text[], sizes int[], good boolean)"
)
INSERT = "INSERT INTO things VALUES (%s, %s, %s, %s, %s, %s)"
RENAME = "UPDATE things SET name = %s WHERE id = %s"
A, B = derived_id("a"), derived_id("b")


@pytest.fixture
def connection(office: Office) -> Connection[Any]:
    """Within a schema of its own."""
    empty(office.connection, TABLE)
    return office.connection


def empty(connection: Connection[Any], tables: str) -> None:
    connection.execute("DROP SCHEMA IF EXISTS grown CASCADE")
    connection.execute("CREATE SCHEMA grown")
    connection.execute("SET search_path TO grown")
    connection.execute(tables)


def things(connection: Connection[Any]) -> list[Any]:
    return connection.execute("SELECT * FROM things ORDER BY name").fetchall()


def test_values_of_every_kind_arrive_as_they_are(connection):
    awkward = 'it\'s $1 %s "quoted" \\ 化工 {a,b} [c]\n\t'
    values = (A, awkward, -7, [awkward, "", "null"], [1, 2], True)
    nothing = (B, None, None, None, None, None)
    with connection.transaction():
        rows = Gathered(connection.cursor())
        rows.execute(INSERT, values)
        rows.execute(INSERT, nothing)
        rows.execute("UPDATE things SET sizes = %s WHERE id = %s", ([], B))
        assert things(connection) == []
        rows.write()
    assert [(str(id), *others) for id, *others in things(connection)] == [
        values,
        (B, None, None, None, [], None),
    ]


def test_statements_are_written_in_the_order_in_which_they_were_asked_for(connection):
    with connection.transaction():
        rows = Gathered(connection.cursor())
        rows.execute(INSERT, (A, "first", 1, [], [], True))
        rows.execute(RENAME, ("second", A))
        rows.execute("DELETE FROM things WHERE id = %s", (A,))
        rows.execute(INSERT, (A, "third", 1, [], [], True))
        rows.execute(RENAME, ("fourth", A))
        rows.execute("UPDATE things SET size = size + 1")
        rows.write()
    assert [(row[1], row[2]) for row in things(connection)] == [("fourth", 2)]


def test_a_question_sees_what_came_before_it(connection):
    with connection.transaction(), connection.pipeline():
        rows = Gathered(connection.cursor())
        rows.execute(INSERT, (A, "first", 1, [], [], True))
        assert rows.execute("SELECT name FROM things").fetchone() == ("first",)
        back = rows.execute("UPDATE things SET name = %s RETURNING size", ("next",))
        assert back.fetchone() == (1,)
        rows.execute("UPDATE things SET name = %(name)s", {"name": "100% last"})
        rows.execute("UPDATE things SET size = 2 WHERE name LIKE '100%%' AND id = %s", (A,))
        rows.write()
    assert [(row[1], row[2]) for row in things(connection)] == [("100% last", 2)]


def test_more_rows_than_fit_into_a_portion_are_written_in_order(connection):
    many, kinds = 3 * _PORTION + 1, {}
    with connection.transaction(), connection.pipeline():
        rows = Gathered(connection.cursor(), kinds)
        rows.execute(INSERT, (A, "", 0, [], [], True))
        for number in range(1, many):
            rows.execute(f"UPDATE things SET name = name || %s, size = {number % 3} WHERE id = %s", ("x", A))
        rows.write()
    assert [(row[1], row[2]) for row in things(connection)] == [("x" * (many - 1), (many - 1) % 3)]
    assert len(kinds) == 4


def test_what_the_database_refuses_is_refused_and_nothing_stays_behind(connection):
    with pytest.raises(psycopg.errors.UniqueViolation), connection.transaction():
        rows = Gathered(connection.cursor())
        rows.execute(INSERT, (A, "first", 1, [], [], True))
        rows.execute(INSERT, (A, "again", 1, [], [], True))
        rows.write()
    assert things(connection) == []
    with connection.transaction():
        rows = Gathered(connection.cursor())
        rows.execute(INSERT, (A, "first", 1, [], [], True))
        rows.write()
    assert connection.execute("SELECT current_setting('jianding.gathered')").fetchone() == ("",)
    statements = connection.execute("SELECT name FROM pg_prepared_statements").fetchall()
    assert not [name for (name,) in statements if name.startswith("gathered")]


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_every_projection_writes_the_same_gathered_as_one_by_one(
    office: Office, projection: Projection
) -> None:
    assert told(office, projection, gathered=True) == told(office, projection, gathered=False) != []


def example(event: type[Event]) -> Event:
    found = examples.example(event)
    if isinstance(found, TrainingHeld):
        return replace(found, training=found.batch)
    return replace(found, part="theory") if isinstance(found, PartScored) else found


def told(office: Office, projection: Projection, *, gathered: bool) -> list[Any]:
    """All rows after an example of each event."""
    connection = office.connection
    empty(connection, projection.tables + projection.indexes)
    with connection.transaction(), connection.cursor() as cursor:
        rows = Gathered(cursor) if gathered else cursor
        for event in projection.events:
            projection.write(example(event), rows, "2026-04-16T01:30:00.000000Z")
        if gathered:
            rows.write()
    tables = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'grown' ORDER BY 1"
    ).fetchall()
    return [row for (table,) in tables for row in connection.execute(f"SELECT * FROM {table}").fetchall()]
