"""What scoring answers. Each takes the rows of the live projections."""

from typing import Any

from shared.kernel.reactions import Rows

_SHEETS = "SELECT sheet, blind_code, part, paper, status FROM sheets "
_RESULTS = """
SELECT application::text, candidate::text, batch::text, station, theory, practical, passed, rule, status
FROM results
"""
_DISTRIBUTION = """
SELECT least(score / 5, 19) AS band, count(*) FILTER (WHERE part = 'theory') AS theory,
       count(*) FILTER (WHERE part = 'practical') AS practical
  FROM results CROSS JOIN LATERAL (VALUES ('theory', theory), ('practical', practical)) AS parts (part, score)
 WHERE batch = %s AND status = 'published' AND score IS NOT NULL GROUP BY band ORDER BY band
"""
_DESK = """
SELECT sheet, blind_code, batch::text, part, paper, status, signed FROM desks WHERE examiner = %(examiner)s
"""
_IN_ORDER = " AND sheet > %(after)s ORDER BY sheet LIMIT %(limit)s"


def sheet(rows: Rows, sheet: str) -> dict[str, Any] | None:
    """One sheet as an examiner may see it (R070), or None."""
    return rows.execute(_SHEETS + "WHERE sheet = %s", (sheet,)).fetchone()


def sheets(rows: Rows, batch: str, examiner: str, after: str, limit: int) -> list[dict[str, Any]]:
    """The sheets of an examiner in a batch (R070); `after` is the last sheet of the page before."""
    return rows.execute(
        _SHEETS + "WHERE batch = %s AND %s = ANY (examiners) AND sheet > %s ORDER BY sheet LIMIT %s",
        (batch, examiner, after, limit),
    ).fetchall()


def result(rows: Rows, application: str) -> dict[str, Any] | None:
    """The result of an application as it stands, published or not, or None."""
    return rows.execute(_RESULTS + "WHERE application = %s", (application,)).fetchone()


def results(rows: Rows, batch: str, after: str, limit: int) -> list[dict[str, Any]]:
    """成绩册 of a batch, by application id; `after` is the last id of the page before."""
    return rows.execute(
        _RESULTS + "WHERE batch = %s AND application > %s ORDER BY results.application LIMIT %s",
        (batch, after, limit),
    ).fetchall()


def results_in(rows: Rows, status: str, after: str, limit: int) -> list[dict[str, Any]]:
    """The results of all batches in a status, newest application first."""
    return rows.execute(
        _RESULTS + "WHERE status = %s AND application < %s ORDER BY results.application DESC LIMIT %s",
        (status, after, limit),
    ).fetchall()


def own_results(rows: Rows, candidate: str) -> list[dict[str, Any]]:
    """The published results of one candidate."""
    return rows.execute(
        _RESULTS
        + "WHERE candidate = %s AND status = 'published' ORDER BY results.application DESC LIMIT 100",
        (candidate,),
    ).fetchall()


def distribution(rows: Rows, batch: str) -> list[dict[str, Any]]:
    """Published scores of a batch in bands of 5 points: {band, theory, practical}; band 12 begins at 60."""
    return rows.execute(_DISTRIBUTION, (batch,)).fetchall()


def desk(rows: Rows, examiner: str, status: str, after: str, limit: int) -> list[dict[str, Any]]:
    """The sheets of an examiner in all batches, by sheet (R070); of one `status`, or all."""
    asked = {"examiner": examiner, "status": status, "after": after, "limit": limit}
    return rows.execute(_DESK + (" AND status = %(status)s" if status else "") + _IN_ORDER, asked).fetchall()


def proposals(rows: Rows, after: str, limit: int) -> list[dict[str, Any]]:
    """Corrections that wait for a second person, by sheet."""
    return rows.execute(
        "SELECT sheet, batch::text, station, part, old, new, reason, proposer FROM proposals"
        " WHERE sheet > %s ORDER BY sheet LIMIT %s",
        (after, limit),
    ).fetchall()


def signing_key(rows: Rows, examiner: str) -> dict[str, Any] | None:
    """The Ed25519 key that speaks for an examiner, or None."""
    return rows.execute("SELECT examiner, public_key FROM keys WHERE examiner = %s", (examiner,)).fetchone()
