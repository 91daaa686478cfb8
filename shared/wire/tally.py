"""The count of a batch's events in one log, as its source states it and audit does it again."""

from dataclasses import dataclass
from hashlib import sha256

from shared.wire.envelope import GENESIS


@dataclass(frozen=True)
class Tally:
    """How many events, the first and last position (0: none), and a hash chain over their hashes."""

    events: int = 0
    first: int = 0
    last: int = 0
    chain: bytes = GENESIS

    def counting(self, position: int, hash: bytes) -> "Tally":
        """The same with the next event; positions ascend."""
        return Tally(self.events + 1, self.first or position, position, sha256(self.chain + hash).digest())
