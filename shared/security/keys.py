"""Key files that only their owner reads; Ed25519 signatures of a source's log."""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class KeyFileIsOpen(Exception):
    """A key file can be read by others; `chmod 600` it, or make a new key if others had access."""


class KeyLost(Exception):
    """来源的签名密钥缺失或不符，请从备份恢复。
    The key with which a source signs is missing, or is not the one of its public key: restore it from a
    backup."""


def secret(path: Path, size: int = 32) -> bytes:
    """The bytes in an owner-only file, made at random on first use; KeyFileIsOpen if others could read it."""
    if not path.exists():
        _create(path, os.urandom(size), 0o600)
    if path.stat().st_mode & 0o077:
        raise KeyFileIsOpen(str(path.name))
    return path.read_bytes()


def _create(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all; where several make it at once, the first wins and the others keep his."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()


def private_key(folder: Path, source: str) -> Ed25519PrivateKey:
    """The key of a source from `folder`, made on first use, its public half beside it as `.pub`.

    KeyLost where a public key is there whose private half is not: another would not fit what was signed.
    """
    private, public = files(folder, source)
    if public.exists() and not private.exists():
        raise KeyLost(str(private))
    key = Ed25519PrivateKey.from_private_bytes(secret(private))
    if not public.exists():
        _create(public, f"{_public(key)}\n".encode(), 0o644)
    if public_key(folder, source) != _public(key):
        raise KeyLost(f"{private}, {public.name}")
    return key


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


@dataclass(frozen=True)
class Signer:
    """The key of one source: `/centre/registration`."""

    source: str
    _key: Ed25519PrivateKey

    @classmethod
    def load(cls, folder: Path, source: str) -> "Signer":
        """The source's key from `folder`, as `private_key` has it."""
        return cls(source, private_key(folder, source))

    @property
    def public_key(self) -> str:
        return _public(self._key)

    def sign(self, position: int, head: bytes) -> bytes:
        """Says: my log has `position` events, and `head` is the hash of the last."""
        return self._key.sign(_statement(self.source, position, head))

    def state(self, position: int, head: bytes, time: str) -> bytes:
        """Says the same of the moment `time`, a stamp: a heartbeat."""
        return self._key.sign(_heartbeat(self.source, position, head, time))


def verify(public_key: str, source: str, position: int, head: bytes, signature: bytes) -> bool:
    """Whether `source` said so."""
    return _holds(public_key, signature, _statement(source, position, head))


def verify_heartbeat(
    public_key: str, source: str, position: int, head: bytes, time: str, signature: bytes
) -> bool:
    """Whether `source` said so at that moment."""
    return _holds(public_key, signature, _heartbeat(source, position, head, time))


def _holds(public_key: str, signature: bytes, said: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, said)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_key(folder: Path, source: str) -> str | None:
    """The trusted public key of a source, or None where nobody laid one down."""
    _, path = files(folder, source)
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else None


def files(folder: Path, source: str) -> tuple[Path, Path]:
    """Where a source's key is, and its public half."""
    name = source.strip("/").replace("/", ".")
    return folder / f"{name}.key", folder / f"{name}.pub"


def _statement(source: str, position: int, head: bytes) -> bytes:
    return b"jianding head v1\n%s\n%d\n%s\n" % (source.encode(), position, head.hex().encode())


def _heartbeat(source: str, position: int, head: bytes, time: str) -> bytes:
    # another first line, so that neither statement can be handed out as the other
    said = (source.encode(), position, head.hex().encode(), time.encode())
    return b"jianding heartbeat v1\n%s\n%d\n%s\n%s\n" % said
