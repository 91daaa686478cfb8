"""Many rows in every table that lists are read from, by SQL, where events would take an hour.

Row n has an id that grows with it, is of a batch of 500 and of one of forty stations; batches, accounts and
what belongs to none are dealt to the stations in turns. A few rows are in a status that is seldom, as those
that wait for somebody are.
"""

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import Connection, sql

from bench import lives
from services.audit.domain import leaf
from shared.runtime.definition import definition
from shared.store import builds

OF_BATCH = 500
STATIONS = 40
SELDOM = 300  # rows that are in the status of those that wait
SAME_NAME = 20  # people of one name
EXAMINER = "0199c0de-0000-7000-8000-0000000000ea"
SOURCE = "/centre/elsewhere"  # whose relay nobody watches
_AUDIT_BATCH = 50_000
_RECEIVED = "2026-04-16T01:30:00.000000Z"
_RARE = 50_000  # of so many entries, one is of a type or an actor that a trail may be asked for alone

_ID = "lpad(to_hex(n), 32, '0')::uuid"
_BATCH = f"lpad(to_hex(n / {OF_BATCH}), 32, '0')::uuid"
_STATION = f"'100120' || to_char(n / {OF_BATCH} % {STATIONS}, 'FM00')"
_PLACE = f"'100120' || to_char(n % {STATIONS}, 'FM00')"
# as a sheet has to be spelled, without the digits that its alphabet lacks
_SHEET = "'B-' || translate(lpad(to_hex(n), 10, '0'), '0123456789abcdef', '23456789ABCDEFGH') || '-theory'"
_SERIAL = f"n / {OF_BATCH * STATIONS} * {OF_BATCH} + n % {OF_BATCH} + 1"
_NUMBER = f"'08' || {_STATION} || '4' || to_char({_SERIAL}, 'FM00000')"
_AT = "to_char(timestamp '2026-01-01' + n * interval '{}', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_FILL = {
    "registration": (
        f"""INSERT INTO applications SELECT {_ID}, {_ID}, {_BATCH}, {_STATION}, '化工分析工', 4,
            CASE WHEN n <= {SELDOM} THEN 'submitted' ELSE 'concluded' END,
            'T' || translate(lpad(to_hex(n), 15, '0'), '0123456789abcdef', '23456789ABCDEFGH'),
            'published'""",
        f"INSERT INTO accounts SELECT {_ID}, true, ARRAY['examiner@station-' || {_PLACE}], ''",
        f"INSERT INTO appointments SELECT {_ID}, 'examiner', 'station-' || {_PLACE}",
        f"INSERT INTO trainings SELECT {_ID}, {_BATCH}, {_PLACE}, '化工分析工', '', 60, 80, ''",
        f"""INSERT INTO public.vault (person, number_index, wrapped_key, sealed, name_index)
            SELECT {_ID}, sha256({_ID}::text::bytea), '', '', sha256((n / {SAME_NAME})::text::bytea)""",
    ),
    "scheduling": (
        f"""INSERT INTO batches SELECT {_ID}, {_PLACE}, '化工分析工', '1999', '{{4}}', {OF_BATCH},
            {_AT.format("10 minutes")}, {_AT.format("15 minutes")},
            CASE WHEN n <= {SELDOM} THEN 'noticed' ELSE 'closed' END, ''""",
        f"INSERT INTO sittings SELECT {_ID}, {_ID}, {_BATCH}, 4, 'A101', 1, '', 'drawn'",
        f"""INSERT INTO panels SELECT {_BATCH}, CASE WHEN n % {OF_BATCH} = 0 THEN '{EXAMINER}'
            ELSE 'e' || n % {OF_BATCH} END, 'theory', false""",
    ),
    "scoring": (
        f"""INSERT INTO results SELECT {_ID}, {_ID}, {_BATCH}, {_STATION}, n % 101, 80, true, '',
            CASE WHEN n <= {SELDOM} THEN 'combined' ELSE 'published' END""",
        f"""INSERT INTO sheets SELECT {_SHEET}, 'B', {_BATCH}, 'theory', '', ARRAY[{{examiner}}], 'scored'""",
        f"""INSERT INTO desks SELECT {{examiner}}, {_SHEET}, 'B', {_BATCH}, 'theory', '',
            CASE WHEN n <= {SELDOM} THEN 'open' ELSE 'scored' END""",
        f"INSERT INTO proposals SELECT {_SHEET}, {_BATCH}, {_STATION}, 'theory', 60, 61, '', ''",
    ),
    "certification": (
        f"""INSERT INTO certificates SELECT {_NUMBER}, {_ID}, {_ID}, {_BATCH}, {_STATION},
            '化工分析工', '1999', 4, 70, 80, '', ''""",
        f"""INSERT INTO dossiers SELECT {_ID}, {_ID}, {_BATCH}, {_STATION}, '化工分析工', '1999', 4,
            '{{registered}}', true, CASE WHEN n % 2 = 0 THEN 'open' ELSE 'issued' END, ''""",
    ),
}
_FINDINGS = f"""
INSERT INTO findings (kind, source, first_position, detail)
SELECT CASE WHEN n %% {_RARE} = 0 THEN 'seldom' ELSE 'silence' END,
       CASE WHEN n %% {_RARE} = 1 THEN '/centre/seldom' ELSE '{SOURCE}' END, n, '{{}}'
  FROM generate_series(1, %s) AS n
"""
_ENTRIES = f"""
INSERT INTO entries
SELECT n, '{SOURCE}', n + 1, {_ID}, CASE WHEN n %% {_RARE} = 0 THEN 'Seldom' ELSE 'ApplicationSubmitted' END,
       CASE WHEN n %% {_RARE} = 1 THEN 'seldom' ELSE %(actor)s END, 'exam_affairs',
       timestamptz '2026-01-01' + n * interval '1 second', %(leaf)s
  FROM generate_series(%(first)s::bigint, %(last)s) AS n
"""
# of each entry its candidate, its batch and its station, so that one of the forty has 25,000
_SUBJECTS = f"""
INSERT INTO subjects
SELECT kind, ref, n, 1, -1 FROM generate_series(%(first)s::bigint, %(last)s) AS n, LATERAL (VALUES
    ('candidate', ({_ID})::text), ('batch', ({_BATCH})::text),
    ('station', {_STATION.replace("%", "%%")})) AS about (kind, ref)
"""
_TILES = "INSERT INTO tiles SELECT %s, n, %s FROM generate_series(0, %s) AS n"
_CHECKS = "INSERT INTO checks (asked_by, whole, ended_at) SELECT '', n, now() FROM generate_series(1, %s) n"


