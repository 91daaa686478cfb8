"""Whether a witness cosigns a checkpoint, given the last that it has cosigned (C2SP tlog-witness)."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from services.audit.domain.checkpoints import Checkpoint, number, root_hash
from services.audit.domain.notes import Malformed, Note, NotSigned, Verifier
from services.audit.domain.tree import EMPTY, verify_consistency

MOST_HASHES = 63


class Uncosigned(Exception):
    """A witness does not cosign; `status` is what it answers over HTTP."""

    status = 400


class NoRequest(Uncosigned):
    """The request is not an old size, a proof, and a checkpoint of at least that size."""


class UnknownLog(Uncosigned):
    """The witness knows no log of this origin."""

    status = 404


class Untrusted(Uncosigned):
    """No key that the witness trusts for this log has signed the checkpoint, or not as it says."""

    status = 403


class Moved(Uncosigned):
    """The last checkpoint that the witness has cosigned has another size than the proof starts from."""

    status = 409

    def __init__(self, size: int) -> None:
        super().__init__(str(size))
        self.size = size


class Inconsistent(Uncosigned):
    """The checkpoint does not continue what the witness has cosigned: a split view, or a rewritten log."""

    status = 422


@dataclass(frozen=True)
class Request:
    """What a log asks of a witness: cosign `note`; `proof` leads to it from the tree of `old` entries."""

    old: int
    proof: tuple[bytes, ...]
    note: Note

    @classmethod
    def parse(cls, body: bytes) -> "Request":
        """NoRequest for anything else."""
        head, separator, note = body.partition(b"\n\n")
        try:
            old, *proof = head.decode("ascii").split("\n")
            if not separator or not old.startswith("old ") or len(proof) > MOST_HASHES:
                raise Malformed("neither an old size nor a proof of it")
            hashes = tuple(root_hash(line) for line in proof)
            return cls(number(old.removeprefix("old ")), hashes, Note.parse(note))
        except ValueError as error:
            raise NoRequest(str(error)) from None

    @property
    def body(self) -> bytes:
        """As it is sent."""
        lines = (f"old {self.old}", *(b64encode(each).decode() for each in self.proof), "", str(self.note))
        return "\n".join(lines).encode()


def examine(request: Request, keys: Sequence[Verifier], last: Checkpoint | None) -> Checkpoint:
    """The checkpoint, if a witness that has last cosigned `last` may cosign it; else Uncosigned says why not.

    `keys`: those it trusts for the log, of which there is none for a log it does not know.
    """
    try:
        asked = Checkpoint.parse(request.note.text)
    except Malformed as error:
        raise NoRequest(str(error)) from None
    if not keys:
        raise UnknownLog
    try:
        signed = request.note.signed_by(keys)
    except NotSigned as error:
        raise Untrusted(str(error)) from None
    if not signed:
        raise Untrusted("no trusted key has signed")
    if request.old > asked.size:
        raise NoRequest("the old size is larger than the checkpoint's")
    known = last or Checkpoint(asked.origin, 0, EMPTY)
    if request.old != known.size:
        raise Moved(known.size)
    if not _continues(known, asked, request.proof):
        raise Inconsistent("the checkpoint does not continue the one before")
    return asked


def _continues(known: Checkpoint, asked: Checkpoint, proof: Sequence[bytes]) -> bool:
    if asked.size == known.size:
        return not proof and asked.root == known.root
    if known.size == 0:
        return not proof  # every tree continues the empty one
    return verify_consistency(known.size, asked.size, known.root, asked.root, proof)
