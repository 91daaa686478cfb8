"""The bare minimum with psycopg: one event and one command's answer, committed; nothing read or checked.

Its ids follow the time as ours do: those that do not cost every peer pages of its indexes.
"""

import os
from collections.abc import Callable

import psycopg

from shared.kernel.ids import new_id

TABLES = """
CREATE TABLE events (
    stream text NOT NULL, version int NOT NULL, seq bigint GENERATED ALWAYS AS IDENTITY, draft bytea NOT NULL,
    PRIMARY KEY (stream, version)
);
CREATE TABLE commands (command_id uuid PRIMARY KEY, fingerprint bytea NOT NULL, result bytea NOT NULL);
"""
_EVENT = "INSERT INTO events (stream, version, draft) VALUES (%s, 1, %s)"
_COMMAND = "INSERT INTO commands VALUES (%s, %s, %s)"
_BOTH = (
    "WITH event AS (INSERT INTO events (stream, version, draft) VALUES (%s, 1, %s))"
    " INSERT INTO commands VALUES (%s, %s, %s)"
)


def inserting(dsn: str, size: int, number: int) -> Callable[[], None]:
    """A transaction with its two inserts, as a program would write it: four round trips."""
    connection = psycopg.connect(dsn, autocommit=True)
    body, print_, answer = os.urandom(size), os.urandom(32), os.urandom(180)

    def once() -> None:
        with connection.transaction():
            connection.execute(_EVENT, (f"application-{new_id()}", body))
            connection.execute(_COMMAND, (new_id(), print_, answer))

    once()
    return once


def inserting_at_once(dsn: str, size: int, number: int) -> Callable[[], None]:
    """Both in one statement: a single round trip, the least there is."""
    connection = psycopg.connect(dsn, autocommit=True)
    body, print_, answer = os.urandom(size), os.urandom(32), os.urandom(180)

    def once() -> None:
        connection.execute(_BOTH, (f"application-{new_id()}", body, new_id(), print_, answer))

    once()
    return once


def prepare(dsn: str) -> None:
    """Empty tables."""
    with psycopg.connect(dsn) as connection:
        connection.execute(TABLES)
