"""What certification answers. Each takes the rows of the live projections.

`own`: the station to which whoever asks belongs, and which is all that he is shown; nothing at the centre.
"""

from typing import Any

from shared.kernel.reactions import Rows
from shared.store.pages import of_station, page

_CERTIFICATES = """
SELECT number, application::text, candidate::text, batch::text, station, occupation, catalogue, level, theory,
       practical, evidence_digest, issued_at
FROM certificates
"""
_DOSSIERS = """
SELECT application::text, candidate::text, batch::text, station, occupation, catalogue, level, links, passed,
       status, number
FROM dossiers
"""
# numerators and denominators; whoever prints a rate has to say which (requirements §5 M)
_COUNTS = """
count(*) FILTER (WHERE 'registered' = ANY (links)) AS registered,
       count(*) FILTER (WHERE 'ticketed' = ANY (links)) AS ticketed,
       count(*) FILTER (WHERE 'checked_in' = ANY (links)) AS checked_in,
       count(*) FILTER (WHERE 'drawn' = ANY (links)) AS drawn,
       count(*) FILTER (WHERE 'scored' = ANY (links)) AS scored,
       count(*) FILTER (WHERE 'published' = ANY (links)) AS published,
       count(*) FILTER (WHERE passed) AS passed,
       count(*) FILTER (WHERE status IN ('approved', 'issued')) AS approved,
       count(*) FILTER (WHERE status = 'issued') AS issued
"""
_STATISTICS = f"SELECT {_COUNTS} FROM dossiers WHERE batch = %(batch)s"  # noqa: S608
_STATISTICS_OF = f"SELECT batch::text, {_COUNTS} FROM dossiers WHERE batch = ANY (%(batches)s)"  # noqa: S608


def certificate(rows: Rows, number: str, own: str = "") -> dict[str, Any] | None:
    """All that a certificate says, or None."""
    asked = {"number": number, "own": own}
    return rows.execute(_CERTIFICATES + "WHERE number = %(number)s" + of_station(own), asked).fetchone()


def certificates(rows: Rows, batch: str, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """证书发放登记表 of a batch, by number; `after` is the last number of the page before."""
    return rows.execute(
        f"{_CERTIFICATES} WHERE batch = %(batch)s AND number > %(after)s{of_station(own)}"
        " ORDER BY number LIMIT %(limit)s",
        {"batch": batch, "after": after, "limit": limit, "own": own},
    ).fetchall()


def dossier(rows: Rows, application: str, own: str = "") -> dict[str, Any] | None:
    """The dossier of an application with the links that are present, or None."""
    asked = {"application": application, "own": own}
    return rows.execute(_DOSSIERS + "WHERE application = %(application)s" + of_station(own), asked).fetchone()


def statistics(rows: Rows, batch: str, own: str = "") -> dict[str, Any]:
    """How many of a batch came how far, each a count of candidates."""
    counted: dict[str, Any] = rows.execute(
        _STATISTICS + of_station(own), {"batch": batch, "own": own}
    ).fetchone()
    return counted


def statistics_of(rows: Rows, batches: tuple[str, ...], own: str = "") -> list[dict[str, Any]]:
    """The same of several batches, for a chart."""
    asked = {"batches": list(batches), "own": own}
    return rows.execute(f"{_STATISTICS_OF}{of_station(own)} GROUP BY batch", asked).fetchall()


def waiting(rows: Rows, after: str, limit: int, own: str = "") -> list[dict[str, Any]]:
    """Dossiers of those who passed and have no certificate yet, newest application first."""
    asked = {"station": own, "after": after, "limit": limit}
    within = page("dossiers", ["station"] if own else [], "application")
    return rows.execute(f"{_DOSSIERS} WHERE passed AND status = 'open' AND {within}", asked).fetchall()


def own_certificates(rows: Rows, candidate: str, own: str = "") -> list[dict[str, Any]]:
    """The certificates of one candidate."""
    return rows.execute(
        f"{_CERTIFICATES} WHERE candidate = %(candidate)s{of_station(own)} ORDER BY number LIMIT 100",
        {"candidate": candidate, "own": own},
    ).fetchall()
