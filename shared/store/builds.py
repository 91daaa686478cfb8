"""Builds of a projection: readers see the live one; a new one grows beside it and replaces it in one step.

Each build is a schema `<projection>_<number>`; SQL of the projection names no schema, `search_path` chooses.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, sql

from shared.kernel.faults import reached
from shared.kernel.reactions import Projection
from shared.store.gathering import Gathered, Kinds
from shared.store.inbox import checkpoint
from shared.wire.envelope import Sealed

_REBUILDING = 0x6275696C
_LIVE = (
    "SELECT concat_ws(', ', string_agg(name || '_' || live, ', ' ORDER BY name), 'public') FROM projections"
)

_MANY = 20  # events: fewer rows are written sooner one by one
_kinds: defaultdict[str, Kinds] = defaultdict(dict)


class RebuildRunning(Exception):
    """Somebody is rebuilding this projection already; wait until that has ended."""


def install(connection: Connection[Any], projection: Projection) -> None:
    """Makes the first build where there is none; gives the live one the indexes that came after it."""
    with connection.transaction():
        connection.execute("LOCK TABLE projections IN SHARE ROW EXCLUSIVE MODE")
        found = _row(connection, projection.name)
        if found is None:
            _create(connection, projection, 1)
            connection.execute("INSERT INTO projections VALUES (%s, 1)", (projection.name,))
        else:
            _within(connection, f"{projection.name}_{found[0]}", projection.indexes)


@contextmanager
def alone(connection: Connection[Any], projection: Projection) -> Iterator[None]:
    """Keeps other rebuilds of the projection away, or raises RebuildRunning; a lost connection ends it."""
    key = (_REBUILDING, projection.name)
    row = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", key).fetchone()
    if not (row and row[0]):
        raise RebuildRunning(projection.name)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", key)


def begin(connection: Connection[Any], projection: Projection) -> int:
    """The number of the build that grows: a new one, or the one that an earlier run left unfinished."""
    with connection.transaction():
        row = _row(connection, projection.name, "FOR UPDATE")
        if row is None:
            raise LookupError(projection.name)
        live, building = row
        if building is None:
            building = live + 1
            _drop(connection, projection, live - 1)
            _create(connection, projection, building)
            connection.execute(
                "UPDATE projections SET building = %s WHERE name = %s", (building, projection.name)
            )
    return int(building)


def switch(connection: Connection[Any], projection: Projection, source: str, number: int) -> bool:
    """Puts build `number` in the live one's place if it has applied at least as much; whether it did.

    The live checkpoint is locked meanwhile; what stood parked under the old build goes with it. Its tables
    stay until the next build begins, for the readers who found them before the switch.
    """
    grown, name = consumer_of(projection, number), projection.name
    with connection.transaction():
        position, head = checkpoint(connection, grown, source)
        lived, _ = checkpoint(connection, name, source)
        if position < lived:
            return False
        connection.execute(
            "UPDATE checkpoints SET position = %s, hash = %s WHERE consumer = %s AND source = %s",
            (position, head, name, source),
        )
        connection.execute("DELETE FROM checkpoints WHERE consumer = %s", (grown,))
        connection.execute("DELETE FROM parked WHERE consumer = %s", (name,))
        connection.execute("UPDATE parked SET consumer = %s WHERE consumer = %s", (name, grown))
        connection.execute(
            "UPDATE projections SET live = %s, building = NULL WHERE name = %s", (number, name)
        )
        reached("switch")
    return True


def consumer_of(projection: Projection, number: int) -> str:
    """The name under which a growing build keeps its own checkpoint."""
    return f"{projection.name}@{number}"


def handle(
    connection: Connection[Any], projection: Projection, events: Sequence[Sealed], number: int | None = None
) -> None:
    """Applies events to the tables of a build (the live one, unless it is that `number` which grows)."""
    handled = {event.wire_name for event in projection.events}
    wanted = [event for event in events if event.type in handled]
    if not wanted:
        return
    if number is not None:
        # what a crash takes of a growing build, its checkpoint has not seen either: the switch waits for all
        connection.execute("SET LOCAL synchronous_commit = off")
    # of the time of a batch, 85 % went into waiting for the answer to each row: in a pipeline nobody waits;
    # of what was left, half went into sending each row by itself
    with connection.pipeline(), connection.cursor() as cursor:
        schema = f"{projection.name}_{_live(connection, projection) if number is None else number}"
        cursor.execute("SELECT set_config('search_path', %s, true)", (schema,))
        rows = Gathered(cursor, _kinds[projection.tables]) if len(wanted) >= _MANY else cursor
        for sealed in wanted:
            projection.write(sealed.event(), rows, sealed.attributes["time"])
        if isinstance(rows, Gathered):
            rows.write()
        cursor.execute("SELECT set_config('search_path', 'public', true)")


def _live(connection: Connection[Any], projection: Projection) -> int:
    row = _row(connection, projection.name)
    assert row is not None
    return row[0]


def see_live(connection: Connection[Any]) -> None:
    """Lets the rest of this transaction read all live projections."""
    connection.execute(f"SELECT set_config('search_path', ({_LIVE}), true)")


def _row(connection: Connection[Any], name: str, lock: str = "") -> tuple[int, int | None] | None:
    return connection.execute(
        f"SELECT live, building FROM projections WHERE name = %s {lock}",  # noqa: S608
        (name,),
    ).fetchone()


def _create(connection: Connection[Any], projection: Projection, number: int) -> None:
    schema = f"{projection.name}_{number}"
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    _within(connection, schema, projection.tables + projection.indexes)


def _within(connection: Connection[Any], schema: str, script: str) -> None:
    connection.execute("SELECT set_config('search_path', %s, true)", (schema,))
    connection.execute(script)
    connection.execute("SELECT set_config('search_path', 'public', true)")


def _drop(connection: Connection[Any], projection: Projection, number: int) -> None:
    schema = sql.Identifier(f"{projection.name}_{number}")
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))
