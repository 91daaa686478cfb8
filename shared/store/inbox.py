"""The inbox: applies the events of other logs to one consumer, each effect once and in order.

Effect and checkpoint are one transaction. A duplicate is skipped, a gap stops the batch (the caller fills it
from the source's feed), a broken chain is refused. An event that its handler cannot take is tried again,
then parked with every later event of its stream, and the rest flows on.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection

from shared.kernel.faults import reached
from shared.store.errors import PASSING
from shared.wire.envelope import GENESIS, Sealed

log = logging.getLogger(__name__)

ATTEMPTS = 3
_QUICK = 0.2  # seconds
_MOST = 5000
_LOCK = """
INSERT INTO checkpoints VALUES (%s, %s, 0, %s)
ON CONFLICT (consumer, source) DO UPDATE SET position = checkpoints.position
RETURNING position, hash
"""
_PARK = """
INSERT INTO parked (consumer, source, position, stream, type, sealed, reason)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""

Handle = Callable[[Connection[Any], Sequence[Sealed]], None]
SetAside = Callable[[Connection[Any], str, bytes, str, int | None], None]  # source, body, reason, position
Refused = Callable[[Connection[Any], Sealed, str], bool]  # why it was


class ChainBroken(Exception):
    """A source says two things about one position. Nothing after it is applied until a person looked."""

    def __init__(self, source: str, position: int) -> None:
        super().__init__(f"{source} position {position} does not follow from what was applied before")


