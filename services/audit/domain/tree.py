"""The Merkle tree of the log (RFC 6962 hashing): how it grows, and the proofs about it.

A tree that only grows is kept as the roots of its full subtrees (`Tree`). Proofs are made from tiles of 256
hashes (C2SP tlog-tiles) and checked with hashes alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

EMPTY = sha256(b"").digest()
WIDTH = 256  # hashes of a full tile
HASH = 32  # bytes
_HEIGHT = 8  # levels of the tree within a tile


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
        if len(peaks) != HASH * size.bit_count():
            raise ValueError("a tree has one peak for each bit of its size")
        return cls(size, split(peaks))

    def append(self, leaves: Iterable[bytes]) -> "Tree":
        """The tree with further leaf hashes."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            carry, height = leaf, size
            while height & 1:
                carry = sha256(b"\x01" + peaks.pop() + carry).digest()
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


class Tiles(Protocol):
    """Where the hashes of a tree are kept."""

    def tile(self, level: int, index: int, width: int) -> bytes:
        """The first `width` (1 to 256) hashes of a tile, 32 bytes each; LookupError if it is not there.

        Level 0 has the hashes of leaves, level l the roots of 256^l leaves each.
        """


def split(hashes: bytes) -> tuple[bytes, ...]:
    """Concatenated hashes, one by one."""
    return tuple(hashes[at : at + HASH] for at in range(0, len(hashes), HASH))


def root_of(size: int, tiles: Tiles) -> bytes:
    """The root of the first `size` leaves."""
    return _Nodes(size, tiles).between(0, size) if size else EMPTY


def inclusion(index: int, size: int, tiles: Tiles) -> list[bytes]:
    """The proof that the leaf at `index` is among the first `size`; ValueError if it cannot be."""
    if not 0 <= index < size:
        raise ValueError(f"entry {index} is not in a tree of {size}")
    nodes, proof = _Nodes(size, tiles), []
    low, high = 0, size
    while high - low > 1:
        middle = low + _half(high - low)
        if index < middle:
            proof.append(nodes.between(middle, high))
            high = middle
        else:
            proof.append(nodes.between(low, middle))
            low = middle
    return proof[::-1]


def consistency(old: int, new: int, tiles: Tiles) -> list[bytes]:
    """The proof that the tree of `new` leaves begins with the one of `old`; ValueError if it cannot."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not begin with one of {old}")
    if old in (0, new):
        return []
    nodes, proof = _Nodes(new, tiles), []
    low, high = 0, new
    while old < high:
        middle = low + _half(high - low)
        if old <= middle:
            proof.append(nodes.between(middle, high))
            high = middle
        else:
            proof.append(nodes.between(low, middle))
            low = middle
    if low:  # a subtree from the left edge is the old root itself, which the other side has
        proof.append(nodes.between(low, high))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows the leaf hash at `index` of the tree (size, root) (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree (new, new_root) begins with (old, old_root) (RFC 9162, 2.1.4.2).

    False for an old tree without leaves: every tree begins with it, so there is nothing to show.
    """
    if old == new:
        return old > 0 and not proof and old_root == new_root
    if not 1 <= old < new or not proof or not _are_hashes(old_root, new_root, *proof):
        return False
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def tile_root(hashes: bytes) -> bytes:
    """The root of a full tile: its hash in the level above."""
    level = split(hashes)
    if len(level) != WIDTH:
        raise ValueError("only a full tile has a hash in the level above")
    while len(level) > 1:
        level = tuple(map(node_hash, level[::2], level[1::2]))
    return level[0]


def widths(size: int) -> list[int]:
    """How many hashes each level of tiles has in a tree of this size, from level 0 up."""
    found = []
    while size:
        found.append(size)
        size >>= _HEIGHT
    return found


class Edge:
    """The tiles of a growing tree that are not full yet, level by level."""

    def __init__(self) -> None:
        self.size = 0
        self._levels: list[list[bytes]] = []

    @classmethod
    def of(cls, size: int, tiles: Tiles) -> "Edge":
        """The edge of the first `size` leaves."""
        edge = cls()
        edge.size = size
        for level, count in enumerate(widths(size)):
            index, width = divmod(count, WIDTH)
            edge._levels.append(list(split(tiles.tile(level, index, width))) if width else [])
        return edge

    def copy(self) -> "Edge":
        """The same, which can be extended alone."""
        edge = Edge()
        edge.size, edge._levels = self.size, [list(tile) for tile in self._levels]
        return edge

    def extend(self, leaves: Iterable[bytes]) -> list[tuple[int, int, bytes]]:
        """(level, index, hashes) of each tile that further leaf hashes make full."""
        full: list[tuple[int, int, bytes]] = []
        for leaf in leaves:
            self.size += 1
            self._add(0, leaf, full)
        return full

    def _add(self, level: int, hash: bytes, full: list[tuple[int, int, bytes]]) -> None:
        if level == len(self._levels):
            self._levels.append([])
        tile = self._levels[level]
        tile.append(hash)
        if len(tile) == WIDTH:
            hashes = b"".join(tile)
            full.append((level, (self.size >> (_HEIGHT * (level + 1))) - 1, hashes))
            tile.clear()
            self._add(level + 1, tile_root(hashes), full)


class _Nodes:
    """The inner nodes of a tree of `size` leaves, out of its tiles; each tile is asked for once."""

    def __init__(self, size: int, tiles: Tiles) -> None:
        self._size = size
        self._tiles = tiles
        self._read: dict[tuple[int, int], tuple[bytes, ...]] = {}

    def between(self, low: int, high: int) -> bytes:
        """The root of the leaves from `low` to `high`, as RFC 6962 divides the tree."""
        count = high - low
        if count & (count - 1):
            middle = low + _half(count)
            return node_hash(self.between(low, middle), self.between(middle, high))
        level, within = divmod(count.bit_length() - 1, _HEIGHT)
        return self._folded(level, low >> (_HEIGHT * level), 1 << within)

    def _folded(self, level: int, first: int, count: int) -> bytes:
        index, start = divmod(first, WIDTH)
        hashes = self._tile(level, index)[start : start + count]
        while len(hashes) > 1:
            hashes = tuple(map(node_hash, hashes[::2], hashes[1::2]))
        return hashes[0]

    def _tile(self, level: int, index: int) -> tuple[bytes, ...]:
        if (level, index) not in self._read:
            width = min(WIDTH, (self._size >> (_HEIGHT * level)) - index * WIDTH)
            hashes = self._tiles.tile(level, index, width)
            if len(hashes) != width * HASH:
                raise LookupError(f"tile {level}/{index} does not have {width} hashes")
            self._read[level, index] = split(hashes)
        return self._read[level, index]


def _half(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH for value in values)
