"""What scoring answers. Each takes the rows of the live projections.

`own`: the station to which whoever asks belongs, and which is all that he is shown; nothing at the centre.
"""

from typing import Any

from shared.kernel.reactions import Rows
from shared.store.pages import of_station, page

_SHEETS = "SELECT sheet, blind_code, part, paper, status FROM sheets "
_SHEET = """
SELECT sheet, blind_code, part, paper, status,
       EXISTS (SELECT FROM proposals WHERE proposals.sheet = sheets.sheet) AS correction_waits
FROM sheets
"""
_MARKS = """
SELECT sheet, blind_code, part, paper, panel, examiner, score, sheet_digest, signed, status, (
    SELECT coalesce(json_agg(to_json(found) ORDER BY proposed_at), '[]') FROM (
        SELECT proposed_at, old, new, reason, proposer, approver FROM corrections
         WHERE corrections.sheet = marks.sheet) AS found) AS corrections
FROM marks WHERE application = %(application)s"""
_STATUS = "SELECT application::text, status FROM results"
_RESULTS = """
SELECT application::text, candidate::text, batch::text, station, theory, practical, passed, rule, status
FROM results
"""
_DISTRIBUTION = """
SELECT least(score / 5, 19) AS band, count(*) FILTER (WHERE part = 'theory') AS theory,
       count(*) FILTER (WHERE part = 'practical') AS practical
  FROM results CROSS JOIN LATERAL (VALUES ('theory', theory), ('practical', practical)) AS parts (part, score)
 WHERE batch = %(batch)s AND status = 'published' AND score IS NOT NULL"""
_DESK = """
SELECT sheet, blind_code, batch::text, part, paper, status, signed FROM desks WHERE examiner = %(examiner)s
"""
_PROPOSALS = """
SELECT sheet, batch::text, station, part, old, new, reason, proposer FROM proposals WHERE
"""
_STATION_OF = "(SELECT station FROM results WHERE results.batch = {}.batch LIMIT 1)"
_IN_ORDER = " AND sheet > %(after)s ORDER BY sheet LIMIT %(limit)s"


def sheet(rows: Rows, sheet: str, own: str = "") -> dict[str, Any] | None:
    """One sheet as an examiner may see it (R070), and whether a correction waits; or None."""
    asked = {"sheet": sheet, "own": own}
    return rows.execute(f"{_SHEET} WHERE sheet = %(sheet)s{_of_batch('sheets', own)}", asked).fetchone()


def sheets(
    rows: Rows, batch: str, examiner: str, after: str, limit: int, own: str = ""
) -> list[dict[str, Any]]:
    """The sheets of an examiner in a batch (R070); `after` is the last sheet of the page before."""
    return rows.execute(
        f"{_SHEETS} WHERE batch = %(batch)s AND %(examiner)s = ANY (examiners) AND sheet > %(after)s"
        f"{_of_batch('sheets', own)} ORDER BY sheet LIMIT %(limit)s",
        {"batch": batch, "examiner": examiner, "after": after, "limit": limit, "own": own},
    ).fetchall()


def result(rows: Rows, application: str, own: str = "") -> dict[str, Any] | None:
    """The result of an application as it stands, published or not, or None."""
    asked = {"application": application, "own": own}
    return rows.execute(f"{_RESULTS} WHERE application = %(application)s{of_station(own)}", asked).fetchone()


def result_status(rows: Rows, application: str, own: str = "") -> dict[str, Any] | None:
    """How far the result of an application has come, without any score: {application, status}; or None."""
    asked = {"application": application, "own": own}
    where = f" WHERE application = %(application)s{of_station(own)}"
    return rows.execute(_STATUS + where, asked).fetchone()


def marks(rows: Rows, application: str, own: str = "") -> list[dict[str, Any]]:
    """What a result is made of: sheets with panel, score, who gave it, signed or not, and corrections."""
    asked = {"application": application, "own": own}
    return rows.execute(f"{_MARKS}{of_station(own)} ORDER BY marks.part DESC, sheet", asked).fetchall()


def results(rows: Rows, batch: str, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """成绩册 of a batch, by application id; `after` is the last id of the page before."""
    return rows.execute(
        f"{_RESULTS} WHERE batch = %(batch)s AND application > %(after)s{of_station(own)}"
        " ORDER BY results.application LIMIT %(limit)s",
        {"batch": batch, "after": after, "limit": limit, "own": own},
    ).fetchall()


def results_in(rows: Rows, status: str, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """The results of all batches in a status, newest application first."""
    asked = {"status": status, "station": own, "after": after, "limit": limit}
    within = page("results", ["status", "station"] if own else ["status"], "application")
    return rows.execute(f"{_RESULTS} WHERE {within}", asked).fetchall()


def own_results(rows: Rows, candidate: str, own: str = "") -> list[dict[str, Any]]:
    """The published results of one candidate."""
    return rows.execute(
        f"{_RESULTS} WHERE candidate = %(candidate)s AND status = 'published'{of_station(own)}"
        " ORDER BY results.application DESC LIMIT 100",
        {"candidate": candidate, "own": own},
    ).fetchall()


def distribution(rows: Rows, batch: str, own: str = "") -> list[dict[str, Any]]:
    """Published scores of a batch in bands of 5 points: {band, theory, practical}; band 12 begins at 60."""
    asked = {"batch": batch, "own": own}
    return rows.execute(f"{_DISTRIBUTION}{of_station(own)} GROUP BY band ORDER BY band", asked).fetchall()


def desk(
    rows: Rows, examiner: str, status: str, after: str, limit: int, own: str = ""
) -> list[dict[str, Any]]:
    """The sheets of an examiner in all batches, by sheet (R070); of one `status`, all, or all but open."""
    asked = {"examiner": examiner, "status": status, "after": after, "limit": limit, "own": own}
    of_status = {"": "", "marked": " AND status <> 'open'"}.get(status, " AND status = %(status)s")
    within = of_status + _of_batch("desks", own)
    return rows.execute(_DESK + within + _IN_ORDER, asked).fetchall()


def proposals(rows: Rows, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """Corrections that wait for a second person, by sheet."""
    asked = {"station": own, "after": after, "limit": limit}
    within = page("proposals", ["station"] if own else [], "sheet", newest=False)
    return rows.execute(_PROPOSALS + within, asked).fetchall()


def signing_key(rows: Rows, examiner: str) -> dict[str, Any] | None:
    """The Ed25519 key that speaks for an examiner, or None."""
    return rows.execute("SELECT examiner, public_key FROM keys WHERE examiner = %s", (examiner,)).fetchone()


def _of_batch(table: str, own: str) -> str:
    """For rows that name no station themselves: all results of a batch are of one."""
    return f" AND {_STATION_OF.format(table)} = %(own)s" if own else ""
