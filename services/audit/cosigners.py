"""Asking the witnesses of the policy for their cosignatures, wherever they are."""

import http.client
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from services.audit.domain import policy
from services.audit.domain.checkpoints import Checkpoint, number
from services.audit.domain.cosigning import Moved, Request, Uncosigned
from services.audit.domain.notes import Malformed, Note, NotSigned, Signature
from services.audit.domain.tree import Tiles, consistency
from services.audit.witness import Witness, WitnessUnsure

log = logging.getLogger(__name__)

_SECONDS = 5.0  # that a witness may take
_LARGEST = 20_000  # bytes of an answer
_TRIES = 3  # while it says to be at another size
_FRESH = 50.0  # seconds after which an idle log is cosigned again, so that its age can be judged
_PAUSES = (2.0, 5.0, 15.0, 60.0)  # before the next attempt, each after a failure more


class Asked(Protocol):
    """The way to one witness."""

    def ask(self, body: bytes) -> tuple[int, bytes]:
        """HTTP status and body of its answer to add-checkpoint; OSError if it does not answer."""


class Near:
    """A witness in this process."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    def ask(self, body: bytes) -> tuple[int, bytes]:
        try:
            return 200, self._witness.cosign(body).encode()
        except Moved as moved:
            return moved.status, f"{moved.size}\n".encode()
        except Uncosigned as reason:
            return reason.status, (str(reason) or type(reason).__name__).encode()
        except WitnessUnsure as error:
            raise OSError(str(error)) from None


class Far:
    """A witness at its submission prefix."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    def ask(self, body: bytes) -> tuple[int, bytes]:
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        if self._url.scheme not in kinds or not self._url.hostname:
            raise OSError("its URL is neither http nor https")
        connection = kinds[self._url.scheme](self._url.hostname, self._url.port, timeout=_SECONDS)
        try:
            path = f"{self._url.path.rstrip('/')}/add-checkpoint"
            connection.request("POST", path, body, {"Content-Type": "text/plain; charset=utf-8"})
            answer = connection.getresponse()
            return answer.status, answer.read(_LARGEST)
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(f"{type(error).__name__}") from None
        finally:
            connection.close()


@dataclass(frozen=True)
class Refusal:
    """A witness that has seen another log, or a longer one; `size`: of what it has cosigned last."""

    witness: str
    size: int
    status: int
    reason: str


class Cosigners:
    """The witnesses of a policy, and where each of them is in the log."""

    def __init__(
        self,
        witnesses: Iterable[policy.Witness],
        near: Witness | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._witnesses = [(each, way) for each in witnesses if (way := _way(each, near))]
        self._sizes: dict[str, int] = {}
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._signed: dict[str, tuple[str, float]] = {}  # what each has cosigned last, and when
        self._clock = clock

    def ask(self, note: Note, tiles: Tiles) -> tuple[list[tuple[Signature, int]], list[Refusal]]:
        """New valid cosignatures with their times, and who refused; whoever is silent is in neither.

        Whoever has cosigned the same a moment ago is not asked again before it could look old.
        """
        signatures: list[tuple[Signature, int]] = []
        refusals: list[Refusal] = []
        for witness, way in self._witnesses:
            if not self._is_due(witness.name, note.text):
                continue
            try:
                signatures.append(self._ask(witness, way, note, tiles))
                self._signed[witness.name] = note.text, self._clock()
                self._failures.pop(witness.name, None)
            except _Refused as refused:
                refusals.append(refused.refusal)
                self._pause(witness.name)
            except (OSError, Malformed, NotSigned, LookupError) as error:
                log.warning("witness %s: %s %s", witness.name, type(error).__name__, error)
                self._pause(witness.name)
        return signatures, refusals

    def _is_due(self, name: str, text: str) -> bool:
        now = self._clock()
        signed, at = self._signed.get(name, ("", 0.0))
        return now >= self._not_before.get(name, now) and not (signed == text and now < at + _FRESH)

    def _ask(self, witness: policy.Witness, way: Asked, note: Note, tiles: Tiles) -> tuple[Signature, int]:
        size, old = Checkpoint.parse(note.text).size, self._sizes.get(witness.name, 0)
        for _ in range(_TRIES):
            old = min(old, size)
            proof = consistency(old, size, tiles)
            status, answer = way.ask(Request(old, tuple(proof), note).body)
            if status == 200:
                self._sizes[witness.name] = size
                return _valid(answer, witness, note)
            if status != 409:
                raise _problem(witness.name, old, status, answer)
            old = number(answer.decode("ascii", "replace").removesuffix("\n"))
            if old > size:
                raise _problem(witness.name, old, status, b"it has cosigned a longer log than this one")
        raise OSError("it says at each attempt to be at another size")

    def _pause(self, name: str) -> None:
        count = self._failures[name] = self._failures.get(name, 0) + 1
        self._not_before[name] = self._clock() + _PAUSES[min(count, len(_PAUSES)) - 1]


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def _problem(name: str, size: int, status: int, answer: bytes) -> Exception:
    text = "".join(c if c.isprintable() else " " for c in answer.decode(errors="replace"))[:200].strip()
    if status in (403, 409, 422):
        return _Refused(Refusal(name, size, status, text))
    return OSError(f"it answers {status} {text}")


def _valid(answer: bytes, witness: policy.Witness, note: Note) -> tuple[Signature, int]:
    """The witness's own signature out of its answer; those of unknown keys are nobody's."""
    for signature in Note.parse(f"{note.text}\n".encode() + answer).signatures:
        if witness.key.made(signature):
            if not (time_ := witness.key.verify(note.text, signature)):
                raise NotSigned("the cosignature has no time")
            return signature, time_
    raise NotSigned("its answer has no signature by its key")


def _way(witness: policy.Witness, near: Witness | None) -> Asked | None:
    if near is not None and near.verifier == witness.key:
        return Near(near)
    return Far(witness.url) if witness.url else None
