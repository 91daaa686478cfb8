"""A tree with its tiles, grown leaf by leaf by whoever re-reads the log."""

from collections.abc import Iterator

from services.audit.domain.tree import WIDTH, Edge, Tiles, Tree


class Tiling(Edge):
    """Knows the tree and the tiles that are not full yet, and hands the others out as they fill."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = Tree()

    @classmethod
    def of(cls, size: int, tiles: Tiles) -> "Tiling":
        """Goes on from the first `size` leaves. The right edge of each level has the tree's peaks."""
        tiling, edge = cls(), Edge.of(size, tiles)
        tiling.size, tiling._levels = edge.size, edge._levels
        peaks = [peak for hashes in reversed(edge._levels) for peak in Tree().append(hashes).peaks]
        tiling.tree = Tree(size, tuple(peaks))
        return tiling

    def add(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """(level, index, hashes) of each tile that is full with this leaf hash."""
        self.tree = self.tree.append([leaf])
        return self.extend([leaf])

    def partial(self) -> Iterator[tuple[int, int, bytes]]:
        """(level, index, hashes) of each tile at the right edge that has some hashes and is not full."""
        for level, hashes in enumerate(self._levels):
            if hashes:
                yield level, (self.size >> (8 * level)) // WIDTH, b"".join(hashes)
