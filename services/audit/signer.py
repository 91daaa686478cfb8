"""The signer: the only one who has the log's key, and who believes nobody what the log is.

Each step:
1. read the stored bytes behind what was signed last, as many as a moment allows, and hash them anew;
2. compare them with the tiles, the tree heads and the subjects that the database has of them;
3. hold what is new against what was last of each source, and against the clock;
4. go on only from what was signed last: a shorter log, or another one, is refused and told as a finding;
5. write down what is going to be signed, to the disk; only then sign and store it;
6. ask the witnesses; with a quorum of them the checkpoint is published;
7. answer how far subjects have come, and read a further piece of what was signed long ago: piece by piece the
   whole log, again and again, each time to arrive at what was signed.

When it starts, the stored tiles have to lead to what it has signed last. After a refusal it reads everything.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import orjson
from psycopg import Connection

from services.audit import keyring, rereading, signed
from services.audit.cosigners import Cosigners, Refusal
from services.audit.domain.checkpoints import Checkpoint, SubjectHead
from services.audit.domain.following import Following
from services.audit.domain.notes import Malformed, Note, PrivateKey
from services.audit.domain.policy import Policy
from services.audit.domain.tree import WIDTH, Tree, leaf_hash, verify_inclusion
from services.audit.memory import Memory, MemoryLost
from services.audit.newest import Newest
from services.audit.raising import raise_finding
from services.audit.rereading import Disagreement, Rereading
from services.audit.tiles import Prover, Roots, StoredTiles
from services.audit.witness import Witness
from shared.kernel.clock import Clock, stamp, utc_now
from shared.kernel.faults import reached
from shared.runtime.settings import Settings

log = logging.getLogger(__name__)

_PATROL = 256  # entries that are read again in each step: some 6 ms
_PORTION = 2**16  # entries that a step signs at most: some 2 s, after which it can be stopped
_PENANCE = 30.0  # seconds after a refusal before everything is read again
_NEWEST = """
SELECT s.index, s.number, e.leaf FROM subjects s LEFT JOIN entries e USING (index)
 WHERE s.kind = %s AND s.ref = %s AND s.index < %s ORDER BY s.index DESC LIMIT 1
