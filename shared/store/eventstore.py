"""The log of one service as its executor sees it: load a stream, append to it, remember the command."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from psycopg import Connection, errors

from shared.kernel.errors import Conflict
from shared.kernel.faults import reached

_LOAD = "SELECT draft, version FROM events WHERE stream = %s ORDER BY version"
_LOAD_LAST = (
    "SELECT draft, version FROM (SELECT draft, version FROM events WHERE stream = %s ORDER BY version DESC"
    " LIMIT %s) AS newest ORDER BY version"
)
_NO_DUTIES = "'{}', '{}', '{}', '{}'"


class ClaimTaken(Exception):
    """Another stream holds what this one claims."""


class CommandKnown(Exception):
    """A command with this id was accepted before."""


class DutyTaken(Conflict):
    """Another duty of the same person was committed first: decide again, and see it."""


@dataclass(frozen=True)
class Duty:
    """`actor` holds `role` in `batch`, with the exclusions that the role takes part in."""

    batch: str
    actor: str
    role: str
    exclusions: Sequence[str]


@dataclass(frozen=True)
class Append:
    """All that one accepted command commits together."""

    stream: str
    expected: int
    drafts: Sequence[bytes]
    command_id: str
    fingerprint: bytes
    result: bytes
    claimed: Sequence[str] = ()
    released: Sequence[str] = ()
    duties: Sequence[Duty] = field(default=())


def load(connection: Connection[Any], stream: str, last: int | None = None) -> tuple[list[bytes], int]:
    """Drafted events of a stream in order (or only the `last` ones), and the stream's version (0: none)."""
    with connection.cursor(binary=True) as cursor:
        rows = (
            cursor.execute(_LOAD_LAST, (stream, last)) if last else cursor.execute(_LOAD, (stream,))
        ).fetchall()
    return [row[0] for row in rows], rows[-1][1] if rows else 0


def append(connection: Connection[Any], entry: Append) -> None:
    """Commits (or joins the caller's transaction) all of it or nothing.

    Raises Conflict, ClaimTaken or CommandKnown; within a transaction the caller has to roll back then.
    """
    rows = [(d.batch, d.actor, exclusion, d.role) for d in entry.duties for exclusion in d.exclusions]
    statement = _append(len(entry.drafts), len(entry.claimed), len(entry.released), bool(rows))
    values = (
        entry.stream,
        entry.expected,
        *entry.drafts,
        entry.command_id,
        entry.fingerprint,
        entry.result,
        *entry.claimed,
        *entry.released,
        *(list(column) for column in zip(*rows, strict=True)),
    )
    reached("append")
    try:
        connection.execute(statement, values)
    except errors.UniqueViolation as violation:
        raise _named(violation) from None
    except errors.DatabaseError as error:
        if error.sqlstate == "JD001":
            raise Conflict(entry.stream) from None
        raise
    reached("appended")


@cache
def _append(drafts: int, claimed: int, released: int, duties: bool) -> str:
    """The call for so many values of each kind: psycopg takes a quarter of an append to spell seven lists."""
    columns = "%s::uuid[], %s, %s, %s" if duties else _NO_DUTIES
    return (
        f"SELECT append(%s, %s, {_array(drafts, '%b')}::bytea[], %s, %b, %b,"
        f" {_array(claimed, '%s')}::text[], {_array(released, '%s')}::text[], {columns})"
    )


def _array(size: int, place: str) -> str:
    return f"ARRAY[{', '.join([place] * size)}]"


def _named(violation: errors.UniqueViolation) -> Exception:
    return {
        "events_pkey": Conflict,
        "commands_pkey": CommandKnown,
        "claims_pkey": ClaimTaken,
        "duties_pkey": DutyTaken,
    }[violation.diag.constraint_name or ""]()


def remembered(connection: Connection[Any], command_id: str) -> tuple[bytes, bytes] | None:
    """(fingerprint, result) of an accepted command, or None."""
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute(
            "SELECT fingerprint, result FROM commands WHERE command_id = %s", (command_id,)
        ).fetchone()
    return (row[0], row[1]) if row else None


def duties(connection: Connection[Any], batch: str, actor: str) -> set[str]:
    """The roles that `actor` holds in `batch`."""
    rows = connection.execute(
        "SELECT DISTINCT role FROM duties WHERE batch = %s AND actor = %s", (batch, actor)
    ).fetchall()
    return {row[0] for row in rows}


def note_duties(connection: Connection[Any], duties: Sequence[Duty]) -> None:
    """Remembers duties that others' events show."""
    rows = [(d.batch, d.actor, exclusion, d.role) for d in duties for exclusion in d.exclusions]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        connection.execute("SELECT note_duties(%s::uuid[], %s, %s, %s)", columns)
