"""The bare minimum with psycopg: one event and one command's answer, committed; nothing read or checked.

Its ids follow the time as ours do: those that do not cost every peer pages of its indexes.
"""

import os
import time
from collections.abc import Callable
from uuid import UUID

import psycopg

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


def _new_id() -> str:
    """A UUID of version 7."""
    return str(UUID(int=time.time_ns() // 1_000_000 << 80 | 0x7 << 76 | 0b10 << 62 | _chance()))


def _chance() -> int:
    """74 random bits, in the places that a UUID of version 7 has for them."""
    bits = int.from_bytes(os.urandom(10), "big")
    return (bits >> 62 & 0xFFF) << 64 | bits & 0x3FFFFFFFFFFFFFFF


def inserting(dsn: str, size: int, number: int) -> Callable[[], None]:
    """A transaction with its two inserts, as a program would write it: four round trips."""
    connection = psycopg.connect(dsn, autocommit=True)
    body, print_, answer = os.urandom(size), os.urandom(32), os.urandom(180)

    def once() -> None:
        with connection.transaction():
            connection.execute(_EVENT, (f"application-{_new_id()}", body))
            connection.execute(_COMMAND, (_new_id(), print_, answer))

    once()
    return once


def inserting_at_once(dsn: str, size: int, number: int) -> Callable[[], None]:
    """Both in one statement: a single round trip, the least there is."""
    connection = psycopg.connect(dsn, autocommit=True)
    body, print_, answer = os.urandom(size), os.urandom(32), os.urandom(180)

    def once() -> None:
        connection.execute(_BOTH, (f"application-{_new_id()}", body, _new_id(), print_, answer))

    once()
    return once


def prepare(dsn: str) -> None:
    """Empty tables."""
    with psycopg.connect(dsn) as connection:
        connection.execute(TABLES)
