"""The least that verifying can cost with `hashlib`: each leaf, each event, and the tree above them.

Nothing is compared, parsed or read meanwhile.
"""

from collections.abc import Callable
from hashlib import sha256

from bench.peers.leaves import bundles, split


def hashing(folder: str, number: int, clients: int) -> Callable[[], int]:
    """Hashes one of so many parts of an export; how many leaves it has."""
    read = bundles(folder, number, clients)

    def once() -> int:
        count = 0
        for bundle in read:
            level = []
            for leaf in split(bundle):
                sha256(leaf.partition(b"\n")[0]).digest()
                level.append(sha256(b"\x00" + leaf).digest())
            count += len(level)
            while len(level) > 1:
                odd = level[len(level) & ~1 :]
                pairs = zip(level[::2], level[1::2], strict=False)
                level = [sha256(b"\x01" + left + right).digest() for left, right in pairs] + odd
        return count

    return once