"""
_LATER = """
SELECT index, number FROM subjects WHERE kind = %s AND ref = %s AND index > %s AND index < %s ORDER BY index
"""


class Signer:
    """Signs one log, step by step, on whatever connection it is given."""

    def __init__(
        self,
        settings: Settings,
        near: Witness | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[], Any] = lambda: None,
        now: Clock = utc_now,
    ) -> None:
        self._settings, self._near, self._clock, self._pause = settings, near, clock, pause
        self._memory = Memory.of(settings.var / "signer", settings.origin)
        self._seen = Newest(self._memory.path.with_suffix(".subjects"))
        self._now = now
        self._whole: datetime | None = None  # when a step began that has left nothing for the next
        self._reading, self._patrol = Rereading(self._seen.add, Following()), Rereading()
        self._lap = Tree()  # that the patrol has to arrive at
        self._note: Note | None = None  # what is stored
        self._enough = False
        self._refused_until = -_PENANCE
        self._doubted = False  # after a refusal, all of it is read again before anything is signed
        self._since = ""  # when the refusals began that have not ended yet
        self._policy: Policy | None = None
        self._cosigners = Cosigners((), None)
        self._roots: Roots = {}
        self.behind = False  # whether the last step has left entries for the next

    def step(self, connection: Connection[Any]) -> bool:
        """One round; whether the checkpoint of all that there is has been published."""
        self.behind = False
        if self._clock() < self._refused_until:
            return False
        try:
            return self._step(connection)
        except Disagreement as found:
            self._forget()
            self._refuse(connection, found)
            return False
        except Exception:
            self._forget()  # half a page may have been read
            raise

    def _step(self, connection: Connection[Any]) -> bool:
        held = self._memory.load()
        keys = self._keys(connection, held)
        if held is None and self._has_signed(connection, keys):
            raise MemoryLost(str(self._memory.path))
        began, size = self._now(), rereading.size(connection)
        tree = self._read(connection, held or Tree(), size)
        self.behind = tree.size < size
        if not self.behind:
            self._whole = began
        if tree.size:
            self._sign(connection, keys, held or Tree(), tree)
            self._publish(connection)
            self._answer(connection, keys)
            self._look_back(connection)
        return (self._enough or not tree.size) and not self.behind

    def _keys(self, connection: Connection[Any], held: Tree | None) -> tuple[PrivateKey, ...]:
        first = held is None and signed.newest(connection, self._settings.origin) is None
        return keyring.log_keys(self._settings, make=first)

    def _has_signed(self, connection: Connection[Any], keys: tuple[PrivateKey, ...]) -> bool:
        note = signed.newest(connection, self._settings.origin)
        return note is not None and _is_by(note, keys)

    def _read(self, connection: Connection[Any], held: Tree, size: int) -> Tree:
        self._following.trusted = max(self._following.trusted, held.size)
        if size < (before := max(held.size, self._reading.tree.size)):
            raise Disagreement(size, f"the log ends here, but once had {before} entries")
        if self._reading.tree.size < held.size:
            if self._doubted:
                self._read_to(connection, held.size)
            else:
                following = self._memory.following()
                # of an older memory, what was last of each source is learnt anew from the first entry on
                known = min(held.size, self._seen.size) if following else 0
                following = following or Following(trusted=held.size)
                self._reading = Rereading.behind(connection, known, self._seen.add, following)
                self._read_to(connection, held.size)
            if self._reading.tree != held:
                first = _first_difference(self._reading.tree, held)
                raise Disagreement(
                    first, f"from here on the log is not the one of {held.size} that was signed"
                )
        self._following.between(self._whole, self._now())
        self._read_to(connection, _within_portion(self._reading.tree.size, size))
        self._doubted = False
        return self._reading.tree

    @property
    def _following(self) -> Following:
        assert self._reading.following is not None
        return self._reading.following

    def _read_to(self, connection: Connection[Any], size: int) -> None:
        while not self._reading.read(connection, size):
            self._seen.keep(self._reading.tree.size)
            self._pause()
        self._seen.keep(size)

    def _sign(
        self, connection: Connection[Any], keys: tuple[PrivateKey, ...], held: Tree, tree: Tree
    ) -> None:
        checkpoint = Checkpoint(self._settings.origin, tree.size, tree.root)
        note = Note(checkpoint.text, tuple(key.sign(checkpoint.text) for key in keys))
        if note == self._note:
            return
        if tree != held:
            self._memory.keep(tree, self._following)
        reached("signer-kept")
        try:
            signed.store(connection, checkpoint, note)
        except signed.AnotherRoot:
            raise Disagreement(tree.size, "the database has another checkpoint of this size") from None
        reached("signer-stored")
        self._note, self._enough = note, False

    def _publish(self, connection: Connection[Any]) -> None:
        assert self._note is not None
        policy = keyring.policy(self._settings)
        if policy != self._policy:
            self._policy, self._enough = policy, False
            self._cosigners = Cosigners(policy.witnesses, self._near, self._clock)
        signatures, refusals = self._cosigners.ask(self._note, StoredTiles(connection))
        for refusal in refusals:
            self._tell(connection, refusal)
        if not signatures and self._enough:
            return
        checkpoint = Checkpoint.parse(self._note.text)
        known = signed.at(connection, checkpoint.origin, checkpoint.size) or self._note
        self._enough = signed.is_enough(policy, known.with_signatures(each for each, _ in signatures))
        signed.cosign(connection, checkpoint, signatures, self._enough)
        reached("signer-published")

    def _answer(self, connection: Connection[Any], keys: tuple[PrivateKey, ...]) -> None:
        questions = signed.questions(connection, self._settings.origin)
        note = signed.published(connection, self._settings.origin) if questions else None
        if note is None or not _is_by(note, keys):
            return
        checkpoint = Checkpoint.parse(note.text)
        for question in questions:
            heads = [self._head(connection, checkpoint, *subject) for subject in question.subjects]
            try:
                notes = [Note(head.text, tuple(key.sign(head.text) for key in keys)) for head in heads]
            except Malformed:  # no subject has such a name, and no line of a note could hold it
                notes = []
            signed.answer(connection, question.id, checkpoint.size, notes)

    def _head(self, connection: Connection[Any], checkpoint: Checkpoint, kind: str, ref: str) -> SubjectHead:
        with connection.cursor(binary=True) as cursor:
            row = cursor.execute(_NEWEST, (kind, ref, checkpoint.size)).fetchone()
            behind = (kind, ref, row[0] if row else -1, self._seen.size)
            later = cursor.execute(_LATER, behind).fetchall()
        self._compare((kind, ref), [*((row[:2],) if row else ()), *later])
        if row is None:
            return SubjectHead(checkpoint.origin, f"{kind}:{ref}", checkpoint.size, 0, -1)
        index, number, leaf = row
        if leaf is None or rereading.link_of(index, leaf, kind, ref) != number:
            raise Disagreement(index, "it does not have the link that the subject's rows say")
        prover = Prover(connection, self._roots)
        proof = prover.proof(leaf_hash(leaf), index, checkpoint.size, checkpoint.root)
        if not verify_inclusion(leaf_hash(leaf), index, checkpoint.size, proof, checkpoint.root):
            raise Disagreement(index, "it is not the entry that was signed")
        return SubjectHead(checkpoint.origin, f"{kind}:{ref}", checkpoint.size, number, index)

    def _compare(self, subject: tuple[str, str], rows: Sequence[tuple[int, int]]) -> None:
        """A subject's rows have to come, one after the other, to the last entry that was read for signing.

        That is enough: the last entry is known from outside the database, its number counts all before it,
        and each leaf names the one before. Whoever deletes rows has to change leaves, and those are signed.
        """
        number, at = self._seen.of(subject)
        last = rows[-1] if rows else (-1, 0)
        if last != (at, number):
            raise Disagreement(max(at, last[0]), "the subject's rows do not come to its last entry")
        for (_, before), (index, count) in pairwise(rows):
            if count != before + 1:
                raise Disagreement(index, "the subject's rows do not count on from the entries before")

    def _look_back(self, connection: Connection[Any]) -> None:
        """A further piece of the way from the first entry on; at its end it has to be what was signed."""
        if not self._lap.size or self._patrol.tree.size >= self._lap.size:
            self._lap, self._patrol = self._reading.tree, Rereading()
        if self._patrol.read(connection, self._lap.size, _PATROL) and self._patrol.tree != self._lap:
            first = _first_difference(self._patrol.tree, self._lap)
            raise Disagreement(first, "from here on the log is not what it was when it was signed")

    def _refuse(self, connection: Connection[Any], found: Disagreement) -> None:
        log.error("not signed: %s", found)
        if not self._doubted:
            self._since = stamp(utc_now())
        detail = {"reason": found.what, "since": self._since}
        self._raise(connection, "not-signed", self._settings.origin, found.index, detail)
        self._refused_until, self._doubted = self._clock() + _PENANCE, True

    def _forget(self) -> None:
        self._seen.drop()
        self._reading, self._patrol, self._lap = Rereading(self._seen.add, Following()), Rereading(), Tree()
        self._note, self._enough = None, False

    def _tell(self, connection: Connection[Any], refusal: Refusal) -> None:
        log.error("refused by witness %s: %s %s", refusal.witness, refusal.status, refusal.reason)
        detail = {"status": refusal.status, "reason": refusal.reason}
        self._raise(connection, "refused-by-witness", refusal.witness, refusal.size, detail)

    def _raise(
        self, connection: Connection[Any], kind: str, about: str, index: int, detail: dict[str, Any]
    ) -> None:
        said = orjson.dumps(detail)
        raise_finding(connection, self._settings.body, kind, about, indexes=(index, None), detail=said)


def _within_portion(start: int, end: int) -> int:
    """How far a step reads, that begins behind `start` entries: to the end, or to that of a tile."""
    return end if end - start <= _PORTION else (start + _PORTION) // WIDTH * WIDTH


def _is_by(note: Note, keys: tuple[PrivateKey, ...]) -> bool:
    try:
        return bool(note.signed_by([key.verifier for key in keys]))
    except ValueError:
        return False


def _first_difference(tree: Tree, signed_: Tree) -> int:
    """Where the first subtree begins that is another one; both trees have the same size."""
    first = 0
    heights = [height for height in range(tree.size.bit_length() - 1, -1, -1) if tree.size >> height & 1]
    for height, ours, theirs in zip(heights, tree.peaks, signed_.peaks, strict=True):
        if ours != theirs:
            return first
        first += 1 << height
    return first
