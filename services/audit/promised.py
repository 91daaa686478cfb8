"""What was signed and published of the log once, against what it is now.

Whoever owns the database can make a log that is whole in itself. What he cannot make is the log's signature
and the witnesses' under another root: so the newest published checkpoint has to be that of this log. Nor
does he reach what the signer remembers: where that is at hand, it does not help him to delete checkpoints.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from services.audit import keyring, signed
from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.notes import Note
from services.audit.domain.policy import QuorumMissing
from services.audit.domain.tree import root_of
from services.audit.found import Problem
from services.audit.memory import Memory, MemoryBroken
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


_LAST = "last signature"


@dataclass(frozen=True)
class Promise:
    """A tree that somebody was told of, and by what (`its`).

    `wrong` says what nobody signed; `lacking`, what the quorum of today's policy has not cosigned.
    """

    its: str
    size: int
    root: bytes
    wrong: str = ""
    lacking: str = ""


def promise(connection: Connection[Any], settings: Settings) -> tuple[Promise, ...]:
    """What has to be kept. To be asked before the log is read, for it goes on meanwhile."""
    return tuple(filter(None, (_published(connection, settings), _remembered(settings))))


def _remembered(settings: Settings) -> Promise | None:
    """What the signer signed last, if its memory lies here."""
    try:
        tree = Memory.of(settings.var / "signer", settings.origin).load()
    except PermissionError:
        return None
    except MemoryBroken:
        return Promise(_LAST, 0, b"", "the signer's memory of it is damaged")
    return Promise(_LAST, tree.size, tree.root) if tree else None


def _published(connection: Connection[Any], settings: Settings) -> Promise | None:
    row = connection.execute(_PUBLISHED, (settings.origin,)).fetchone()
    if row is None:
        return None
    size, root = row
    wrong = lacking = ""
    try:
        note = signed.published(connection, settings.origin)
        wrong = "" if note is None else _wrong(settings, note, Checkpoint(settings.origin, size, root))
    except QuorumMissing as error:
        lacking = str(error)
    except ValueError as error:
        wrong = str(error)
    return Promise("published checkpoint", size, root, wrong, lacking)


def _wrong(settings: Settings, note: Note, stored: Checkpoint) -> str:
    said = Checkpoint.parse(note.text)
    if (said.origin, said.size, said.root) != (stored.origin, stored.size, stored.root):
        return "its note is about another tree"
    try:
        policy = keyring.policy(settings)
    except Impossible:  # whoever has no policy can compare, and not judge
        return ""
    policy.judge(note)
    return ""


def lacking(made: Iterable[Promise]) -> str:
    """What the published checkpoint lacks of the quorum; nothing if it has one.

    Whoever has changed the policy waits for those whom it asks for now; whoever has taken cosignatures away
    leaves the same behind. Neither has altered the log, and neither is verified.
    """
    return next((f"the {each.its} of {each.size}: {each.lacking}" for each in made if each.lacking), "")


def broken(
    connection: Connection[Any], settings: Settings, made: Iterable[Promise], verdict: Verdict
) -> list[Problem]:
    """What the log that `verdict` is about does not keep of the promises; nothing if it keeps all of them.

    The index is that of the first entry that may be another one: behind the last checkpoint that still holds.
    """
    for each in made:
        if each.its == _LAST and verdict.first is not None:
            return []  # known already, and with the entry: the memory would only name a part of the log
        if found := _broken(connection, settings, each, verdict):
            return found
    return []


def _broken(
    connection: Connection[Any], settings: Settings, made: Promise, verdict: Verdict
) -> list[Problem]:
    if made.wrong:
        return [(None, f"the {made.its} of {made.size}: {made.wrong}")]
    if verdict.size < made.size:
        what = f"{verdict.size} entries are fewer than the {made.size} of its {made.its}"
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
