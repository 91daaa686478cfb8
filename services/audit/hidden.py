"""Entries of a trail to which no row of `subjects` leads any more: a plain read shows them (R153).

Where a row in the middle was deleted, the leaf behind it still names the entry. Rows only lead backwards, so
a trail whose newest rows were deleted looks whole. What knows better is not the rows: the newest subject
heads that the signer has signed for somebody, what the signer has refused to sign, and each leaf's links to
the one before. A read asks the signer for heads of now, so that he compares the rows
with his own memory within a second, and the next read knows them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
from psycopg import Connection, Cursor
from psycopg.rows import dict_row, tuple_row

from services.audit import keyring, signed, trails
from services.audit.domain import leaf
from services.audit.domain.checkpoints import SubjectHead
from services.audit.domain.leaf import NoLeaf, subjects_of
from services.audit.domain.notes import Verifier
from services.audit.raising import raise_finding
from shared.runtime.definition import Impossible
from shared.runtime.settings import Settings
from shared.wire.envelope import Sealed, Undecodable, read

KIND = "hidden-entries"
_MOST = 1000  # hidden entries that are followed backwards, of one subject
_REFUSED = 20  # newest refusals that are looked at
_REFUSALS = """
SELECT DISTINCT first_index FROM (
    SELECT first_index FROM findings WHERE kind = 'not-signed' ORDER BY id DESC LIMIT %s) AS newest
"""
_ENTRY = """
SELECT e.leaf, EXISTS (SELECT FROM subjects s WHERE s.kind = %s AND s.ref = %s AND s.index = e.index)
  FROM entries e WHERE e.index = %s
"""
# a primary key that is looked into once for each: a page of a trail that nobody filters asks for none
_WITHOUT_ROW = """
SELECT before FROM unnest(%s::bigint[]) AS before
 WHERE NOT EXISTS (SELECT FROM subjects s WHERE s.kind = %s AND s.ref = %s AND s.index = before)
"""
_PATIENCE = 2.0  # seconds for the signer: he looks every second

Subject = tuple[str, str]


def expect(
    settings: Settings, connection: Connection[Any], kind: str, id: str, sign: Callable[[], Any]
) -> None:
    """Before a trail is read by whoever can wait: asks the signer, who answers or refuses within a moment.

    `sign` lets him work where none is running.
    """
    with connection.cursor(row_factory=dict_row) as rows:
        about = trails.subjects(rows, kind, id)
        if signed.is_asked(connection, settings.origin, about) or not trails.trail(rows, kind, id, limit=1):
            return
    question, refused = signed.ask(connection, settings.origin, about), _refusals(connection)
    sign()
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if signed.answered(connection, question) is not None or _refusals(connection) != refused:
            return
        time.sleep(0.05)


def trail(
    settings: Settings,
    rows: Cursor[Any],
    kind: str,
    id: str,
    after: int = -1,
    limit: int = 100,
    **asked: Any,
) -> list[dict[str, Any]]:
    """`trails.trail`, with what its rows hide; of each step, `hidden` says whether they did."""
    about = trails.subjects(rows, kind, id)
    page = trails.with_leaves(rows, about, after, limit, **asked)
    steps = [step for step, _ in page]
    connection = rows.connection
    found = _hidden(connection, settings, about)
    found |= _left_out(connection, about, after, {step["index"]: entry for step, entry in page})
    if found:
        _tell(connection, settings, about, found)
        steps += trails.steps(rows, sorted(found), after, **asked)
    if steps:
        _ask(connection, settings, about)
    ordered = sorted(steps, key=lambda step: int(step["index"]))[:limit]
    return [{**step, "hidden": step["index"] in found} for step in ordered]


def _hidden(connection: Connection[Any], settings: Settings, about: Sequence[Subject]) -> set[int]:
    ends = _refusals(connection)
    heads = _heads(connection, settings, about)
    known = {tuple(head.subject.split(":", 1)): head.index for head in heads if head.number}
    found = set[int]()
    for subject in about:
        for end in ends | ({known[subject]} if subject in known else set()):
            found.update(_followed(connection, subject, end))
    return found


def _left_out(
    connection: Connection[Any], about: Sequence[Subject], after: int, page: dict[int, bytes]
) -> set[int]:
    """Entries that others behind them on the page name as the one before, and to which no row leads.

    Of those that somebody does not want to see, by a filter, only what they say of the one before is missed.
    """
    before: dict[Subject, set[int]] = {subject: set() for subject in about}
    for entry in page.values():
        for subject, previous in _named(entry).items():
            if subject in before and previous > after and previous not in page:
                before[subject].add(previous)
    found = set[int]()
    for subject, indexes in before.items():
        if indexes:
            with connection.cursor(row_factory=tuple_row) as cursor:
                gone = cursor.execute(_WITHOUT_ROW, (sorted(indexes), *subject)).fetchall()
            for (index,) in gone:
                found.update(_followed(connection, subject, index))
    return {index for index in found if index > after}


def _named(entry: bytes) -> dict[Subject, int]:
    """The entry before of each of its subjects; nothing if this is no leaf."""
    try:
        sealed, links, _ = leaf.decode(entry)
        about = subjects_of(Sealed(sealed, b"", orjson.loads(sealed)))
        return {subject: previous for subject, (_, previous) in zip(about, links, strict=True)}
    except (NoLeaf, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _refusals(connection: Connection[Any]) -> set[int]:
    """Where the log is, as the signer says, not what was signed."""
    rows = connection.execute(_REFUSALS, (_REFUSED,)).fetchall()
    return {index for (index,) in rows if index is not None}


def _followed(connection: Connection[Any], subject: Subject, index: int) -> Iterator[int]:
    """Entries of a subject from `index` backwards, as far as no row leads to them."""
    for _ in range(_MOST):
        with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
            row = cursor.execute(_ENTRY, (*subject, index)).fetchone()
        previous = _previous(row[0], subject) if row and not row[1] else None
        if previous is None:
            return
        yield index
        index = previous


def _previous(entry: bytes, subject: Subject) -> int | None:
    """The entry before of a subject, -1 if it is its first one; None if this is none of its entries."""
    try:
        sealed, links, _ = leaf.decode(entry)
        about = dict(zip(subjects_of(read(sealed)), links, strict=True))
    except (NoLeaf, Undecodable, ValueError):
        return None
    return about[subject][1] if subject in about else None


def _heads(connection: Connection[Any], settings: Settings, about: Sequence[Subject]) -> list[SubjectHead]:
    """The newest that were signed for these subjects, and are."""
    keys = _keys(settings)
    try:
        notes = signed.heads_of(connection, settings.origin, about) if keys else []
        return [SubjectHead.parse(note.text) for note in notes if note.signed_by(keys)]
    except ValueError:
        return []  # what nobody signed tells nothing


def _keys(settings: Settings) -> Sequence[Verifier]:
    try:
        return keyring.policy(settings).keys(settings.origin)
    except Impossible:
        return ()


def _ask(connection: Connection[Any], settings: Settings, about: Sequence[Subject]) -> None:
    """The signer, unless he has answered of all that is published, or has not yet."""
    if not signed.is_asked(connection, settings.origin, about):
        signed.ask(connection, settings.origin, about)


def _tell(connection: Connection[Any], settings: Settings, about: Sequence[Subject], found: set[int]) -> None:
    raise_finding(
        connection,
        settings.body,
        KIND,
        settings.origin,
        indexes=(min(found), max(found)),
        batch=next((ref for kind, ref in about if kind == "batch"), ""),
    )
