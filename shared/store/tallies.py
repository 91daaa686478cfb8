"""What the service's own log has of each batch, counted as the log grows."""

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import Connection

from shared.wire.tally import Tally

_KNOWN = "SELECT batch, events, first, last, chain FROM tallies WHERE batch = ANY (%s)"
_KEEP = """
INSERT INTO tallies SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bytea[])
ON CONFLICT (batch) DO UPDATE
   SET (events, first, last, chain) = (excluded.events, excluded.first, excluded.last, excluded.chain)
"""


def known(connection: Connection[Any], batches: Iterable[str]) -> dict[str, Tally]:
    """The tallies of these batches, without those of which there is no event."""
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(_KNOWN, (list(batches),)).fetchall()
    return {batch: Tally(*counted) for batch, *counted in rows}


def keep(connection: Connection[Any], tallies: Mapping[str, Tally]) -> None:
    """Writes them over the ones before."""
    if tallies:
        rows = [(batch, each.events, each.first, each.last, each.chain) for batch, each in tallies.items()]
        connection.execute(_KEEP, [list(column) for column in zip(*rows, strict=True)])
