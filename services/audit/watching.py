"""The log as it grows: its newest entries, one of them, and how many came in each minute."""

from typing import Any

from services.audit.trails import step
from shared.kernel.reactions import Rows

_NEWEST = "SELECT index, leaf FROM entries WHERE index > %s ORDER BY index DESC LIMIT %s"
# by which looking, and taking something out of the house, is told
_LOOKS = ["SensitiveRead", "TrailRead", "LogVerified", "LogExported", "BundleMade"]
_LOOKED = """
SELECT e.index, e.leaf FROM subjects s JOIN entries e USING (index)
 WHERE s.kind = 'actor' AND s.ref = %(actor)s AND s.index < %(before)s AND e.type = ANY(%(types)s)
 ORDER BY s.index DESC LIMIT %(limit)s
"""
_ONE = "SELECT index, leaf FROM entries WHERE event_id = %s"
_CAUSED = """
SELECT e.index, e.leaf FROM entries e WHERE e.index BETWEEN %(at)s - %(near)s AND %(at)s + %(near)s
 ORDER BY e.index
"""
# entries are numbered in the order in which they came: where a minute begins is found by halving, so what it
# costs grows with the logarithm of the log, and nothing is counted
_PACE = """
WITH RECURSIVE edges AS (
    SELECT minute, date_trunc('minute', now()) - minute * interval '1 minute' AS since
      FROM generate_series(-1, %(minutes)s - 1) AS minute
), search AS (
    SELECT minute, since, 0::bigint AS low, (SELECT coalesce(max(index), -1) + 1 FROM entries) AS high
      FROM edges
     UNION ALL
    SELECT minute, since,
           CASE WHEN reached THEN low ELSE (low + high) / 2 + 1 END,
           CASE WHEN reached THEN (low + high) / 2 ELSE high END
      FROM search CROSS JOIN LATERAL (
        SELECT received_at >= since AS reached FROM entries
         WHERE index = (search.low + search.high) / 2) AS middle
     WHERE low < high
), found AS (
    SELECT minute, since, low AS index FROM search WHERE low >= high
)
SELECT to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS minute,
       lag(index) OVER (ORDER BY minute) - index AS events
  FROM found ORDER BY found.minute DESC
"""
_NEAR = 200
_STANDING = """
SELECT (SELECT coalesce(max(size), 0) FROM tree_heads) AS size,
       (SELECT coalesce(max(size), 0) FROM signed_checkpoints) AS signed,
       (SELECT coalesce(max(size), 0) FROM signed_checkpoints WHERE published_at IS NOT NULL) AS published
"""
_WITNESSES = """
SELECT witness AS name, max(size) AS size, max(time) AS time FROM cosignatures
 WHERE size > (SELECT coalesce(max(size), 0) FROM signed_checkpoints) - 100000
 GROUP BY witness ORDER BY witness
"""


def newest(rows: Rows, after: int = -1, limit: int = 50) -> list[dict[str, Any]]:
    """The newest entries behind index `after`, newest first, as steps of a trail."""
    return [step(row) for row in rows.execute(_NEWEST, (after, limit)).fetchall()]


def looks(rows: Rows, actor: str, before: int = 2**53, limit: int = 50) -> list[dict[str, Any]]:
    """What somebody has looked at, verified, exported or had proven, before index `before`; newest first."""
    asked = {"actor": actor, "before": before, "types": _LOOKS, "limit": limit}
    return [step(row) for row in rows.execute(_LOOKED, asked).fetchall()]


def entry(rows: Rows, id: str) -> dict[str, Any] | None:
    """The entry of one event, or None."""
    row = rows.execute(_ONE, (id,)).fetchone()
    return step(row) if row else None


def together(rows: Rows, id: str, at: int) -> list[dict[str, Any]]:
    """What followed from the same command or event `id`, among the entries around index `at`."""
    found = [step(row) for row in rows.execute(_CAUSED, {"at": at, "near": _NEAR}).fetchall()]
    return [each for each in found if id in (each["causation"], each["correlation"], each["id"])]


def pace(rows: Rows, minutes: int = 60) -> list[dict[str, Any]]:
    """Events received in each of the last minutes, the present one last: [{minute, events}]."""
    found = rows.execute(_PACE, {"minutes": minutes}).fetchall()
    return [row for row in found if row["events"] is not None]


def witnesses(rows: Rows) -> dict[str, Any]:
    """{size, signed, published, witnesses: [{name, size, time}]}; `time` in seconds since 1970."""
    standing: dict[str, Any] = rows.execute(_STANDING).fetchone()
    return {**standing, "witnesses": rows.execute(_WITNESSES).fetchall()}
