"""What scheduling answers. Each takes the rows of the live projections.

`own`: the station to which whoever asks belongs, and which is all that he is shown; nothing at the centre.
"""

from collections.abc import Sequence
from typing import Any

from shared.kernel.reactions import Rows
from shared.store.pages import of_station, page

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
   OR practical_at >= %(since)s AND practical_at < %(until)s)"""
_STATIONS = """
WITH RECURSIVE found AS (
    SELECT (SELECT min(station) FROM batches WHERE station > %(after)s) AS station, 1 AS place
     UNION ALL
    SELECT (SELECT min(station) FROM batches WHERE station > found.station), place + 1
      FROM found WHERE station IS NOT NULL AND place < %(limit)s
)
"""
# Compared as a pair, or a station that had no batch for long would be looked for from the newest batch on.
# Without the condition, the end of the list would be a station that there is not, looked for in all of them.
_NEWEST_OF = """
SELECT found.station, newest.batch::text, newest.occupation, newest.stage, newest.theory_at
  FROM found CROSS JOIN LATERAL (
    SELECT * FROM batches WHERE (batches.station, batch) <= (found.station, %(last)s)
     ORDER BY batches.station DESC, batch DESC LIMIT 1) AS newest
 WHERE found.station IS NOT NULL AND newest.station = found.station ORDER BY found.station
"""
_OWN = "WITH found AS (SELECT %(own)s::text AS station WHERE %(own)s > %(after)s)"
_LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_PANEL = "SELECT batch::text, examiner, part, head FROM panels WHERE batch = %(batch)s"
# an examiner has two parts of a batch at the most: so many rows hold as many whole batches as are asked for
_ASSIGNMENTS = """
SELECT found.batch::text, station, occupation, levels, theory_at, practical_at, stage, parts, head
  FROM (SELECT batch, array_agg(part ORDER BY part DESC) AS parts, bool_or(head) AS head
          FROM (SELECT * FROM panels WHERE {page} * 2) AS rows
         GROUP BY batch ORDER BY batch DESC LIMIT %(limit)s) AS found
 CROSS JOIN LATERAL (SELECT * FROM batches WHERE batches.batch = found.batch LIMIT 1) AS batches
 ORDER BY found.batch DESC
"""
_LATEST = """
SELECT asked.examiner, newest.batch::text, station, occupation, theory_at, stage
  FROM unnest(%(examiners)s::text[]) AS asked (examiner) CROSS JOIN LATERAL (
    SELECT batch FROM panels WHERE panels.examiner = asked.examiner ORDER BY batch DESC LIMIT 1) AS newest
  JOIN batches USING (batch) WHERE true
"""
_SITTINGS = """
SELECT application::text, candidate::text, batch::text, level, room, seat, ticket, status, paper
FROM sittings
"""


def batch(rows: Rows, batch: str, own: str = "") -> dict[str, Any] | None:
    """One batch as it stands, with how many are enrolled, seated, checked in, absent and drawn; or None."""
    asked = {"batch": batch, "own": own}
    return rows.execute(_BATCHES + "WHERE batch = %(batch)s" + of_station(own), asked).fetchone()


def batches(rows: Rows, station: str, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """The batches of a station, by id; `after` is the last id of the page before."""
    asked = {"station": station, "after": after, "limit": limit, "own": own}
    within = page("batches", ["station"], "batch", newest=False)
    return rows.execute(f"{_BATCHES} WHERE {_here(own)}{within}", asked).fetchall()


def sittings(rows: Rows, batch: str, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """考场安排表 of a batch, by application id; `after` is the last id of the page before."""
    return rows.execute(
        f"{_SITTINGS} WHERE batch = %(batch)s AND application > %(after)s{_of_batch(own)}"
        " ORDER BY sittings.application LIMIT %(limit)s",
        {"batch": batch, "after": after, "limit": limit, "own": own},
    ).fetchall()


def sitting(rows: Rows, sitting: str, own: str = "") -> dict[str, Any] | None:
    """One place of a 考场安排表 as it stands, or None; `sitting` is the application."""
    among = "SELECT FROM batches WHERE batches.batch = sittings.batch AND station = %(own)s"
    here = f" AND EXISTS ({among})" if own else ""
    asked = {"sitting": sitting, "own": own}
    return rows.execute(f"{_SITTINGS} WHERE application = %(sitting)s{here}", asked).fetchone()


def agenda(rows: Rows, stage: str, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """The batches of all stations in a stage, newest first."""
    asked = {"stage": stage, "station": own, "after": after, "limit": limit}
    within = page("batches", ["stage", "station"] if own else ["stage"], "batch")
    return rows.execute(f"{_BATCHES} WHERE {within}", asked).fetchall()


def latest_batches(rows: Rows, station: str, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """The batches of a station, newest first."""
    asked = {"station": station, "after": after, "limit": limit, "own": own}
    within = page("batches", ["station"], "batch")
    return rows.execute(f"{_BATCHES} WHERE {_here(own)}{within}", asked).fetchall()


def stations(rows: Rows, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """鉴定所 by code, each with its newest batch; one look into the index for each of them."""
    asked = {"after": after, "limit": limit, "own": own, "last": _LAST}
    return rows.execute((_OWN if own else _STATIONS) + _NEWEST_OF, asked).fetchall()


def exam_days(rows: Rows, station: str, since: str, until: str, own: str = "") -> list[dict[str, Any]]:
    """The batches of a station that are examined, in either part, from one stamp on and before another."""
    asked = {"station": station, "since": since, "until": until, "own": own}
    return rows.execute(
        f"{_BATCHES}{_ON_DAYS}{of_station(own)} ORDER BY theory_at, batches.batch LIMIT 100", asked
    ).fetchall()


def panel(rows: Rows, batch: str, own: str = "") -> list[dict[str, Any]]:
    """考评组 of a batch."""
    asked = {"batch": batch, "own": own}
    return rows.execute(f"{_PANEL}{_of_batch(own)} ORDER BY part, head DESC, examiner", asked).fetchall()


def assignments(rows: Rows, examiner: str, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """The batches that an examiner is assigned to, newest first, with his parts and whether he leads one."""
    asked = {"examiner": examiner, "after": after, "limit": limit, "own": own}
    among = "EXISTS (SELECT FROM batches WHERE batches.batch = panels.batch AND station = %(own)s) AND "
    within = (among if own else "") + page("panels", ["examiner"], "batch")
    return rows.execute(_ASSIGNMENTS.format(page=within), asked).fetchall()


def latest_assignments(rows: Rows, examiners: Sequence[str], own: str = "") -> list[dict[str, Any]]:
    """Of each of these examiners the newest batch that he is assigned to, unless it is another station's."""
    asked = {"examiners": list(examiners), "own": own}
    return rows.execute(_LATEST + of_station(own), asked).fetchall()


def _here(own: str) -> str:
    """For rows of the station that is asked for: of columns, the planner would expect to find fewer."""
    return "%(own)s::text = %(station)s AND " if own else ""


def _of_batch(own: str) -> str:
    """For rows that name no station themselves."""
    among = "SELECT FROM batches WHERE batches.batch = %(batch)s AND station = %(own)s"
    return f" AND EXISTS ({among})" if own else ""
