"""Verification as a task: begun, looked at, cancelled; its progress stands in the database for everybody."""

import logging
import time
from collections.abc import Callable
from typing import Any

import eventlet
import orjson
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg_pool import PoolClosed

from services.audit import bundles, promised, reads, trails, verification
from services.audit.verification import Verdict
from shared.contracts import SOURCES
from shared.kernel.actors import Actor
from shared.kernel.errors import DomainError
from shared.kernel.ids import new_id
from shared.kernel.reactions import Rows
from shared.runtime import reading
from shared.runtime.definition import Impossible
from shared.runtime.workshop import Workshop
from shared.security import heads
from shared.security.heads import Head

log = logging.getLogger(__name__)

_ON_ITS_WAY = 5.0  # seconds for what was sealed a moment ago to reach the log
_TOLD = 0.3  # seconds between two words about the progress
_ALIVE = "ended_at IS NULL AND touched_at > now() - interval '30 seconds'"
_ALONE = "SELECT pg_advisory_xact_lock(3, 0)"  # of two that begin at once, the second sees the first
_BEGIN = f"""
INSERT INTO checks (asked_by, whole)
SELECT %s, (SELECT coalesce(max(index), -1) + 1 FROM entries)
 WHERE NOT EXISTS (SELECT FROM checks WHERE {_ALIVE}) RETURNING id
"""  # noqa: S608
_TOUCH = "UPDATE checks SET done = %s, touched_at = now() WHERE id = %s RETURNING cancelled"
_END = "UPDATE checks SET ended_at = now(), touched_at = now(), done = %s, verdict = %s WHERE id = %s"
_CANCEL = f"UPDATE checks SET cancelled = true WHERE id = %s AND {_ALIVE} RETURNING id"  # noqa: S608
_STAMP = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
_SHOWN = f"""
SELECT id, asked_by, to_char(asked_at AT TIME ZONE 'UTC', {_STAMP}) AS asked_at,
       to_char(ended_at AT TIME ZONE 'UTC', {_STAMP}) AS ended_at, done, whole, cancelled, verdict,
       {_ALIVE} AS running
  FROM checks WHERE id < %(after)s ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608


class CheckRunning(DomainError):
    """已有核验任务在进行；请等待其结束，或先取消。

    The log is being verified already; wait for its end, or cancel it first.
    """


class CheckEnded(DomainError):
    """没有正在进行的这项核验；请刷新页面查看结果。

    That verification is not running; reload the page for what it found.
    """


class _Cancelled(Exception):
    """Whoever asked has thought better of it."""


def verdict(workshop: Workshop, progress: Callable[[int], None] = lambda _: None) -> Verdict:
    """Verifies the whole log against the sources' heads of this moment and what was published."""
    settings = workshop.settings
    with workshop.connect() as connection:
        promise = promised.promise(connection, settings)
    before, said = _arrived(workshop)
    with workshop.connect() as connection:
        found = verification.verify(connection, said, progress, before)
        found.problems += promised.broken(connection, settings, promise, found)
        found.lacking = promised.lacking(promise)
        return found


def verified(workshop: Workshop, by: Actor) -> Any:
    """The same at once, as data, and that he had it verified."""
    found = verdict(workshop).as_data()
    with workshop.connect() as connection:
        say(connection, workshop, by, found)
    workshop.committed()
    return found


def say(connection: Connection[Any], workshop: Workshop, by: Actor, found: dict[str, Any]) -> None:
    """`LogVerified`, in the caller's transaction if there is one."""
    id, source = new_id(), workshop.settings.source("audit")
    event = reads.verified(id, found, found["verdict"])
    reading.commit(connection, source, by, event, f"verification-{id}", id)


def _arrived(workshop: Workshop) -> tuple[dict[str, int], list[Head]]:
    """How far the log was before the heads were asked for, and the heads; waits for what is on its way."""
    deadline = time.monotonic() + _ON_ITS_WAY
    while True:
        before = _reached(workshop)
        said = [_head(workshop, service) for service in SOURCES]
        now = _reached(workshop)
        arrived = all(head.position <= now.get(head.source, 0) for head in said)
        if arrived or time.monotonic() > deadline:
            return before, said
        eventlet.sleep(0.1)


def _reached(workshop: Workshop) -> dict[str, int]:
    with workshop.connect() as connection:
        return verification.reached(connection)


