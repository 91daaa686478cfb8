"""The tiles of the log out of its database: full ones as stored, the right edge out of stored bytes."""

from typing import Any

from psycopg import Connection

from services.audit.domain.tree import HASH, WIDTH, inclusion, leaf_hash, tile_root, verify_inclusion

_FULL = "SELECT hashes FROM tiles WHERE level = %s AND index = %s"
_BELOW = "SELECT index, hashes FROM tiles WHERE level = %s AND index = ANY (%s)"
_LEAVES = "SELECT leaf FROM entries WHERE index >= %s AND index < %s ORDER BY index"


Roots = dict[tuple[int, int], bytes]
"""Roots of full tiles, by level and index: what a process has read of the partial tiles above them."""

_REMEMBERED = 4096  # roots


class StoredTiles:
    """Tiles over a connection; those once read or computed are remembered, for they never change.

    `roots` outlives one reading, for whoever holds what comes of it against a root that was signed: between
    two readings, somebody may have put other tiles there.
    """

    def __init__(self, connection: Connection[Any], roots: Roots | None = None) -> None:
        self._connection = connection
        self._roots: Roots = {} if roots is None else roots
        self._known: dict[tuple[int, int], bytes] = {}

    def tile(self, level: int, index: int, width: int) -> bytes:
        """The first `width` hashes of a tile; LookupError if the log does not have so many."""
        hashes = self._known.get((level, index), b"")
        if len(hashes) < width * HASH:
            hashes = self._read(level, index, width)
            if len(hashes) < width * HASH:
                raise LookupError(f"tile {level}/{index} does not have {width} hashes")
            self._known[level, index] = hashes
        return hashes[: width * HASH]

    def _read(self, level: int, index: int, width: int) -> bytes:
        with self._connection.cursor(binary=True) as cursor:
            if row := cursor.execute(_FULL, (level, index)).fetchone():
                return bytes(row[0])
            if width == WIDTH:
                return b""
            first = index * WIDTH
            if level == 0:
                rows = cursor.execute(_LEAVES, (first, first + width)).fetchall()
                return b"".join(leaf_hash(leaf) for (leaf,) in rows)
            if len(self._roots) > _REMEMBERED:
                self._roots.clear()
            below = [(level - 1, at) for at in range(first, first + width)]
            unknown = [at for at in below if at not in self._roots]
            tiles = cursor.execute(_BELOW, (level - 1, [at for _, at in unknown])).fetchall()
            self._roots.update({(level - 1, at): tile_root(hashes) for at, hashes in tiles})
            return b"".join(self._roots.get(at, b"") for at in below)


class Prover:
    """Inclusion proofs in signed trees; `roots` are kept from one to the next, while they prove anything."""

    def __init__(self, connection: Connection[Any], roots: Roots) -> None:
        self._connection, self._roots = connection, roots
        self._tiles = StoredTiles(connection, roots)

    def proof(self, leaf: bytes, index: int, size: int, root: bytes) -> list[bytes]:
        """For a leaf hash; if it proves nothing, the stored tiles do not."""
        found = inclusion(index, size, self._tiles)
        if verify_inclusion(leaf, index, size, found, root):
            return found
        self._roots.clear()  # somebody has changed or restored tiles since
        self._tiles = StoredTiles(self._connection, self._roots)
        return inclusion(index, size, self._tiles)
