"""What certification answers. Each takes the rows of the live projections."""

from typing import Any

from shared.kernel.reactions import Rows

_CERTIFICATES = """
SELECT number, application::text, candidate::text, batch::text, station, occupation, catalogue, level, theory,
       practical, evidence_digest
FROM certificates
"""
_DOSSIERS = """
SELECT application::text, candidate::text, batch::text, station, occupation, catalogue, level, links, passed,
       status, number
FROM dossiers
"""
# numerators and denominators; whoever prints a rate has to say which (requirements §5 M)
_STATISTICS = """
SELECT count(*) FILTER (WHERE 'registered' = ANY (links)) AS registered,
       count(*) FILTER (WHERE 'ticketed' = ANY (links)) AS ticketed,
       count(*) FILTER (WHERE 'checked_in' = ANY (links)) AS checked_in,
       count(*) FILTER (WHERE 'drawn' = ANY (links)) AS drawn,
       count(*) FILTER (WHERE 'scored' = ANY (links)) AS scored,
       count(*) FILTER (WHERE 'published' = ANY (links)) AS published,
       count(*) FILTER (WHERE passed) AS passed,
       count(*) FILTER (WHERE status IN ('approved', 'issued')) AS approved,
       count(*) FILTER (WHERE status = 'issued') AS issued
FROM dossiers
"""


def certificate(rows: Rows, number: str) -> dict[str, Any] | None:
    """All that a certificate says, or None."""
    return rows.execute(_CERTIFICATES + "WHERE number = %s", (number,)).fetchone()


def certificates(rows: Rows, batch: str, after: str, limit: int) -> list[dict[str, Any]]:
    """证书发放登记表 of a batch, by number; `after` is the last number of the page before."""
    return rows.execute(
        _CERTIFICATES + "WHERE batch = %s AND number > %s ORDER BY number LIMIT %s", (batch, after, limit)
    ).fetchall()


def dossier(rows: Rows, application: str) -> dict[str, Any] | None:
    """The dossier of an application with the links that are present, or None."""
    return rows.execute(_DOSSIERS + "WHERE application = %s", (application,)).fetchone()


def statistics(rows: Rows, batch: str) -> dict[str, Any]:
    """How many of a batch came how far, each a count of candidates."""
    counted: dict[str, Any] = rows.execute(_STATISTICS + "WHERE batch = %s", (batch,)).fetchone()
    return counted
