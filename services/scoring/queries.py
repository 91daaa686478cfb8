"""What scoring answers. Each takes the rows of the live projections."""

from typing import Any

from shared.kernel.reactions import Rows

_SHEETS = "SELECT sheet, blind_code, part, paper, status FROM sheets "
_RESULTS = """
SELECT application::text, candidate::text, batch::text, station, theory, practical, passed, rule, status
FROM results
"""


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
        _RESULTS + "WHERE batch = %s AND application > %s ORDER BY application LIMIT %s",
        (batch, after, limit),
    ).fetchall()