def projected(dsn: str, service: str, rows: int) -> Callable[[], None]:
    """The tables of a service's projections, by its administrator."""

    def fill() -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            # as who owns them; its own log-in ends a transaction that takes long
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(f"{service}_service")))
            for projection in definition(service).projections:
                builds.install(connection, projection)
            for statement in _FILL[service]:
                with connection.transaction():
                    builds.see_live(connection)
                    text = statement.replace("{examiner}", f"'{EXAMINER}'")
                    connection.execute(f"{text} FROM generate_series(1, {rows}) AS n")  # type: ignore[arg-type]
            _analyze(connection)

    return fill


def audited(dsn: str, rows: int) -> Callable[[], None]:
    """The audit log, as far as lists read it: whoever verifies it would find that nothing fits."""

    def fill() -> None:
        sealed = next(lives.entries()).sealed
        words: dict[str, Any] = {"actor": EXAMINER, "leaf": leaf.encode(sealed, [], _RECEIVED)}
        with psycopg.connect(dsn, autocommit=True) as connection:
            for first in range(0, rows, _AUDIT_BATCH):
                words |= {"first": first, "last": min(rows, first + _AUDIT_BATCH) - 1}
                connection.execute(_ENTRIES, words)  # type: ignore[arg-type]
                connection.execute(_SUBJECTS, words)  # type: ignore[arg-type]
            heads = (rows, bytes(32), bytes(32 * rows.bit_count()))  # what is recorded meanwhile goes on from
            connection.execute("INSERT INTO tree_heads VALUES (%s, %s, %s)", heads)
            for level in (0, 1):
                connection.execute(_TILES, (level, bytes(8192), rows // 256 ** (level + 1) - 1))
            connection.execute(_FINDINGS, (rows,))  # type: ignore[arg-type]
            connection.execute(_CHECKS, (rows,))  # type: ignore[arg-type]
            _analyze(connection)

    return fill


def _analyze(connection: Connection[Any]) -> None:
    tables = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    for schema, table in tables:
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, table)))
