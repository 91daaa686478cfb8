"""Findings: what somebody has to look at, in the order in which it was raised."""

from typing import Any

from shared.kernel.reactions import Rows
from shared.store.pages import page

_FINDINGS = """
SELECT id, kind, source, first_position, last_position, first_index, last_index, detail, raised_at
  FROM findings WHERE
"""


def findings(
    rows: Rows, after: int = 0, limit: int = 1000, kind: str = "", source: str = ""
) -> list[dict[str, Any]]:
    """Those behind the id `after`: of one kind, about one source, or all."""
    asked = {"after": after, "limit": limit, "kind": kind, "source": source}
    equal = [name for name in ("kind", "source") if asked[name]]
    return rows.execute(_FINDINGS + page("findings", equal, "id", newest=False), asked).fetchall()


def spelled(rows: Rows, after: int, limit: int, kind: str, source: str) -> list[dict[str, Any]]:
    """The same as a call answers it: times as text."""
    found = findings(rows, after, limit, kind, source)
    return [{**each, "raised_at": each["raised_at"].isoformat()} for each in found]
