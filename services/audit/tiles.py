"""The tiles of the log out of its database: full ones as stored, the right edge out of stored bytes."""

from typing import Any

from psycopg import Connection

from services.audit.domain.tree import HASH, WIDTH, leaf_hash, tile_root

_FULL = "SELECT hashes FROM tiles WHERE level = %s AND index = %s"
_BELOW = "SELECT hashes FROM tiles WHERE level = %s AND index >= %s AND index < %s ORDER BY index"
_LEAVES = "SELECT leaf FROM entries WHERE index >= %s AND index < %s ORDER BY index"


class StoredTiles:
    """Tiles over a connection; those once read or computed are remembered, for they never change."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
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
            rows = cursor.execute(_BELOW, (level - 1, first, first + width)).fetchall()
            return b"".join(tile_root(hashes) for (hashes,) in rows)
