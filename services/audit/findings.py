"""Findings: what somebody has to look at, in the order in which it was raised."""

from hashlib import sha256
from typing import Any

from shared.kernel.reactions import Rows
from shared.store.pages import page

_FINDINGS = """
SELECT id, kind, source, first_position, last_position, first_index, last_index, detail, raised_at
  FROM findings WHERE
"""
_FINDING = "SELECT kind, source, detail ->> 'evidence' AS named FROM findings WHERE id = %s"
_KEPT = """
SELECT e.position, e.reason, e.body FROM evidence e JOIN findings f USING (source)
 WHERE f.id = %s AND encode(sha256(e.body), 'hex') = f.detail ->> 'evidence'
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


def evidence(rows: Rows, finding: int) -> dict[str, Any] | None:
    """What shows a finding: {kind, source, named, kept: [{position, reason, body}]}; None: no such finding.

    `named` is the hash that the finding names, if it does; `kept` are the bodies that have it, hashed anew.
    """
    found = rows.execute(_FINDING, (finding,)).fetchone()
    if found is None:
        return None
    kept = rows.execute(_KEPT, (finding,)).fetchall()
    return {**found, "kept": [row for row in kept if sha256(row["body"]).hexdigest() == found["named"]]}
