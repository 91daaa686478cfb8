"""Trails: everything that happened around somebody or something, in order (R153, R154).

A page is found by walking the subject's own index from where the page before ended: what it costs depends on
the entries it looks at, and not on the size of the log. Nothing is counted.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
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
# events that correct something: the fields with what was there, and with what is there now
_CORRECTIONS = {"CorrectionProposed": ("old", "new"), "ScoreCorrected": ("old", "new")}
_HASH = re.compile(r"[0-9a-f]{64}")
_PAGE = 1000
# each subject's entries come in the order of the log from its index, and each entry from its own: OFFSET 0
# keeps the planner from reading entries that are of nobody asked for
_TRAIL = """
SELECT index, leaf FROM (
    SELECT DISTINCT ON (found.index) found.index, found.leaf
      FROM unnest(%(kinds)s::text[], %(refs)s::text[]) AS asked (kind, ref), LATERAL (
        SELECT e.index, e.leaf
          FROM subjects s, LATERAL (
            SELECT * FROM entries WHERE entries.index = s.index OFFSET 0) AS e
         WHERE s.kind = asked.kind AND s.ref = asked.ref AND s.index > %(after)s
           AND (%(types)s::text[] IS NULL OR e.type = ANY (%(types)s))
           AND (%(actor)s::text IS NULL OR e.actor = %(actor)s)
           AND (%(as_of)s::timestamptz IS NULL OR e.received_at <= %(as_of)s)
         ORDER BY s.index LIMIT %(limit)s) AS found
) AS trail ORDER BY index LIMIT %(limit)s
"""
_ENTRIES = "SELECT index, leaf FROM entries WHERE index = ANY (%s) AND index > %s ORDER BY index"
_APPLICATIONS = """
SELECT DISTINCT found.ref FROM subjects c, LATERAL (
    SELECT ref, kind FROM subjects a WHERE a.index = c.index OFFSET 0) AS found
 WHERE c.kind = 'certificate' AND c.ref = %s AND found.kind = 'application'
"""


def trail(
    rows: Rows,
    kind: str,
    id: str,
    after: int = -1,
    limit: int = 100,
    *,
    as_of: str = "",
    types: Sequence[str] = (),
    actor: str = "",
    since: str = "",
    until: str = "",
) -> list[dict[str, Any]]:
    """The events of one subject behind log index `after`, the first `limit` that are asked for.

    `as_of`: only what audit had received by then. `types`, `actor`: only events of these types, by this
    actor. `since`, `until`: only what was recorded from the one moment on, and before the other. Moments are
    stamps. A certificate's trail is that of the application it was issued for, from the first review on.
    """
    asked: dict[str, Any] = {
        "as_of": as_of, "types": types, "actor": actor, "since": since, "until": until
    }  # fmt: skip
    return [step for step, _ in with_leaves(rows, subjects(rows, kind, id), after, limit, **asked)]


def with_leaves(
    rows: Rows,
    about: Sequence[tuple[str, str]],
    after: int,
    limit: int,
    *,
    as_of: str = "",
    types: Sequence[str] = (),
    actor: str = "",
    since: str = "",
    until: str = "",
) -> list[tuple[dict[str, Any], bytes]]:
    """The same of these subjects, each event with the leaf that says it."""
    kinds, refs = zip(*about, strict=True)
    asked = {
        "kinds": list(kinds),
        "refs": list(refs),
        "types": list(types) or None,
        "actor": actor or None,
        "as_of": datetime.fromisoformat(as_of) if as_of else None,
    }
    found: list[tuple[dict[str, Any], bytes]] = []
    for step, entry in _steps(rows, asked, after, _PAGE if since or until else limit):
        if _is_recorded(step, since, until):
            found.append((step, entry))
        if len(found) == limit:
            break
    return found


def steps(
    rows: Rows,
    indexes: Sequence[int],
    after: int,
    *,
    as_of: str = "",
    types: Sequence[str] = (),
    actor: str = "",
    since: str = "",
    until: str = "",
) -> list[dict[str, Any]]:
    """These entries behind log index `after`, as far as a trail that is asked for so would have them."""
    found = rows.execute(_ENTRIES, (list(indexes), after)).fetchall()
    return [
        each
        for each in map(step, found)
        if (not types or each["type"] in types)
        and (not actor or each["actor"] == actor)
        and (not as_of or each["received"] <= as_of)
        and _is_recorded(each, since, until)
    ]


def _is_recorded(step: dict[str, Any], since: str, until: str) -> bool:
    return bool(since <= step["recorded"] and (not until or step["recorded"] < until))


def _steps(
    rows: Rows, asked: dict[str, Any], after: int, page: int
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """When it was recorded stands in the leaf alone; so pages are read until enough is found."""
    while found := rows.execute(_TRAIL, {**asked, "after": after, "limit": page}).fetchall():
        yield from ((step(row), row["leaf"]) for row in found)
        if len(found) < page:
            return
        after = found[-1]["index"]


def subjects(rows: Rows, kind: str, id: str) -> list[tuple[str, str]]:
    """The subjects whose entries make up a trail: what is asked for, and what else leads to entries of it."""
    found = [(each, id) for each in _SEARCHED.get(kind, (kind,))]
    if kind == "certificate":
        applications = rows.execute(_APPLICATIONS, (id,)).fetchall()
        found += [("application", row["ref"]) for row in applications]
    return found


def step(row: dict[str, Any]) -> dict[str, Any]:
    """An entry as people follow it: who did what when, why, and with what evidence."""
    sealed, _, received = leaf.decode(row["leaf"])
    event = orjson.loads(sealed)
    before, after = _CORRECTIONS.get(event["type"], ("", ""))
    return {
        "index": row["index"],
        "time": event["time"],
        "recorded": event["recordedtime"],
        "received": received,
        "type": event["type"],
        "actor": event["actor"],
        "role": event["role"],
        "body": event["body"],
        "device": event.get("device", ""),
        "source": event["source"],
        "position": event["position"],
        "id": event["id"],
        "command": event["commandid"],
        "causation": event["causationid"],
        "correlation": event["correlationid"],
        "data": event["data"],
        "before": event["data"].get(before),
        "after": event["data"].get(after),
        "evidence": _hashes(event["data"]),
    }


def _hashes(data: dict[str, Any]) -> dict[str, list[str]]:
    """The fields that are hashes of something kept elsewhere: {field: [sha256 in hex, …]}."""
    found = {}
    for name, value in data.items():
        values = value if isinstance(value, list) else [value]
        hashes = [each for each in values if isinstance(each, str) and _HASH.fullmatch(each)]
        if hashes:
            found[name] = hashes
    return found


def entries(rows: Rows, after: int = -1, limit: int = 500) -> list[str]:
    """The log itself behind index `after`: sealed events as text."""
    found = rows.execute(
        "SELECT leaf FROM entries WHERE index > %s ORDER BY index LIMIT %s", (after, limit)
    ).fetchall()
    return [leaf.decode(row["leaf"])[0].decode() for row in found]


def head(rows: Rows) -> dict[str, Any]:
    """{size, root}: what the log amounts to."""
    row = rows.execute("SELECT size, root FROM tree_heads ORDER BY size DESC LIMIT 1").fetchone()
    return {"size": row["size"], "root": row["root"].hex()} if row else {"size": 0, "root": ""}
