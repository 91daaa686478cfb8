"""What registration answers. Each takes the rows of the live projections."""

import re
from typing import Any

from shared.kernel.reactions import Rows

_TICKET = re.compile(r"[2-9A-HJ-NP-Z]{16}")
_DIGITS = re.compile(r"[0-9a-f]{4,32}")

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
        _APPLICATIONS + "WHERE batch = %s AND application > %s ORDER BY applications.application LIMIT %s",
        (batch, after, limit),
    ).fetchall()


def accounts(rows: Rows, after: str, limit: int) -> list[dict[str, Any]]:
    """Accounts by id, with their appointments in the order in which they were given."""
    return rows.execute(
        "SELECT account::text, open, appointments, locked_until FROM accounts"
        " WHERE account > %s ORDER BY account LIMIT %s",
        (after, limit),
    ).fetchall()


def applications(
    rows: Rows, station: str, batch: str, status: str, text: str, after: str, limit: int
) -> list[dict[str, Any]]:
    """Applications, newest first: of a station, of a batch, in a status, or all that these leave.

    `text` is the beginning of an application's id, or a whole ticket number or id of a candidate.
    """
    asked = {"station": station, "batch": batch or None, "status": status, "after": after, "limit": limit}
    conditions = [f"{name} = %({name})s" for name in ("station", "batch", "status") if asked[name]]
    if text:
        conditions.append(_found_by(text, asked))
    where = " AND ".join(["application < %(after)s", *conditions])
    return rows.execute(
        f"{_APPLICATIONS} WHERE {where} ORDER BY applications.application DESC LIMIT %(limit)s", asked
    ).fetchall()


def _found_by(text: str, asked: dict[str, Any]) -> str:
    """The condition of what somebody typed; an id has 32 digits, of which he may know the first."""
    digits = text.lower().replace("-", "")
    if _TICKET.fullmatch(text.upper()):
        asked["ticket"] = text.upper()
        return "ticket = %(ticket)s"
    if not _DIGITS.fullmatch(digits):
        return "false"
    asked |= {"first": digits.ljust(32, "0"), "last": digits.ljust(32, "f")}
    among = "application BETWEEN %(first)s AND %(last)s"
    return f"({among} OR candidate = %(first)s)" if len(digits) == 32 else among


def own_applications(rows: Rows, candidate: str) -> list[dict[str, Any]]:
    """All applications of one candidate, newest first."""
    return rows.execute(
        _APPLICATIONS + "WHERE candidate = %s ORDER BY applications.application DESC LIMIT 100", (candidate,)
    ).fetchall()
