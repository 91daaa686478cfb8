"""Checkpoints, cosignatures and answers about subjects, as the database keeps them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, errors

from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.notes import Note, Signature
from services.audit.domain.policy import Policy
from shared.runtime.settings import Settings

_NEWEST = "SELECT size, note FROM signed_checkpoints WHERE origin = %s ORDER BY size DESC LIMIT 1"
_PUBLISHED = """
SELECT size, note FROM signed_checkpoints WHERE origin = %s AND published_at IS NOT NULL
 ORDER BY size DESC LIMIT 1
"""
_AT = "SELECT size, note FROM signed_checkpoints WHERE origin = %s AND size = %s"
_COSIGNATURES = "SELECT line FROM cosignatures WHERE origin = %s AND size = %s ORDER BY witness, key_id"
_STORE = "SELECT store_checkpoint(%s, %s, %s, %s)"
_COSIGN = "SELECT add_cosignatures(%s, %s, %s::text[], %s::bytea[], %s::text[], %s::bigint[], %s)"
_ASK = "SELECT ask_subject_heads(%s, %s::text[], %s::text[])"
_OPEN = """
SELECT id, kinds, refs FROM subject_questions WHERE answered_at IS NULL AND origin = %s
 AND asked_at > now() - interval '1 hour' ORDER BY id LIMIT 100
"""
_ANSWER = "SELECT answer_subject_heads(%s, %s, %s::text[])"
_OF_SUBJECTS = """
SELECT notes FROM subject_questions WHERE origin = %s AND kinds = %s::text[] AND refs = %s::text[]
   AND cardinality(refs) <= 4 AND size IS NOT NULL ORDER BY size DESC LIMIT 1
"""
# not answered yet, or of all that is published
_ASKED = """
SELECT EXISTS (
    SELECT FROM subject_questions
     WHERE origin = %(origin)s AND kinds = %(kinds)s::text[] AND refs = %(refs)s::text[]
       AND cardinality(refs) <= 4 AND (size IS NULL OR size >= (
           SELECT coalesce(max(size), 0) FROM signed_checkpoints
            WHERE origin = %(origin)s AND published_at IS NOT NULL)))
"""
_STANDING = "SELECT (SELECT coalesce(max(size), 0) FROM tree_heads), (SELECT count(*) FROM findings)"
_COSIGNED = "SELECT max(time), count(DISTINCT witness) FROM cosignatures WHERE origin = %s AND size = %s"
_ANSWERED = "SELECT size, notes FROM subject_questions WHERE id = %s AND answered_at IS NOT NULL"


class AnotherRoot(Exception):
    """A checkpoint of this size is there already, with another root."""


@dataclass(frozen=True)
class Question:
    """How far have these (kind, id) come?"""

    id: int
    subjects: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Standing:
    """`cosigned`: the time of the newest cosignature of the published checkpoint, in seconds since 1970.

    `cosigners`: how many witnesses have cosigned that one.
    """

    size: int
    published: int
    cosigned: int | None
    findings: int
    cosigners: int = 0


def newest(connection: Connection[Any], origin: str) -> Note | None:
    """The newest checkpoint that the log has signed, with what cosignatures there are."""
    return _note(connection, origin, connection.execute(_NEWEST, (origin,)).fetchone())


def published(connection: Connection[Any], origin: str) -> Note | None:
    """The newest checkpoint that a quorum has cosigned."""
    return _note(connection, origin, connection.execute(_PUBLISHED, (origin,)).fetchone())


def at(connection: Connection[Any], origin: str, size: int) -> Note | None:
    """The checkpoint of a size."""
    return _note(connection, origin, connection.execute(_AT, (origin, size)).fetchone())


def store(connection: Connection[Any], checkpoint: Checkpoint, note: Note) -> None:
    """Keeps a checkpoint with the log's signatures; AnotherRoot if that contradicts one that is there."""
    try:
        connection.execute(_STORE, (checkpoint.origin, checkpoint.size, checkpoint.root, str(note)))
    except errors.DatabaseError as error:
        if error.sqlstate == "JD003":
            raise AnotherRoot from None
        raise


def cosign(
    connection: Connection[Any], checkpoint: Checkpoint, times: Sequence[tuple[Signature, int]], quorum: bool
) -> None:
    """Keeps cosignatures, each with its time; with a `quorum` the checkpoint is published."""
    lines = [each for each, _ in times]
    values = (
        [each.name for each in lines],
        [each.id for each in lines],
        [each.line for each in lines],
        [time for _, time in times],
    )
    connection.execute(_COSIGN, (checkpoint.origin, checkpoint.size, *values, quorum))


def ask(connection: Connection[Any], origin: str, subjects: Iterable[tuple[str, str]]) -> int:
    """Asks the signer for subject heads; the number of the question."""
    kinds, refs = zip(*subjects, strict=True)
    row = connection.execute(_ASK, (origin, list(kinds), list(refs))).fetchone()
    assert row is not None
    return int(row[0])


def is_asked(connection: Connection[Any], origin: str, subjects: Iterable[tuple[str, str]]) -> bool:
    """Whether an answer about exactly these is on its way, or there that is as new as any could be."""
    kinds, refs = zip(*subjects, strict=True)
    about = {"origin": origin, "kinds": list(kinds), "refs": list(refs)}
    row = connection.execute(_ASKED, about).fetchone()
    return row is not None and bool(row[0])


def heads_of(connection: Connection[Any], origin: str, subjects: Iterable[tuple[str, str]]) -> list[Note]:
    """The newest subject heads that answer a question about exactly these, as they are stored."""
    kinds, refs = zip(*subjects, strict=True)
    row = connection.execute(_OF_SUBJECTS, (origin, list(kinds), list(refs))).fetchone()
    return [Note.parse(note) for note in row[0]] if row else []


def questions(connection: Connection[Any], origin: str) -> list[Question]:
    """What the signer has not answered yet."""
    rows = connection.execute(_OPEN, (origin,)).fetchall()
    return [Question(id, tuple(zip(kinds, refs, strict=True))) for id, kinds, refs in rows]


def answer(connection: Connection[Any], question: int, size: int, notes: Iterable[Note]) -> None:
    """Answers a question with subject heads at a size."""
    connection.execute(_ANSWER, (question, size, [str(note) for note in notes]))


def answered(connection: Connection[Any], question: int) -> tuple[int, list[Note]] | None:
    """(size, subject heads), or None while the signer has not answered."""
    row = connection.execute(_ANSWERED, (question,)).fetchone()
    return (row[0], [Note.parse(note) for note in row[1]]) if row else None


def standing(connection: Connection[Any], settings: Settings) -> Standing:
    """How far the log is signed and published, and how old the newest published checkpoint is."""
    size, findings = connection.execute(_STANDING).fetchone() or (0, 0)
    note = published(connection, settings.origin)
    if note is None:
        return Standing(size, 0, None, findings)
    reached = Checkpoint.parse(note.text).size
    cosigned, cosigners = connection.execute(_COSIGNED, (settings.origin, reached)).fetchone() or (None, 0)
    return Standing(size, reached, cosigned, findings, cosigners)


def is_enough(policy: Policy, note: Note) -> bool:
    """Whether the policy accepts the checkpoint."""
    try:
        policy.judge(note)
    except ValueError:
        return False
    return True


def _note(connection: Connection[Any], origin: str, row: Any) -> Note | None:
    if row is None:
        return None
    size, text = row
    lines = connection.execute(_COSIGNATURES, (origin, size)).fetchall()
    cosignatures = [Signature.parse(line.removesuffix("\n")) for (line,) in lines]
    return Note.parse(text).with_signatures(cosignatures)
