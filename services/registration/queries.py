"""What registration answers. Each takes the rows of the live projections.

`own`: the station to which whoever asks belongs, and which is all that he is shown; nothing at the centre.
"""

import re
from typing import Any

from shared.kernel.actors import Role
from shared.kernel.reactions import Rows
from shared.store.pages import of_station, page

_TICKET = re.compile(r"[2-9A-HJ-NP-Z]{16}")
_DIGITS = re.compile(r"[0-9a-f]{4,32}")

_ACCOUNTS = """
SELECT account::text, open, appointments, locked_until FROM accounts WHERE
"""
# the first of each role at the body: among these are the first of all roles, however many are appointed there
_HELD = """
WITH held AS (
    SELECT DISTINCT found.account
      FROM unnest(%(roles)s::text[]) AS asked (role), LATERAL (
        SELECT account FROM appointments
         WHERE (appointments.role, appointments.body) = (asked.role, %(body)s)
           AND appointments.account > %(after)s
         ORDER BY appointments.account LIMIT %(limit)s) AS found
     ORDER BY found.account LIMIT %(limit)s)
SELECT held.account::text, open, appointments, locked_until
  FROM held CROSS JOIN LATERAL (
    SELECT * FROM accounts WHERE accounts.account = held.account LIMIT 1) AS accounts
 ORDER BY held.account
"""
_EXAMINERS = "SELECT account::text, array_agg(body ORDER BY body) AS bodies FROM appointments"
_TRAININGS = """
SELECT training::text, batch::text, station, occupation, trainer, trainees, hours, held_at FROM trainings
"""
_APPLICATIONS = """
SELECT application::text, candidate::text, batch::text, station, occupation, level, status, ticket, outcome,
       kind, education, held_level, years_in_trade, evidence, clause, reason, room, seat, theory_at,
       practical_at, station_reviewer, centre_reviewer
FROM applications
"""
# who reviewed is no business of the one who was reviewed
_OWN = _APPLICATIONS.replace(", station_reviewer, centre_reviewer", "")


def application(rows: Rows, application: str, own: str = "") -> dict[str, Any] | None:
    """One application as it stands, or None."""
    asked = {"application": application, "own": own}
    return rows.execute(
        _APPLICATIONS + "WHERE application = %(application)s" + of_station(own), asked
    ).fetchone()


def roster(rows: Rows, batch: str, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """花名册 of a batch, by application id; `after` is the last id of the page before."""
    return rows.execute(
        f"{_APPLICATIONS} WHERE batch = %(batch)s AND application > %(after)s{of_station(own)}"
        " ORDER BY applications.application LIMIT %(limit)s",
        {"batch": batch, "after": after, "limit": limit, "own": own},
    ).fetchall()


def accounts(rows: Rows, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """Accounts by id, with their appointments in the order in which they were given.

    Of a station's own: those that are appointed there.
    """
    asked = {"after": after, "limit": limit, "roles": list(map(str, Role)), "body": f"station-{own}"}
    listed = _ACCOUNTS + page("accounts", [], "account", newest=False)
    return rows.execute(_HELD if own else listed, asked).fetchall()


def examiners(
    rows: Rows, station: str, text: str, after: str, limit: int, own: str = ""
) -> list[dict[str, Any]]:
    """考评员: accounts that are appointed as examiners, by id, each with the bodies that it is appointed at.

    `text` is the beginning of an account's id.
    """
    asked = {"station": station, "own": own, "after": after, "limit": limit}
    conditions = ["role = 'examiner'", "account > %(after)s"]
    conditions += [f"body = 'station-' || %({name})s::text" for name in ("station", "own") if asked[name]]
    if text:
        conditions.append(_begins("account", text.lower().replace("-", ""), asked))
    return rows.execute(
        f"{_EXAMINERS} WHERE {' AND '.join(conditions)}"
        " GROUP BY appointments.account ORDER BY appointments.account LIMIT %(limit)s",
        asked,
    ).fetchall()


def trainings(rows: Rows, station: str, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """考前培训, newest first: of a station, or of all of them."""
    asked = {"station": station or own, "after": after, "limit": limit, "own": own}
    equal = ["station"] if asked["station"] else []
    other = " station = %(own)s AND" if own and station not in ("", own) else ""
    return rows.execute(f"{_TRAININGS} WHERE{other} {page('trainings', equal, 'training')}", asked).fetchall()


def applications(
    rows: Rows, station: str, batch: str, status: str, text: str, after: str, limit: int, own: str = ""
) -> list[dict[str, Any]]:
    """Applications, newest first: of a station, of a batch, in a status, or all that these leave.

    `text` is the beginning of an application's id, or a whole ticket number or id of a candidate.
    """
    asked: dict[str, Any] = {"station": station or own, "batch": batch, "status": status}
    asked |= {"after": after, "limit": limit, "own": own}
    equal = ["batch"] if batch else [name for name in ("status", "station") if asked[name]]
    conditions = [f"{name} = %({name})s" for name in ("status", "station") if batch and asked[name]]
    if text:
        conditions.append(_found_by(text, asked))
    if own and station not in ("", own):
        conditions.append("station = %(own)s")
    where = " AND ".join([*conditions, page("applications", equal, "application")])
    return rows.execute(f"{_APPLICATIONS} WHERE {where}", asked).fetchall()


def _found_by(text: str, asked: dict[str, Any]) -> str:
    """The condition of what somebody typed; an id has 32 digits, of which he may know the first."""
    digits = text.lower().replace("-", "")
    if _TICKET.fullmatch(text.upper()):
        asked["ticket"] = text.upper()
        return "ticket = %(ticket)s"
    among = _begins("application", digits, asked)
    return f"({among} OR candidate = %(first)s)" if len(digits) == 32 and "first" in asked else among


def _begins(column: str, digits: str, asked: dict[str, Any]) -> str:
    """The condition that an id begins with these digits, which join what is asked; false if they are none."""
    if not _DIGITS.fullmatch(digits):
        return "false"
    asked |= {"first": digits.ljust(32, "0"), "last": digits.ljust(32, "f")}
    return f"{column} BETWEEN %(first)s AND %(last)s"


def applications_named(
    rows: Rows, index: bytes, station: str, batch: str, status: str
) -> list[dict[str, Any]]:
    """Applications at a station of the people behind an index of the vault, newest first."""
    asked = {"index": index, "station": station, "batch": batch or None, "status": status}
    more = [f" AND {name} = %({name})s" for name in ("batch", "status") if asked[name]]
    return rows.execute(
        f"{_APPLICATIONS} JOIN vault ON vault.person = candidate"
        f" WHERE name_index = %(index)s AND station = %(station)s{''.join(more)}"
        " ORDER BY applications.application DESC LIMIT 200",
        asked,
    ).fetchall()


def own_applications(rows: Rows, candidate: str, own: str = "") -> list[dict[str, Any]]:
    """All applications of one candidate, newest first."""
    return rows.execute(
        f"{_OWN} WHERE candidate = %(candidate)s{of_station(own)}"
        " ORDER BY applications.application DESC LIMIT 100",
        {"candidate": candidate, "own": own},
    ).fetchall()
