"""Looking after the sources: what each states of its log, and whether audit has all of it.

A look asks the source's feed first and then, in one transaction, judges, tells what it found, and remembers.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
from psycopg import Connection

from services.audit import seals
from services.audit.domain import leaf
from services.audit.domain.sources import (
    Arrival,
    Found,
    Gap,
    Limits,
    Look,
    Record,
    Statement,
    Waiting,
    asked,
    early,
    judge,
    late,
)
from services.audit.log import recorder
from services.audit.raising import raise_finding
from shared.contracts import DECIDING, SOURCES
from shared.kernel.clock import Clock, moment, stamp, utc_now
from shared.runtime.delivery import FeedUnavailable
from shared.runtime.settings import Settings
from shared.security.heads import Heartbeat
from shared.wire.envelope import digest

_PAGE = 5000  # entries of one look at lateness
_ANY = 2**63 - 1
_ALONE = "SELECT pg_try_advisory_xact_lock(2, hashtext(%s))"  # against another audit that looks
_RECORD = "SELECT looked, record FROM source_heads WHERE source = %s"
_KEEP = "SELECT keep_head(%s, %s, %s, %s, %s, %s)"
_EVIDENCE = "SELECT keep_evidence(%s, %s, NULL, %b, %s)"
_RECEIVED = "SELECT position FROM checkpoints WHERE consumer = %s AND source = %s"
_LEAVES = "SELECT position, leaf FROM entries WHERE source = %s AND position = ANY (%s)"
_RECEIVED_AT = "SELECT received_at FROM entries WHERE source = %s AND position = %s"
_ARRIVED = """
SELECT position, received_at, leaf, type FROM entries WHERE source = %s AND position > %s AND position <= %s
 ORDER BY position LIMIT %s
