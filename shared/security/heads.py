"""What a source says of its own log, and whether its key stands behind it."""

from dataclasses import dataclass
from pathlib import Path

from shared.security.keys import public_key, verify


@dataclass(frozen=True)
class Head:
    """`source` says: my log has `position` events, the last with `hash`. `signed`: by the key we trust."""

    source: str
    position: int
    hash: bytes
    signed: bool


def check(folder: Path, source: str, position: int, hash: bytes, signature: bytes) -> Head:
    """The head, judged by the public key in `folder`. An empty log has nothing to sign."""
    key = public_key(folder, source)
    signed = position == 0 or (key is not None and verify(key, source, position, hash, signature))
    return Head(source, position, hash, signed)
