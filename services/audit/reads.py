"""What audit says of looking at its log: each is committed in the transaction that reads (R163).

Looking leaves an entry that can be looked at. So a page of nothing but one's own looks, and the page behind
the last entry, leave none: else nobody would come to the end of a trail, or of the log.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from itertools import takewhile
from typing import Any

from psycopg import Connection

from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.notes import Note
from shared.contracts.audit import BundleMade, LogExported, LogVerified, TrailRead
from shared.kernel.actors import Actor
from shared.kernel.events import Event
from shared.runtime import reading
from shared.wire.canonical import canonical

# filters that are typed by hand: an id, or a word that holds no number of a person
_WORD = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?!.*[0-9]{9})[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_KNOWN = "SELECT EXISTS (SELECT FROM subjects WHERE kind = %s AND ref = %s)"


def trail(
    connection: Connection[Any], by: Actor, read: str, asked: Mapping[str, Any], steps: Any
) -> Event | None:
    """Who asked for which trail; nothing where all that he was shown are his own looks."""
    if all(reading.is_own_read(by, step) for step in steps) and (steps or asked["after"] >= 0):
        return None
    known = connection.execute(_KNOWN, (asked["kind"], asked["id"])).fetchone()
    return TrailRead(
        read=read,
        trail=f"{asked['kind']}:{asked['id'] if known and known[0] else ''}",
        after=asked["after"],
        as_of=asked.get("as_of", ""),
        types=tuple(filter(_WORD.fullmatch, asked.get("types", ()))),
        doer=asked["actor"] if _WORD.fullmatch(asked.get("actor", "")) else "",
        since=asked.get("since", ""),
        until=asked.get("until", ""),
        rows=len(steps),
    )


def entries(_: Connection[Any], by: Actor, read: str, asked: Mapping[str, Any], bodies: Any) -> Event | None:
    """Who read the log itself: its entries pair blind codes with people."""
    rows = reading.told(by, bodies)
    return reading.read_of("audit", read, "entries", asked, rows) if rows else None


def newest(_: Connection[Any], by: Actor, read: str, asked: Mapping[str, Any], steps: Any) -> Event | None:
    """Who watches the log grow, once for whatever came since his last look; looks alone are nothing new."""
    fresh = takewhile(lambda step: not reading.is_own_read(by, step), steps)
    rows = sum(not reading.is_read(step) for step in fresh)
    return reading.read_of("audit", read, "newest", asked, rows) if rows else None


def looks(_: Connection[Any], by: Actor, read: str, asked: Mapping[str, Any], steps: Any) -> Event | None:
    """Who asked what somebody else has looked at."""
    return None if asked["actor"] == by.id else reading.read_of("audit", read, "looks", asked, len(steps))


def verified(verification: str, found: Mapping[str, Any], verdict: str) -> Event:
    """What a verification came to; `found` is its verdict as data. Said afterwards, it is no part of that."""
    return LogVerified(
        verification=verification,
        verdict=verdict,
        size=found["size"],
        root=found["root"],
        problems=len(found["problems"]) + sum(more["count"] for more in found["more"]),
        first=found["first"],
    )


def exported(export: str, checkpoint: Checkpoint) -> Event:
    """The log is about to leave the house."""
    return LogExported(export=export, size=checkpoint.size, root=checkpoint.root.hex())


def made(bundle: str, kind: str, id: str, found: Mapping[str, Any]) -> Event:
    """A trail is about to leave the house."""
    return BundleMade(
        bundle=bundle,
        trail=f"{kind}:{id}",
        size=Checkpoint.parse(Note.parse(found["checkpoint"]).text).size,
        events=len(found["entries"]),
        bundle_digest=sha256(canonical(found)).hexdigest(),
    )
