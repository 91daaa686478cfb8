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
_ON_DAYS = """
WHERE station = %(station)s AND (theory_at >= %(since)s AND theory_at < %(until)s
   OR practical_at >= %(since)s AND practical_at < %(until)s) ORDER BY theory_at, batch LIMIT 100
"""
_STATIONS = """
WITH RECURSIVE found AS (
    SELECT (SELECT min(station) FROM batches WHERE station > %(after)s) AS station, 1 AS place
     UNION ALL
    SELECT (SELECT min(station) FROM batches WHERE station > found.station), place + 1
      FROM found WHERE station IS NOT NULL AND place < %(limit)s
)
SELECT found.station, newest.batch::text, newest.occupation, newest.stage, newest.theory_at
  FROM found CROSS JOIN LATERAL (
    SELECT * FROM batches WHERE batches.station = found.station ORDER BY batch DESC LIMIT 1) AS newest
 ORDER BY found.station
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
        _BATCHES + "WHERE station = %s AND batch > %s ORDER BY batches.batch LIMIT %s",
        (station, after, limit),
    ).fetchall()


def sittings(rows: Rows, batch: str, after: str, limit: int) -> list[dict[str, Any]]:
    """考场安排表 of a batch, by application id; `after` is the last id of the page before."""
    return rows.execute(
        _SITTINGS + "WHERE batch = %s AND application > %s ORDER BY sittings.application LIMIT %s",
        (batch, after, limit),
    ).fetchall()


def agenda(rows: Rows, stage: str, after: str, limit: int) -> list[dict[str, Any]]:
    """The batches of all stations in a stage, newest first."""
    return rows.execute(
        _BATCHES + "WHERE stage = %s AND batch < %s ORDER BY batches.batch DESC LIMIT %s",
        (stage, after, limit),
    ).fetchall()


def latest_batches(rows: Rows, station: str, after: str, limit: int) -> list[dict[str, Any]]:
    """The batches of a station, newest first."""
    return rows.execute(
        _BATCHES + "WHERE station = %s AND batch < %s ORDER BY batches.batch DESC LIMIT %s",
        (station, after, limit),
    ).fetchall()


def stations(rows: Rows, after: str, limit: int) -> list[dict[str, Any]]:
    """鉴定所 by code, each with its newest batch; one look into the index for each of them."""
    return rows.execute(_STATIONS, {"after": after, "limit": limit}).fetchall()


def exam_days(rows: Rows, station: str, since: str, until: str) -> list[dict[str, Any]]:
    """The batches of a station that are examined, in either part, from one stamp on and before another."""
    asked = {"station": station, "since": since, "until": until}
    return rows.execute(_BATCHES + _ON_DAYS, asked).fetchall()


def panel(rows: Rows, batch: str) -> list[dict[str, Any]]:
    """考评组 of a batch."""
    return rows.execute(
        "SELECT batch::text, examiner, part, head FROM panels"
        " WHERE batch = %s ORDER BY part, head DESC, examiner",
        (batch,),
    ).fetchall()
