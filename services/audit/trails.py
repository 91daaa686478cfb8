"""Trails: everything that happened around somebody or something, in order (R153, R154)."""

from typing import Any

import orjson

from services.audit.domain import leaf
from shared.kernel.reactions import Rows

KINDS = (
    "candidate", "batch", "examiner", "certificate", "application", "ticket", "station", "room", "paper",
    "sheet", "actor",
)  # fmt: skip

# what is asked for, and what else leads to entries of its trail
_SEARCHED = {"examiner": ("examiner", "actor")}
_TRAIL = """
SELECT DISTINCT e.index, e.leaf FROM subjects s JOIN entries e USING (index)
 WHERE (s.kind, s.ref) IN (SELECT * FROM unnest(%s::text[], %s::text[])) AND e.index > %s
 ORDER BY e.index LIMIT %s
"""
_APPLICATIONS = """
SELECT DISTINCT a.ref FROM subjects c JOIN subjects a USING (index)
 WHERE c.kind = 'certificate' AND c.ref = %s AND a.kind = 'application'
"""

_FINDINGS = """
SELECT id, kind, source, first_position, last_position, first_index, last_index, detail, raised_at
  FROM findings WHERE id > %s ORDER BY id LIMIT %s
"""


def trail(rows: Rows, kind: str, id: str, after: int = -1, limit: int = 100) -> list[dict[str, Any]]:
    """The events of one subject behind log index `after`.

    A certificate's trail is that of the application it was issued for, from the first review on.
    """
    kinds, refs = zip(*subjects(rows, kind, id), strict=True)
    return [_step(row) for row in rows.execute(_TRAIL, (list(kinds), list(refs), after, limit)).fetchall()]


def subjects(rows: Rows, kind: str, id: str) -> list[tuple[str, str]]:
    """The subjects whose entries make up a trail: what is asked for, and what else leads to entries of it."""
    found = [(each, id) for each in _SEARCHED.get(kind, (kind,))]
    if kind == "certificate":
        applications = rows.execute(_APPLICATIONS, (id,)).fetchall()
        found += [("application", row["ref"]) for row in applications]
    return found


def _step(row: dict[str, Any]) -> dict[str, Any]:
    sealed, _, received = leaf.decode(row["leaf"])
    event = orjson.loads(sealed)
    return {
        "index": row["index"],
        "time": event["time"],
        "recorded": event["recordedtime"],
        "received": received,
        "type": event["type"],
        "actor": event["actor"],
        "role": event["role"],
        "body": event["body"],
        "source": event["source"],
        "position": event["position"],
        "id": event["id"],
        "causation": event["causationid"],
        "correlation": event["correlationid"],
        "data": event["data"],
    }


def entries(rows: Rows, after: int = -1, limit: int = 500) -> list[str]:
    """The log itself behind index `after`: sealed events as text."""
    found = rows.execute(
        "SELECT leaf FROM entries WHERE index > %s ORDER BY index LIMIT %s", (after, limit)
    ).fetchall()
    return [leaf.decode(row["leaf"])[0].decode() for row in found]


def findings(rows: Rows, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
    """What somebody has to look at, in the order in which it was raised."""
    return rows.execute(_FINDINGS, (after, limit)).fetchall()


def head(rows: Rows) -> dict[str, Any]:
    """{size, root}: what the log amounts to."""
    row = rows.execute("SELECT size, root FROM tree_heads ORDER BY size DESC LIMIT 1").fetchone()
    return {"size": row["size"], "root": row["root"].hex()} if row else {"size": 0, "root": ""}