"""

Ask = Callable[[str], Heartbeat | None]  # what a service has stated last; FeedUnavailable


class Watch:
    """Looks at every source, one after the other: `step()`."""

    def __init__(
        self,
        settings: Settings,
        connect: Callable[[], Any],
        ask: Ask,
        clock: Clock = utc_now,
        sources: Iterable[str] = SOURCES,
    ) -> None:
        self._settings, self._connect, self._ask, self._clock = settings, connect, ask, clock
        self._sources = tuple(sources)
        self._deciding = {settings.source(service) for service in DECIDING}
        self._began = clock()
        self._looked: dict[str, int] = {}  # of each source, by this process: the database's may be moved on
        self._again: dict[str, tuple[int, int]] = {}  # what it looks at anew: from where on, and to where
        self._limits = Limits(
            timedelta(seconds=settings.silence_seconds),
            timedelta(seconds=settings.missing_seconds),
            timedelta(seconds=settings.transit_seconds),
        )

    def step(self) -> list[Found]:
        """What is new; it is in the table of findings when this returns."""
        return [found for service in self._sources for found in self._look(service)]

    def _look(self, service: str) -> list[Found]:
        try:
            said = self._ask(service)  # before the transaction: nothing is held while somebody is asked
        except FeedUnavailable:
            said = None
        with self._connect() as connection, connection.transaction():
            source = self._settings.source(service)
            if not connection.execute(_ALONE, (source,)).fetchone()[0]:
                return []
            found, looked, again = self._judge(connection, source, said)
        self._looked[source], self._again[source] = looked, again
        return found

    def _judge(
        self, connection: Connection[Any], source: str, said: Heartbeat | None
    ) -> tuple[list[Found], int, tuple[int, int]]:
        stored, record = _remembered(connection, source)
        look = self._gather(connection, source, record, said)
        record, found = judge(record, look, self._limits)
        looked = self._looked.get(source, min(stored, look.received))
        again = self._again.get(source, (0, looked))
        looked, more = self._arrived(connection, source, looked)
        # whoever moved the mark while nobody ran has hidden nothing: a process looks at all of it once more
        behind, once_more = self._arrived(connection, source, *again)
        found += more + once_more + self._unsealed(connection, source)
        for each in found:
            _tell(connection, source, each)
        _keep(connection, source, max(stored, looked), record)
        return found, looked, (behind, again[1])

    def _gather(
        self, connection: Connection[Any], source: str, record: Record, heartbeat: Heartbeat | None
    ) -> Look:
        said = _statement(heartbeat)
        received = _one(connection, _RECEIVED, recorder.name, source)
        denied = connection.execute(_RECEIVED_AT, (source, said.position + 1)).fetchone() if said else None
        return Look(
            now=self._clock(),
            began=self._began,
            received=received,
            said=said,
            signed=heartbeat is not None and heartbeat.signed(self._settings.secrets / "sources"),
            hashes=_hashes(connection, source, asked(record, said)),
            denied=denied[0] if denied else None,
        )

    def _arrived(
        self, connection: Connection[Any], source: str, looked: int, upto: int = _ANY
    ) -> tuple[int, list[Found]]:
        with connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_ARRIVED, (source, looked, upto, _PAGE)).fetchall()
        if not rows:
            return looked, []
        said = [orjson.loads(row[2].partition(b"\n")[0]) for row in rows]
        # a finding about the lateness of findings would be the next one
        ours = source == self._settings.source("audit")
        arrivals = [
            Arrival(position, moment(event["recordedtime"]), received)
            for (position, received, _, type), event in zip(rows, said, strict=True)
            if not (ours and type == "FindingRaised")
        ]
        found = late(arrivals, self._limits.transit) + early(arrivals)
        return rows[-1][0], found + seals.look(connection, source, said)

    def _unsealed(self, connection: Connection[Any], source: str) -> list[Found]:
        if source not in self._deciding:
            return []
        return seals.unsealed(connection, source, self._clock() - self._limits.missing)


def _one(connection: Connection[Any], query: str, *values: Any) -> int:
    row = connection.execute(query, values).fetchone()
    return int(row[0]) if row else 0


def _hashes(connection: Connection[Any], source: str, positions: set[int]) -> dict[int, str]:
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(_LEAVES, (source, sorted(positions))).fetchall()
    return {position: leaf.hash_of(entry).hex() for position, entry in rows}


def _tell(connection: Connection[Any], source: str, found: Found) -> None:
    detail = dict(found.detail)
    if found.evidence is not None:
        shown = _evidence(source, found.evidence)
        connection.execute(_EVIDENCE, (source, found.evidence.position or None, shown, found.kind))
        detail["evidence"] = digest(shown).hex()
    body = source.split("/")[1]
    positions = found.first, found.last
    raise_finding(
        connection, body, found.kind, source, positions, found.indexes, _as_json(detail), found.batch
    )


def _evidence(source: str, said: Statement) -> bytes:
    """A statement with its signature: whoever has the source's public key can check it."""
    return _as_json({"source": source, **asdict(said)})


# --- what is remembered


def _remembered(connection: Connection[Any], source: str) -> tuple[int, Record]:
    row = connection.execute(_RECORD, (source,)).fetchone()
    return (row[0], _record(row[1])) if row else (0, Record())


def _keep(connection: Connection[Any], source: str, looked: int, record: Record) -> None:
    head = record.head
    stated = (head.position, head.hash, stamp(head.time)) if head else (0, "", "")
    connection.execute(_KEEP, (source, *stated, looked, _written(record)))


def _written(record: Record) -> str:
    return _as_json(asdict(record)).decode()


def _record(said: dict[str, Any]) -> Record:
    read = {
        "head": _of(said, "head", _stated),
        "last": _of(said, "last", _stated),
        "unproven": tuple(map(_stated, said["unproven"])),
        "waiting": _of(said, "waiting", lambda it: Waiting(it["first"], moment(it["since"]))),
        "gap": _of(said, "gap", lambda it: Gap(**it)),
        "silent": _of(said, "silent", moment),
    }
    return Record(**{**said, **read})


def _of(said: dict[str, Any], name: str, make: Callable[[Any], Any]) -> Any:
    return None if said[name] is None else make(said[name])


def _stated(said: dict[str, Any]) -> Statement:
    return Statement(said["position"], said["hash"], moment(said["time"]), said["signature"])


def _statement(said: Heartbeat | None) -> Statement | None:
    if said is None:
        return None
    return Statement(said.position, said.hash.hex(), moment(said.time), said.signature.hex())


_as_json = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME, default=stamp)
