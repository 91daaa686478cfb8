"""Logs filled with valid chains, as the product's tables would stand after a long time.

A source's log is filled by COPY, the audit log by its own consumer in large batches.

Indexes stay in place, so that the tables come out as they do when they grow. Not filled: claims (those of
concluded applications are gone) and duties (a few rows for each batch).
"""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg import Connection

from bench import lives
from bench.stage import Stage
from services.audit.log import recorder
from shared.runtime.definition import definition
from shared.runtime.delivery import consumers
from shared.runtime.executor import Executor
from shared.security.keys import Signer
from shared.wire.envelope import GENESIS, Sealed

_PORTION = 50_000
_HEADS = 500  # events that one signed head speaks of
_BATCH = 5_000
_ANSWER = (
    b'{"events":[{"id":"0199c0de-0000-7300-8000-000000000000","type":"ApplicationSubmitted"}],"version":1}'
)


def committed(dsn: str, first: int, count: int) -> Callable[[], None]:
    """Events that are decided, and not in the log yet."""

    def fill() -> None:
        with psycopg.connect(dsn) as connection:
            _events(connection, lives.drafts(first), count)

    return fill


def source(dsn: str, secrets: str, first: int, count: int) -> Callable[[], None]:
    """Registration's log from event `first` on, sealed, signed, and marked as confirmed by the bus."""

    def fill() -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            row = connection.execute("SELECT hash FROM relay").fetchone()
            assert row is not None
            drafts, entries = lives.drafts(first), lives.entries(first, row[0])
            for done in range(0, count, _PORTION):
                with connection.transaction():
                    part = min(_PORTION, count - done)
                    _events(connection, drafts, part)
                    _log(connection, entries, part, signer)
            connection.execute("UPDATE relay SET published = position")

    signer = Signer.load(Path(secrets), lives.SOURCE)
    return fill


def audit(dsn: str, first: int, count: int) -> Callable[[], None]:
    """The audit log of the same events, by its own consumer in large batches, and its checkpoint."""

    def fill() -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            # the referenced entries are those of the same batch: looking each up would only take time
            connection.execute("SET session_replication_role = replica")
            row = connection.execute(
                "SELECT hash FROM checkpoints WHERE source = %s", (lives.SOURCE,)
            ).fetchone()
            entries = lives.entries(first, row[0] if row else GENESIS)
            for done in range(0, count, _BATCH):
                batch = islice(entries, min(_BATCH, count - done))
                events = [Sealed(entry.sealed, entry.hash, orjson.loads(entry.sealed)) for entry in batch]
                with connection.transaction():
                    recorder.handle(connection, events)

    return fill


def caught_up(stage: Stage, *services: str) -> None:
    """Lets all consumers of these services have applied what registration's log has."""
    with stage.admin("registration") as connection:
        row = connection.execute("SELECT position, hash FROM relay").fetchone()
    assert row is not None
    for service in services:
        parts = definition(service)
        executor = Executor(parts, f"/centre/{service}") if parts.aggregates else None
        with stage.admin(service) as connection:
            for consumer in consumers(parts, executor, "centre"):
                if "registration" in consumer.sources:
                    connection.execute(
                        "INSERT INTO checkpoints VALUES (%s, %s, %s, %s) ON CONFLICT (consumer, source)"
                        " DO UPDATE SET position = excluded.position, hash = excluded.hash",
                        (consumer.name, lives.SOURCE, *row),
                    )


def _events(connection: Connection[Any], drafts: Iterator[lives.Drafted], count: int) -> None:
    answers = []
    with connection.cursor().copy("COPY events (stream, version, draft) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["text", "int4", "bytea"])
        for event in islice(drafts, count):
            copy.write_row((event.stream, event.version, event.draft))
            answers.append(UUID(event.words[b"command"].decode()))
    with connection.cursor().copy("COPY commands FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["uuid", "bytea", "bytea"])
        for command in answers:
            copy.write_row((command, GENESIS, _ANSWER))


def _log(connection: Connection[Any], entries: Iterator[lives.Entry], count: int, signer: Signer) -> None:
    heads = []
    with connection.cursor().copy("COPY log (position, hash, sealed) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int8", "bytea", "bytea"])
        for place, entry in enumerate(islice(entries, count), start=1):
            copy.write_row((entry.position, entry.hash, entry.sealed))
            if place % _HEADS == 0 or place == count:
                heads.append((entry.position, entry.hash))
    signed = [(position, head, signer.sign(position, head)) for position, head in heads]
    connection.cursor().executemany("INSERT INTO heads VALUES (%s, %s, %s)", signed)
    connection.execute(
        "UPDATE relay SET (xid, seq) = (SELECT xid, seq FROM events ORDER BY xid DESC, seq DESC LIMIT 1),"
        " position = %s, hash = %s",
        heads[-1],
    )
