"""A trail as one file that proves itself: nothing in it is altered, nothing of it is missing (FORMATS.md)."""

import time
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from services.audit import keyring, signed, trails
from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.tree import leaf_hash
from services.audit.export import NotPublished
from services.audit.tiles import Prover, Roots
from shared.runtime.definition import Impossible
from shared.runtime.settings import Settings

FORMAT = "jianding-trail/2"
_PATIENCE = 20.0  # seconds for the signer to answer
_ENTRIES = """
SELECT DISTINCT e.index, e.leaf FROM subjects s JOIN entries e USING (index)
 WHERE (s.kind, s.ref) IN (SELECT * FROM unnest(%s::text[], %s::text[])) AND e.index < %s ORDER BY e.index
"""


_roots: Roots = {}  # of this process: with 300,000 entries, hashing them anew took most of a first proof


class SignerSilent(Impossible):
    """签署程序没有应答；请启动 jianding up（或 jianding signer）。
    The signer does not answer; is `jianding up` (or `jianding signer`) running?"""


class NoSubject(Impossible):
    """没有这样的编号；请从事件或报告中复制完整编号。
    Nothing can have such an id; copy the whole id from an event or a report."""


def bundle(
    connection: Connection[Any],
    settings: Settings,
    kind: str,
    id: str,
    sign: Callable[[], Any] = lambda: None,
    patience: float = _PATIENCE,
) -> dict[str, Any]:
    """The trail of one subject, and of what else leads to entries of its trail.

    `sign` lets the signer work where none is running. SignerSilent if it does not answer, NotPublished if
    no checkpoint of the size that it speaks of has the signatures that the policy asks for.
    """
    with connection.cursor(row_factory=dict_row) as rows:
        subjects = trails.subjects(rows, kind, id)
    question = signed.ask(connection, settings.origin, subjects)
    sign()
    size, heads = _answer(connection, question, patience)
    if len(heads) != len(subjects):
        raise NoSubject(repr(id[:80]))
    note = signed.at(connection, settings.origin, size)
    if note is None or not signed.is_enough(keyring.policy(settings), note):
        raise NotPublished(f"{settings.origin} {size}")
    return {
        "format": FORMAT,
        "about": f"{kind}:{id}",
        "checkpoint": str(note),
        "heads": [str(head) for head in heads],
        "entries": list(_entries(connection, subjects, Checkpoint.parse(note.text))),
    }


def _answer(connection: Connection[Any], question: int, patience: float) -> Any:
    deadline = time.monotonic() + patience
    while (found := signed.answered(connection, question)) is None:
        if time.monotonic() > deadline:
            raise SignerSilent
        time.sleep(0.05)
    return found


def _entries(
    connection: Connection[Any], subjects: Iterable[tuple[str, str]], checkpoint: Checkpoint
) -> Iterable[dict[str, Any]]:
    kinds, refs = zip(*subjects, strict=True)
    size, root = checkpoint.size, checkpoint.root
    prover = Prover(connection, _roots)
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(_ENTRIES, (list(kinds), list(refs), size)).fetchall()
    for index, leaf in rows:
        proof = [b64encode(hash).decode() for hash in prover.proof(leaf_hash(leaf), index, size, root)]
        yield {"index": index, "leaf": b64encode(leaf).decode(), "proof": proof}
