"""What was signed and published of the log once, against what it is now.

Whoever owns the database can make a log that is whole in itself. What he cannot make is the log's signature
and the witnesses' under another root: so the newest published checkpoint has to be that of this log.
"""

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from services.audit import keyring, signed
from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.notes import Note, NotSigned
from services.audit.domain.tree import root_of
from services.audit.sections import Problem
from services.audit.tiles import StoredTiles
from services.audit.verification import Verdict
from shared.runtime.definition import Impossible
from shared.runtime.settings import Settings

_PUBLISHED = """
SELECT size, root FROM signed_checkpoints WHERE origin = %s AND published_at IS NOT NULL
 ORDER BY size DESC LIMIT 1
"""
_BELOW = """
SELECT size, root FROM signed_checkpoints WHERE origin = %s AND size > %s AND size <= %s
 ORDER BY size DESC LIMIT 1
"""
_ABOVE = """
SELECT size, root FROM signed_checkpoints WHERE origin = %s AND size > %s AND size < %s
 ORDER BY size LIMIT 1
"""


@dataclass(frozen=True)
class Promise:
    """The newest published checkpoint, as it stands in the database; `wrong` says what nobody signed."""

    size: int
    root: bytes
    wrong: str = ""


def promise(connection: Connection[Any], settings: Settings) -> Promise | None:
    """None if nothing was published. To be asked before the log is read, for it goes on meanwhile."""
    row = connection.execute(_PUBLISHED, (settings.origin,)).fetchone()
    if row is None:
        return None
    size, root = row
    try:
        note = signed.published(connection, settings.origin)
        wrong = "" if note is None else _wrong(settings, note, Checkpoint(settings.origin, size, root))
    except ValueError as error:
        wrong = str(error)
    return Promise(size, root, wrong)


def _wrong(settings: Settings, note: Note, stored: Checkpoint) -> str:
    said = Checkpoint.parse(note.text)
    if (said.origin, said.size, said.root) != (stored.origin, stored.size, stored.root):
        return "its note is about another tree"
    try:
        policy = keyring.policy(settings)
    except Impossible:  # whoever has no policy can compare, and not judge
        return ""
    if not note.signed_by(policy.keys(stored.origin)):
        raise NotSigned("no key that the policy has for the log has signed it")
    note.signed_by(witness.key for witness in policy.witnesses)
    return ""


def broken(
    connection: Connection[Any], settings: Settings, made: Promise | None, verdict: Verdict
) -> list[Problem]:
    """What the log that `verdict` is about does not keep of the promise; nothing if it keeps all of it.

    The index is that of the first entry that may be another one: behind the last checkpoint that still holds.
    """
    if made is None:
        return []
    if made.wrong:
        return [(None, f"the published checkpoint of {made.size}: {made.wrong}")]
    if verdict.size < made.size:
        what = f"{verdict.size} entries are fewer than the {made.size} of its published checkpoint"
        return [(verdict.size, what)]
    if verdict.torn is not None or root_of(made.size, tiles := StoredTiles(connection)) == made.root:
        return []  # where it is not whole in itself, the entry is known already
    first, last = _between(connection, settings.origin, made.size, tiles)
    return [(first, f"among entries {first} to {last - 1} there is another than was signed and published")]


def _between(connection: Connection[Any], origin: str, size: int, tiles: StoredTiles) -> tuple[int, int]:
    """The largest size whose checkpoint still holds (or 0), and the smallest behind it whose does not."""
    good, bad = 0, size
    while True:
        middle = (good + bad) // 2
        row = connection.execute(_BELOW, (origin, good, middle)).fetchone()
        row = row or connection.execute(_ABOVE, (origin, middle, bad)).fetchone()
        if row is None:
            return good, bad
        if root_of(row[0], tiles) == row[1]:
            good = row[0]
        else:
            bad = row[0]
