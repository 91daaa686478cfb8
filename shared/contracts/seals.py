"""What every deciding service says of its own log once a batch is closed (R172)."""

from dataclasses import dataclass

from shared.kernel.events import subject


@dataclass(frozen=True, kw_only=True)
class Seal:
    """批次封存计数: which of the source's events up to position `upto` name the batch.

    How many, the first and last position (0: none), and `chain_digest`, which is folded over their hashes in
    order: `sha256(chain + hash)`, from 32 zero bytes on. Anybody who has the log can do the same sum.
    """

    batch: str = subject()
    events: int
    first_position: int
    last_position: int
    chain_digest: str
    upto: int
