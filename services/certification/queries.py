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
_STATISTICS = f"SELECT {_COUNTS} FROM dossiers WHERE batch = %s"  # noqa: S608
_STATISTICS_OF = f"SELECT batch::text, {_COUNTS} FROM dossiers WHERE batch = ANY (%s) GROUP BY batch"  # noqa: S608


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
    counted: dict[str, Any] = rows.execute(_STATISTICS, (batch,)).fetchone()
    return counted


def statistics_of(rows: Rows, batches: tuple[str, ...]) -> list[dict[str, Any]]:
    """The same of several batches, for a chart."""
    return rows.execute(_STATISTICS_OF, (list(batches),)).fetchall()


def waiting(rows: Rows, after: str, limit: int) -> list[dict[str, Any]]:
    """Dossiers of those who passed and have no certificate yet, newest application first."""
    return rows.execute(
        _DOSSIERS
        + "WHERE passed AND status = 'open' AND application < %s ORDER BY dossiers.application DESC LIMIT %s",
        (after, limit),
    ).fetchall()


def own_certificates(rows: Rows, candidate: str) -> list[dict[str, Any]]:
    """The certificates of one candidate."""
    return rows.execute(
        _CERTIFICATES + "WHERE candidate = %s ORDER BY number LIMIT 100", (candidate,)
    ).fetchall()
