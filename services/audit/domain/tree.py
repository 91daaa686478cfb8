"""A Merkle tree that only grows, kept as the roots of its full subtrees (RFC 6962 hashing, compact range)."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

EMPTY = sha256(b"").digest()
_SIZE = 32


def leaf_hash(content: bytes) -> bytes:
    """sha256(0x00 || content)."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """sha256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Tree:
    """`size` leaves, and the roots of the full subtrees that they fall into, largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @classmethod
    def stored(cls, size: int, peaks: bytes) -> "Tree":
        """From 32 bytes for each one-bit of `size`; ValueError if that does not fit."""
        if len(peaks) != _SIZE * size.bit_count():
            raise ValueError("a tree has one peak for each bit of its size")
        return cls(size, tuple(peaks[at : at + _SIZE] for at in range(0, len(peaks), _SIZE)))

    def append(self, leaves: Iterable[bytes]) -> "Tree":
        """The tree with further leaf hashes."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            carry, height = leaf, size
            while height & 1:
                carry = node_hash(peaks.pop(), carry)
                height >>= 1
            peaks.append(carry)
            size += 1
        return Tree(size, tuple(peaks))

    @property
    def root(self) -> bytes:
        """The hash that stands for everything in the tree, in its order."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root
