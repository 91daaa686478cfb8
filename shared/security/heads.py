"""What a source says of its own log, and whether its key stands behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.kernel.clock import moment, stamp
from shared.security.keys import public_key, verify, verify_heartbeat


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


@dataclass(frozen=True)
class Heartbeat:
    """`source` says at the moment `time`, a stamp: my log has `position` events, the last with `hash`."""

    source: str
    position: int
    hash: bytes
    time: str
    signature: bytes

    @classmethod
    def read(cls, source: str, said: Mapping[str, Any]) -> "Heartbeat | None":
        """As a feed hands it out (hashes in hex); None for what cannot be read."""
        try:
            position, time = int(said["position"]), stamp(moment(said["time"]))
            hash, signature = bytes.fromhex(said["hash"]), bytes.fromhex(said["signature"])
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        readable = 0 <= position < 2**53 and len(hash) == 32
        return cls(source, position, hash, time, signature) if readable else None

    def signed(self, folder: Path) -> bool:
        """Whether the public key in `folder` stands behind it."""
        key = public_key(folder, self.source)
        said = (self.source, self.position, self.hash, self.time, self.signature)
        return key is not None and verify_heartbeat(key, *said)
