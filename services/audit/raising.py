"""Raising findings: a row for whoever looks after them, and an event in the same transaction (R155)."""

from typing import Any

from psycopg import Connection

from shared.contracts.audit import FindingRaised
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.runtime.reading import drafted_as

_RAISE = "SELECT raise_finding(%s, %s, %s, %s, %s, %s, %s, %s, %b)"

Range = tuple[int | None, int | None]
_NOWHERE: Range = (None, None)


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
    names no person. The event says where, and not what: its readers may be anybody.
    """
    finding, by = new_id(), Actor("audit", Role.SERVICE, body)
    event = FindingRaised(
        finding=finding,
        kind=kind,
        about=about,
        first_position=positions[0],
        last_position=positions[1],
        first_index=indexes[0],
        last_index=indexes[1],
        batch=batch,
    )
    said = drafted_as(f"/{body}/audit", by, event, f"finding-{finding}", finding)
    connection.execute(_RAISE, (kind, about, *positions, *indexes, detail.decode(), finding, said))
