"""What scheduling answers. Each takes the rows of the live projections."""

from typing import Any

from shared.kernel.reactions import Rows

# counted when asked, not kept: a count beside the rows it counts would be a second copy
_BATCHES = """
SELECT batch::text, station, occupation, catalogue, levels, planned, theory_at, practical_at, stage, notice,
       counted.enrolled, counted.seated, counted.checked_in, counted.absent, counted.drawn
FROM batches CROSS JOIN LATERAL (
    SELECT count(*) AS enrolled,
           count(*) FILTER (WHERE status <> 'enrolled') AS seated,
           count(*) FILTER (WHERE status IN ('checked_in', 'drawn')) AS checked_in,
           count(*) FILTER (WHERE status = 'absent') AS absent,
           count(*) FILTER (WHERE status = 'drawn') AS drawn
    FROM sittings WHERE sittings.batch = batches.batch
) AS counted
"""
_SITTINGS = """
SELECT application::text, candidate::text, batch::text, level, room, seat, ticket, status FROM sittings
"""


def batch(rows: Rows, batch: str) -> dict[str, Any] | None:
    """One batch as it stands, with how many are enrolled, seated, checked in, absent and drawn; or None."""
    return rows.execute(_BATCHES + "WHERE batch = %s", (batch,)).fetchone()


def batches(rows: Rows, station: str, after: str, limit: int) -> list[dict[str, Any]]:
    """The batches of a station, by id; `after` is the last id of the page before."""
    return rows.execute(
        _BATCHES + "WHERE station = %s AND batch > %s ORDER BY batch LIMIT %s", (station, after, limit)
    ).fetchall()


def sittings(rows: Rows, batch: str, after: str, limit: int) -> list[dict[str, Any]]:
    """考场安排表 of a batch, by application id; `after` is the last id of the page before."""
    return rows.execute(
        _SITTINGS + "WHERE batch = %s AND application > %s ORDER BY application LIMIT %s",
        (batch, after, limit),
    ).fetchall()