@dataclass(frozen=True)
class Consumer:
    """Somebody who applies events: `handle` gets some in order, inside the transaction of the checkpoint.

    `at_once` bounds the first transaction of many events, because while it lasts, nothing that anybody has
    committed meanwhile is sealed (xid8 watermark). Where one was quick, the next takes twice as many; where
    it was not, as many as would have been. `sizes` remembers that for each source.
    `doubted` is shown events at positions that were applied before, nearly always the same bytes once more,
    and events that do not follow what was applied; `set_aside` is told bodies that are no events of theirs.
    `refused` is shown an event that the handler does not take; True: it has dealt with it, so that nothing is
    parked.
    """

    name: str
    sources: frozenset[str]
    handle: Handle
    at_once: int = _MOST
    doubted: Handle | None = None
    set_aside: SetAside | None = None
    refused: Refused | None = None
    sizes: dict[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Applied:
    """How far a source is applied now, and whether an event in between is missing."""

    position: int
    gap: bool


def apply(connection: Connection[Any], consumer: Consumer, source: str, events: Sequence[Sealed]) -> Applied:
    """Applies what is new of `events` (any order, repeats allowed); raises ChainBroken or a passing error."""
    ordered = sorted(events, key=lambda event: event.position)
    start = 0
    while True:
        size, began = consumer.sizes.get(source, consumer.at_once), time.monotonic()
        part = ordered[start : start + size]
        applied = _apply_some(connection, consumer, source, part)
        if len(part) == size:
            consumer.sizes[source] = _next_size(consumer, size, time.monotonic() - began)
        start += size
        if applied.gap or start >= len(ordered):
            return applied


def _next_size(consumer: Consumer, size: int, took: float) -> int:
    # beginning anew with 50 at each delivery cost four transactions for 500 events
    if took < _QUICK:
        return min(2 * size, max(_MOST, consumer.at_once))
    return max(consumer.at_once, int(size * _QUICK / took))


def _apply_some(
    connection: Connection[Any], consumer: Consumer, source: str, events: Sequence[Sealed]
) -> Applied:
    try:
        return _apply(connection, consumer, source, events, consumer.handle)
    except (ChainBroken, *PASSING):
        raise
    except Exception as error:
        log.warning(
            "%s cannot take a batch of %s (%s): one by one", consumer.name, source, type(error).__name__
        )
        return _apply(connection, consumer, source, events, _OneByOne(consumer, source))


def _apply(
    connection: Connection[Any], consumer: Consumer, source: str, events: Sequence[Sealed], handle: Handle
) -> Applied:
    with connection.transaction():
        position, head = checkpoint(connection, consumer.name, source)
        fresh, known, gap = _contiguous(source, events, position, head)
        if fresh:
            held = _parked_streams(connection, consumer.name, source)
            handle(connection, [event for event in fresh if event.stream not in held])
            for event in fresh:
                if event.stream in held:
                    park(connection, consumer.name, event, "an earlier event of its stream is parked")
            reached("apply")
            position = advance(connection, consumer.name, fresh[-1])
            reached("checkpoint")
        if known and consumer.doubted is not None:
            consumer.doubted(connection, known)
    reached("applied")
    return Applied(position, gap)


def checkpoint(connection: Connection[Any], consumer: str, source: str) -> tuple[int, bytes]:
    """(position, hash) applied so far, locked until the transaction ends: one replica at a time moves it."""
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute(_LOCK, (consumer, source, GENESIS)).fetchone()
    assert row is not None
    return row[0], row[1]


def _contiguous(
    source: str, events: Sequence[Sealed], position: int, head: bytes
) -> tuple[list[Sealed], list[Sealed], bool]:
    """(what is new, what repeats positions, whether something between is missing)."""
    fresh: list[Sealed] = []
    known: list[Sealed] = []
    for event in events:
        if event.position <= position:
            known.append(event)
            continue
        if event.position > position + 1:
            return fresh, known, True
        if event.previous != head:
            raise ChainBroken(source, event.position)
        fresh.append(event)
        position, head = event.position, event.hash
    return fresh, known, False


def advance(connection: Connection[Any], consumer: str, last: Sealed) -> int:
    """Moves the checkpoint of a consumer to the event that was applied last; its position."""
    connection.execute(
        "UPDATE checkpoints SET position = %s, hash = %s WHERE consumer = %s AND source = %s",
        (last.position, last.hash, consumer, last.source),
    )
    return last.position


def _parked_streams(connection: Connection[Any], consumer: str, source: str) -> set[str]:
    rows = connection.execute(
        "SELECT DISTINCT stream FROM parked WHERE consumer = %s AND source = %s AND status = 'parked'",
        (consumer, source),
    ).fetchall()
    return {row[0] for row in rows}


def park(connection: Connection[Any], consumer: str, event: Sealed, reason: str) -> None:
    """Sets an event aside for an operator."""
    reached("park")
    values = (consumer, event.source, event.position, event.stream, event.type, event.raw, reason)
    connection.execute(_PARK, values)


class _OneByOne:
    """A handler that takes one event after the other, each in its savepoint, and parks the poison."""

    def __init__(self, consumer: Consumer, source: str) -> None:
        self._consumer = consumer
        self._source = source

    def __call__(self, connection: Connection[Any], events: Sequence[Sealed]) -> None:
        bad: set[str] = set()
        for event in events:
            if event.stream in bad:
                park(connection, self._consumer.name, event, "an earlier event of its stream is parked")
            elif reason := self._attempt(connection, event):
                if self._consumer.refused is not None and self._consumer.refused(connection, event, reason):
                    continue
                bad.add(event.stream)
                park(connection, self._consumer.name, event, reason)
                log.error("%s parked %s %s: %s", self._consumer.name, self._source, event.position, reason)

    def _attempt(self, connection: Connection[Any], event: Sealed) -> str:
        reason = ""
        for _ in range(ATTEMPTS):
            try:
                with connection.transaction():
                    self._consumer.handle(connection, [event])
            except PASSING:
                raise
            except Exception as error:
                reason = said(error)
            else:
                return ""
        return reason


def said(error: Exception) -> str:
    """An error in one line, without the values that databases add in a DETAIL."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:300]


def reject(connection: Connection[Any], origin: str, body: bytes, reason: str) -> None:
    """Keeps a body that is not an event of ours; what it should have been comes from the feed."""
    connection.execute(
        "INSERT INTO rejected (origin, body, reason) VALUES (%s, %s, %s)", (origin, body, reason)
    )
