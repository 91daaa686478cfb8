"""Raising findings: a row for whoever looks after them, and an event in the same transaction (R155)."""

from typing import Any

import orjson
from psycopg import Connection

from shared.contracts.audit import FindingRaised
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.runtime.reading import drafted_as

_RAISE = "SELECT raise_finding(%s, %s, %s, %s, %s, %s, %s, %s, %b)"

Range = tuple[int | None, int | None]
_NOWHERE: Range = (None, None)
_PLACES = 100


class PlacesTaken(RuntimeError):
    """Somebody has written events where a hundred findings' events belong: the database is not ours alone."""


def raise_finding(
    connection: Connection[Any],
    body: str,
    kind: str,
    about: str,
    positions: Range = _NOWHERE,
    indexes: Range = _NOWHERE,
    detail: bytes = b"{}",
    batch: str = "",
) -> None:
    """Tells it once: the same again leaves neither a row nor an event.

    `body` is whose audit this is, `about` the source, log or witness concerned, `detail` a JSON object that
    names no person. The event says where, and not what: its readers may be anybody. It has an id that follows
    from the finding, so that it is known whether it was said; a row alone says nothing, for it can be forged.
    """
    said = orjson.loads(detail)
    evidence, since = said.get("evidence", ""), said.get("since", "")
    known = "\n".join(map(str, (kind, about, positions, indexes, evidence, since, batch)))
    for place in range(_PLACES):
        finding = derived_id("finding", known, str(place))
        event = _event(finding, kind, about, positions, indexes, evidence, batch)
        by = Actor("audit", Role.SERVICE, body)
        drafted = drafted_as(f"/{body}/audit", by, event, f"finding-{finding}", finding)
        where = (kind, about, *positions, *indexes, detail.decode())
        row = connection.execute(_RAISE, (*where, finding, drafted)).fetchone()
        if row is not None and row[0]:
            return
    raise PlacesTaken(f"{kind} {about}")


def _event(
    finding: str, kind: str, about: str, positions: Range, indexes: Range, evidence: str, batch: str
) -> FindingRaised:
    return FindingRaised(
        finding=finding,
        kind=kind,
        about=about,
        first_position=positions[0],
        last_position=positions[1],
        first_index=indexes[0],
        last_index=indexes[1],
        evidence=evidence,
        batch=batch,
    )
