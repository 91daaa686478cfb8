"""Passwords: argon2id, and the same time for somebody as for nobody."""

import base64
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

Run = Callable[..., Any]


def _here(work: Callable[..., Any], *words: Any) -> Any:
    return work(*words)


class Passwords:
    """RFC 9106's second recommendation: 64 MiB, three passes, four lanes; some 60 ms of two cores.

    `run` may do the work elsewhere: in a thread, where it must not hold up everybody else.
    """

    def __init__(self, run: Run = _here, hasher: PasswordHasher | None = None) -> None:
        self._run = run
        self._hasher = hasher or PasswordHasher()

    def hash(self, password: str) -> str:
        """With a salt of its own, and the parameters in front."""
        hashed: str = self._run(self._hasher.hash, password)
        return hashed

    def holds(self, hashed: str | None, password: str) -> bool:
        """Whether it is the password; None, which nobody's is, takes as long to say no."""
        return bool(self._run(self._verify, hashed or self._nobodys(), password))

    def outdated(self, hashed: str) -> bool:
        """Whether it was hashed with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def _verify(self, hashed: str, password: str) -> bool:
        with suppress(VerificationError, InvalidHashError):
            return self._hasher.verify(hashed, password)
        return False

    def _nobodys(self) -> str:
        """A hash with today's parameters that no known password has."""
        of = self._hasher
        cost = f"m={of.memory_cost},t={of.time_cost},p={of.parallelism}"
        salt, answer = (_spelled(os.urandom(size)) for size in (of.salt_len, of.hash_len))
        return f"$argon2id$v=19${cost}${salt}${answer}"


def _spelled(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")
