"""The library pymerkle: a Merkle tree that appends, proves, and whose root is computed from its entries."""

import random
from collections.abc import Callable
from pathlib import Path

from pymerkle import InmemoryTree, SqliteTree

from bench.peers.leaves import bundles, split

_BATCH = 256  # entries of a transaction


def appending(folder: str, path: str, count: int) -> Callable[[], None]:
    """Stores the first entries of an export in SQLite, some at a time."""
    leaves = _leaves(folder, count)

    def once() -> None:
        Path(path).unlink(missing_ok=True)
        with SqliteTree(path) as tree:
            for at in range(0, len(leaves), _BATCH):
                tree.append_entries(leaves[at : at + _BATCH])

    return once


def rooting(folder: str, count: int) -> Callable[[], str]:
    """The root of the first entries of an export, from nothing but them."""
    leaves = _leaves(folder, count)

    def once() -> str:
        tree = InmemoryTree()
        tree.append_entries(leaves)
        return str(tree.get_root().hex())

    return once


def proving(folder: str, path: str, count: int, number: int) -> Callable[[], int]:
    """A proof that an entry chosen by chance is included, out of a tree in SQLite; of which size."""
    tree, chance = SqliteTree(path), random.Random(number)
    if not tree.get_size():
        tree.append_entries(_leaves(folder, count))
    return lambda: int(tree.prove_inclusion(chance.randint(1, count)).size)


def _leaves(folder: str, count: int) -> list[bytes]:
    return [leaf for bundle in bundles(folder) for leaf in split(bundle)][:count]
