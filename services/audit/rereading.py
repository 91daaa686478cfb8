"""Reading the log again from its stored bytes, and comparing everything that the database says about them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import Connection

from services.audit.domain import leaf
from services.audit.domain.following import Following, Told
from services.audit.domain.leaf import NoLeaf, subjects_of
from services.audit.domain.tiling import Tiling
from services.audit.domain.tree import HASH, WIDTH, Tree, leaf_hash
from services.audit.tiles import StoredTiles
from shared.wire.envelope import Undecodable, read

PAGE = 1024  # entries: some 15 ms, between which others have their turn
_LEAVES = "SELECT index, leaf FROM entries WHERE index >= %s AND index < %s ORDER BY index"
_SUBJECTS = "SELECT index, kind, ref, number FROM subjects WHERE index >= %s AND index < %s"
_HEADS = "SELECT size, root, peaks FROM tree_heads WHERE size > %s AND size <= %s"
_TILE = "SELECT hashes FROM tiles WHERE level = %s AND index = %s"
_SIZE = "SELECT coalesce(max(size), 0) FROM tree_heads"


Met = Callable[[int, Mapping[tuple[str, str], int]], bool]


class Disagreement(Exception):
    """The log does not say of itself what its bytes say; `index` is that of the first entry concerned."""

    def __init__(self, index: int, what: str) -> None:
        super().__init__(f"entry {index}: {what}")
        self.index, self.what = index, what


def size(connection: Connection[Any]) -> int:
    """How many entries the log says to have."""
    row = connection.execute(_SIZE).fetchone()
    assert row is not None
    return int(row[0])


class Rereading:
    """One way through the log; `tree` is what its bytes amount to so far.

    `met` is told each entry's links, {(kind, id): number}; False: they do not count on from those before.
    `following` is told each entry's place.
    """

    def __init__(self, met: Met = lambda _index, _links: True, following: Following | None = None) -> None:
        self._met = met
        self.following = following
        self._tiling = Tiling()
        self._leaves = b""  # the stored tile that the entries of this moment fall into
        self._agreed = 0  # size of the last tree head that followed from the entries

    @classmethod
    def behind(
        cls,
        connection: Connection[Any],
        size: int,
        met: Met = lambda _index, _links: True,
        following: Following | None = None,
    ) -> "Rereading":
        """Goes on behind the first `size` entries, whose tree is what the stored tiles say it is."""
        found = cls(met, following)
        try:
            found._tiling = Tiling.of(size, StoredTiles(connection))
        except LookupError as error:
            raise Disagreement(size - size % WIDTH, str(error)) from None
        found._agreed = size
        return found

    @property
    def tree(self) -> Tree:
        return self._tiling.tree

    def read(self, connection: Connection[Any], end: int, most: int = PAGE) -> bool:
        """Reads on, at most to `end`; whether it is there. Disagreement where something does not fit."""
        start = self.tree.size
        stop = min(end, start + most)
        if start >= stop:
            return start >= end
        with connection.transaction(), connection.cursor(binary=True) as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            leaves = cursor.execute(_LEAVES, (start, stop)).fetchall()
            subjects = cursor.execute(_SUBJECTS, (start, stop)).fetchall()
            said = {size: said for size, *said in cursor.execute(_HEADS, (start, stop)).fetchall()}
            rows: dict[int, dict[tuple[str, str], int]] = {}
            for index, kind, ref, number in subjects:
                rows.setdefault(index, {})[kind, ref] = number
            told = []
            for index in range(start, stop):
                if index - start >= len(leaves) or leaves[index - start][0] != index:
                    raise Disagreement(index, "it is missing")
                told.append(self._entry(cursor, index, leaves[index - start][1], rows.get(index, {})))
                self._head(said.get(index + 1))
        self._follow(start, told)  # last: what the database contradicts itself is said first
        return stop == end

    def _follow(self, start: int, told: Sequence[Told]) -> None:
        if self.following is None:
            return
        for index, each in enumerate(told, start):
            if wrong := self.following.add(index, each):
                raise Disagreement(index, wrong)

    def _entry(self, cursor: Any, index: int, bytes_: bytes, rows: Mapping[tuple[str, str], int]) -> Told:
        hash = leaf_hash(bytes_)
        full = self._tiling.add(hash)
        if index % WIDTH == 0:
            self._leaves = _stored(cursor, 0, index // WIDTH)
        if self._leaves and hash != _hash(self._leaves, index % WIDTH):
            raise Disagreement(index, f"tile 0/{index // WIDTH} has another hash for it")
        for level, at, hashes in full:
            if (stored := _stored(cursor, level, at)) != hashes:
                differs = next(
                    place for place in range(WIDTH) if _hash(stored, place) != _hash(hashes, place)
                )
                first = (at * WIDTH + differs) * WIDTH**level
                raise Disagreement(first, f"tile {level}/{at} does not follow from the entries")
        links, told = _linked(index, bytes_)
        if rows != links:
            raise Disagreement(index, "its subjects are not those that it names")
        if not self._met(index, links):
            raise Disagreement(index, "its links do not count on from the entries before")
        return told

    def _head(self, said: Sequence[bytes] | None) -> None:
        if said is None:
            return
        if tuple(said) != (self.tree.root, b"".join(self.tree.peaks)):
            size = self.tree.size
            raise Disagreement(self._agreed, f"the entries from here on do not lead to tree head {size}")
        self._agreed = self.tree.size


def _stored(cursor: Any, level: int, index: int) -> bytes:
    """A full tile; empty while there is none."""
    row = cursor.execute(_TILE, (level, index)).fetchone()
    return row[0] if row else b""


def _hash(hashes: bytes, at: int) -> bytes:
    return hashes[at * HASH : (at + 1) * HASH]


def _linked(index: int, bytes_: bytes) -> tuple[dict[tuple[str, str], int], Told]:
    """The number that a leaf gives to each of its subjects, and what it says of its place."""
    try:
        sealed, links, received, instead = leaf.parts(bytes_)
        event = read(sealed)
        subjects = subjects_of(event)
    except (NoLeaf, Undecodable) as error:
        raise Disagreement(index, str(error)) from None
    if len(subjects) != len(links):
        raise Disagreement(index, "it does not have a link for each of its subjects")
    previous = event.attributes["previoushash"]
    told = Told(event.source, event.position, previous, instead or event.hash.hex(), received)
    return {subject: number for subject, (number, _) in zip(subjects, links, strict=True)}, told


def link_of(index: int, bytes_: bytes, kind: str, ref: str) -> int:
    """The number that a leaf gives to one subject; 0 if it does not name it."""
    return _linked(index, bytes_)[0].get((kind, ref), 0)
