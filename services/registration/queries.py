"""What registration answers. Each takes the rows of the live projections."""

from typing import Any

from shared.kernel.reactions import Rows

_APPLICATIONS = """
SELECT application::text, candidate::text, batch::text, station, occupation, level, status, ticket, outcome
FROM applications
"""


def application(rows: Rows, application: str) -> dict[str, Any] | None:
    """One application as it stands, or None."""
    return rows.execute(_APPLICATIONS + "WHERE application = %s", (application,)).fetchone()


def roster(rows: Rows, batch: str, after: str, limit: int) -> list[dict[str, Any]]:
    """花名册 of a batch, by application id; `after` is the last id of the page before."""
    return rows.execute(
        _APPLICATIONS + "WHERE batch = %s AND application > %s ORDER BY application LIMIT %s",
        (batch, after, limit),
    ).fetchall()


def accounts(rows: Rows, after: str, limit: int) -> list[dict[str, Any]]:
    """Accounts by id, with their appointments in the order in which they were given."""
    return rows.execute(
        "SELECT account::text, open, appointments, locked_until FROM accounts"
        " WHERE account > %s ORDER BY account LIMIT %s",
        (after, limit),
    ).fetchall()
