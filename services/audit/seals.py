"""Whether audit has of a closed batch what its sources said that they have, and what came after (R172).

`BatchSealed` states how many of a source's events up to a position name the batch, with a chain over their
hashes; the same is counted here from the entries. Each source that decides has to state it of each batch.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from services.audit.domain import leaf
from services.audit.domain.sources import Detail, Found
from shared.contracts import ASIDE
from shared.kernel.clock import stamp
from shared.runtime.tallying import CLOSING
from shared.wire.envelope import Sealed
from shared.wire.tally import Tally

SEALED, UNSEALED = "BatchSealed", "unsealed-batch"
LATE_AT_WILL = ASIDE | {SEALED}
_NUMBERS = ("events", "first_position", "last_position", "upto")
_CUTS = "SELECT batch, upto FROM sealed_batches WHERE source = %s AND batch = ANY (%s)"
_KEEP = "INSERT INTO sealed_batches VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_CLOSE = "INSERT INTO closed_batches VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
# those that were told already would keep the others back; a finding is found by its unique index
_UNSEALED = """
SELECT c.batch, e.index, e.received_at FROM closed_batches c JOIN entries e USING (source, position)
 WHERE e.received_at < %(before)s
   AND NOT EXISTS (SELECT FROM sealed_batches s WHERE (s.source, s.batch) = (%(source)s, c.batch))
   AND NOT EXISTS (SELECT FROM findings f
        WHERE (f.kind, f.source) = (%(kind)s, %(source)s) AND coalesce(f.first_position, -1) = -1
          AND coalesce(f.last_position, -1) = -1 AND coalesce(f.first_index, -1) = e.index)
 ORDER BY e.index LIMIT %(limit)s
"""
_AT_ONCE = 100  # batches of which one look tells
_OF_BATCH = """
SELECT e.position, e.index, e.type, e.leaf FROM subjects s JOIN entries e USING (index)
 WHERE s.kind = 'batch' AND s.ref = %s AND e.source = %s AND e.position < %s ORDER BY e.position
"""

Said = Mapping[str, Any]  # a sealed event as it reads


def look(connection: Connection[Any], source: str, said: Sequence[Said]) -> list[Found]:
    """What follows from the next events of a source's log, in order; each is looked at once."""
    named = [(event, batch) for event in said for batch in Sealed(b"", b"", dict(event)).named("batch")]
    cuts = dict(connection.execute(_CUTS, (source, [batch for _, batch in named])).fetchall())
    found, tardy = list[Found](), defaultdict[str, list[int]](list)
    for event, batch in named:
        if (event["source"].rpartition("/")[2], event["type"]) == CLOSING:
            connection.execute(_CLOSE, (batch, source, event["position"]))
        elif event["type"] == SEALED:
            upto, more = _compared(connection, source, batch, event)
            if batch not in cuts:
                cuts[batch] = upto
                connection.execute(_KEEP, (source, batch, upto))
            found += more
        elif event["type"] not in LATE_AT_WILL and event["position"] > cuts.get(batch, event["position"]):
            tardy[batch].append(event["position"])
    return found + [each for batch, late in tardy.items() for each in _late(batch, late)]


def unsealed(connection: Connection[Any], source: str, before: datetime) -> list[Found]:
    """The batches whose end came to audit before that moment, and of which the source has stated nothing.

    Each is told once.
    """
    asked = {"before": before, "source": source, "kind": UNSEALED, "limit": _AT_ONCE}
    rows = connection.execute(_UNSEALED, asked).fetchall()
    return [
        Found(UNSEALED, None, None, {"since": stamp(at)}, indexes=(index, index), batch=batch)
        for batch, index, at in rows
    ]


def _compared(connection: Connection[Any], source: str, batch: str, event: Said) -> tuple[int, list[Found]]:
    """The position up to which the source speaks, and how audit's entries differ from what it says."""
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(_OF_BATCH, (batch, source, event["position"])).fetchall()
    said, upto = stated(event["data"], event["position"])
    before = [row for row in rows if row[0] <= upto]
    had = Tally()
    for position, _, _, entry in before:
        had = had.counting(position, leaf.hash_of(entry))
    tardy = [row[0] for row in rows if row[0] > upto and row[2] not in LATE_AT_WILL]
    found = _late(batch, tardy)
    if had != said:
        indexes = (before[0][1], before[-1][1]) if before else (None, None)
        found.append(_differing(batch, event, said, had, indexes))
    return upto, found


def stated(data: Mapping[str, Any], position: int) -> tuple[Tally | None, int]:
    """What a `BatchSealed` says (None if it cannot be true), and up to where: not of what is to come."""
    before = position - 1
    try:
        events, first, last, upto = (_number(data[name]) for name in _NUMBERS)
        return Tally(events, first, last, bytes.fromhex(data["chain_digest"])), min(upto, before)
    except (KeyError, TypeError, ValueError):
        return None, before


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("no count and no position")
    return value


def _differing(
    batch: str, event: Said, said: Tally | None, had: Tally, indexes: tuple[int | None, int | None]
) -> Found:
    said = said or Tally(events=-1, chain=b"")
    kind = "short-batch" if had.events < said.events else "other-batch"
    detail: Detail = {
        "since": event["recordedtime"],
        "seal": event["position"],
        "stated": said.events,
        "has": had.events,
        "stated_chain": said.chain.hex(),
        "has_chain": had.chain.hex(),
    }
    first = min((each.first for each in (said, had) if each.first), default=None)
    return Found(kind, first, max(said.last, had.last) or None, detail, indexes=indexes, batch=batch)


def _late(batch: str, positions: Iterable[int]) -> list[Found]:
    """The ranges of a source's log that name a batch and lie behind what the source said of it."""
    ranges: list[list[int]] = []
    for position in positions:
        if ranges and ranges[-1][1] == position - 1:
            ranges[-1][1] = position
        else:
            ranges.append([position, position])
    return [
        Found("late-in-batch", first, last, {"events": last - first + 1}, batch=batch)
        for first, last in ranges
    ]
