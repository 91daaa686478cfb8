"""A witness: cosigns what continues the checkpoint it cosigned last, and nothing else (C2SP tlog-witness).

It keeps, for each log, one file: the last checkpoint with its own cosignature, written to the disk before the
cosignature leaves the house. Whoever loses that folder has lost his word.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Lock

from services.audit import files
from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.cosigning import Request, examine
from services.audit.domain.notes import Malformed, Note, NotSigned, PrivateKey, Verifier
from shared.kernel.faults import reached
from shared.runtime.definition import Impossible

Trusted = Callable[[], Mapping[str, Sequence[Verifier]]]
"""Origin of each log -> the keys that are trusted for it, asked anew for each request."""


class WitnessUnsure(Impossible):
    """见证人无法读取它最近签署的内容；请从备份恢复其目录。
    The witness cannot read what it has cosigned last; restore its folder from a backup."""


class AlreadyWitnessing(Impossible):
    """该见证人已在运行；请先停止那个进程。
    Another process is this witness; stop it first, for two would contradict each other."""


class Witness:
    """One name, one key, one folder. Requests may come at the same time."""

    def __init__(
        self, key: PrivateKey, trusted: Trusted, folder: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self._key, self._trusted, self._clock = key, trusted, clock
        self._folder = files.folder(folder)
        self._lock = Lock()

    @property
    def verifier(self) -> Verifier:
        """Its public key."""
        return self._key.verifier

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For the block, no other process is this witness; AlreadyWitnessing if one is."""
        with files.held(self._folder / "lock") as ours:
            if not ours:
                raise AlreadyWitnessing(str(self._folder))
            yield

    def cosign(self, body: bytes) -> str:
        """The cosignature line for an add-checkpoint request; Uncosigned says why there is none."""
        request = Request.parse(body)
        origin = request.note.text.partition("\n")[0]
        # comparing and replacing what was last is one step, or a slow request could roll a faster one back
        with self._lock:
            last = self.last(origin)
            known = Checkpoint.parse(last.text) if last else None
            keys = self._trusted().get(origin, ())
            examine(request, keys, known)
            cosignature = self._key.sign(request.note.text, int(self._clock()))
            logs = [each for each in request.note.signatures if any(key.made(each) for key in keys)]
            note = Note(request.note.text, (*logs, cosignature))
            reached("witness-examined")
            files.write(self._file(origin), str(note).encode())
            reached("witness-kept")
        return cosignature.line

    def last(self, origin: str) -> Note | None:
        """The checkpoint of a log that was cosigned last, with the log's signatures and the witness's own."""
        try:
            note = Note.parse(self._file(origin).read_bytes())
            Checkpoint.parse(note.text)
            if not note.signed_by([self.verifier]):
                raise NotSigned("it does not bear this witness's own signature")
        except FileNotFoundError:
            return None
        except (Malformed, NotSigned) as error:
            raise WitnessUnsure(f"{self._file(origin)}: {error}") from None
        return note

    def by_hash(self, hash: str) -> Note | None:
        """The same for whoever knows the sha256 of the origin in hex."""
        origins = (origin for origin in self._trusted() if _name(origin) == hash)
        return next((self.last(origin) for origin in origins), None)

    def _file(self, origin: str) -> Path:
        return self._folder / _name(origin)


def _name(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()