def _head(workshop: Workshop, service: str) -> Head:
    """The newest head of a source, as its feed gives it."""
    said = workshop.head(service)
    hash, signature = bytes.fromhex(said["hash"]), bytes.fromhex(said["signature"])
    keys = workshop.settings.secrets / "sources"
    return heads.check(keys, workshop.settings.source(service), said["position"], hash, signature)


def begin(connection: Connection[Any], asked_by: str) -> int:
    """The id of a new task; CheckRunning while another one runs."""
    with connection.transaction():
        connection.execute(_ALONE)
        row = connection.execute(_BEGIN, (asked_by,)).fetchone()
    if row is None:
        raise CheckRunning
    return int(row[0])


def cancel(connection: Connection[Any], id: int) -> None:
    """Lets a task end at its next step; CheckEnded if it does not run."""
    if connection.execute(_CANCEL, (id,)).fetchone() is None:
        raise CheckEnded


def run(workshop: Workshop, id: int, by: Actor) -> None:
    """Works on a task to its end, whatever that is."""
    task = _Task(workshop, id, by)
    try:
        found: dict[str, Any] | None = verdict(workshop, task.progress).as_data()
    except PoolClosed:
        return  # the service ends, and with it what it was doing
    except _Cancelled:
        found = None
    except Exception:
        log.exception("a verification failed")
        found = None
    task.end(found)


class _Task:
    """Tells the database how far it has come, and hears whether it shall stop."""

    def __init__(self, workshop: Workshop, id: int, by: Actor) -> None:
        self._workshop, self._id, self._by = workshop, id, by
        self._done, self._told = 0, time.monotonic()

    def progress(self, done: int) -> None:
        self._done = done
        eventlet.sleep(0)  # others of this process want to work too
        if time.monotonic() - self._told > _TOLD:
            self._told = time.monotonic()
            with self._workshop.connect() as connection:
                row = connection.execute(_TOUCH, (done, self._id)).fetchone()
            if row and row[0]:
                raise _Cancelled

    def end(self, found: dict[str, Any] | None) -> None:
        done = found["size"] if found else self._done
        text = orjson.dumps(found).decode() if found else None
        with self._workshop.connect() as connection, connection.transaction():
            connection.execute(_END, (done, text, self._id))
            if found:
                say(connection, self._workshop, self._by, found)
        self._workshop.committed()


def shown(rows: Rows, after: int = 2**53, limit: int = 20) -> list[dict[str, Any]]:
    """The newest tasks: {id, asked_by, asked_at, ended_at, done, whole, cancelled, verdict, running}."""
    found: list[dict[str, Any]] = rows.execute(_SHOWN, {"after": after, "limit": limit}).fetchall()
    return found


class TrailUnknown(DomainError):
    """没有与此编号有关的事件；请核对对象和编号。

    The log has nothing about this id; check the kind of subject and the id.
    """

    field = "id"


class BundleNotReady(DomainError):
    """此记录暂时无法导出；请稍候片刻再试，仍不行请核对编号。

    This trail cannot be exported now; try again in a moment, and check the id if it still fails.
    """


class Checker:
    """What the service does about verification and proofs, for its entrypoints."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    def start(self, by: Actor) -> dict[str, Any]:
        """{id} of a task that runs from now on; CheckRunning while there is another."""
        with self._workshop.connect() as connection:
            id = begin(connection, by.id)
        eventlet.spawn(run, self._workshop, id, by)
        return {"id": id}

    def cancel(self, _by: Actor, id: int) -> dict[str, Any]:
        """{} once the task has been told; CheckEnded if it does not run."""
        with self._workshop.connect() as connection:
            cancel(connection, id)
        return {}

    def bundle(self, by: Actor, kind: str, id: str) -> dict[str, Any]:
        """The trail of one subject with its proofs; that it leaves the house is said first."""
        settings, made = self._workshop.settings, new_id()
        try:
            with self._workshop.connect() as connection:
                with connection.cursor(row_factory=dict_row) as rows:
                    if not trails.trail(rows, kind, id, limit=1):
                        raise TrailUnknown
                found = bundles.bundle(connection, settings, kind, id, patience=10)
                said = reads.made(made, kind, id, found)
                reading.commit(connection, settings.source("audit"), by, said, f"bundle-{made}", made)
        except Impossible:
            raise BundleNotReady from None
        self._workshop.committed()
        return found
