"""Merkle trees as in RFC 6962: roots, inclusion and consistency."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

SIZE = 32
EMPTY = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 ‖ leaf)."""
    return sha256(b"\x00" + leaf).digest()


def leaf_hashes(leaves: Iterable[bytes]) -> list[bytes]:
    """The same of many."""
    return [sha256(b"\x00" + leaf).digest() for leaf in leaves]


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The hash over leaf hashes, or over the roots of full subtrees of one size and a smaller last one."""
    if not hashes:
        return EMPTY
    level = b"".join(hashes)
    while len(level) > SIZE:
        even = len(level) - len(level) % (2 * SIZE)
        # whoever has no neighbour moves up as it is
        pairs = [sha256(b"\x01" + level[at : at + 2 * SIZE]).digest() for at in range(0, even, 2 * SIZE)]
        level = b"".join(pairs) + level[even:]
    return level


def includes(root: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows the leaf hash `leaf` at `index` of the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _hashes(root, leaf, *proof):
        return False
    node, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def extends(old: bytes, old_size: int, new: bytes, new_size: int, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree `new` begins with the tree `old` (RFC 9162, 2.1.4.2).

    Every tree begins with the empty one, so of that nothing can be shown.
    """
    if old_size == new_size:
        return old_size > 0 and not proof and old == new
    if not 0 < old_size < new_size or not _hashes(old, new, *proof):
        return False
    path = list(proof)
    if old_size.bit_count() == 1:
        path.insert(0, old)
    if not path:
        return False
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and before == old and after == new


def _hashes(*values: bytes) -> bool:
    return all(len(value) == SIZE for value in values)
