"""A whole exported tree: `checkpoint`, `tile/…` and `tile/entries/…` in a folder (C2SP tlog-tiles)."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from . import files, tree, trust
from .joined import Joined
from .leaf import read
from .policy import Policy
from .pool import Pool
from .span import WIDTH, Range, check, hashes, split, stored
from .verdict import INCOMPLETE, TAMPERED, UNREADABLE, Verdict
from .words import Fault

_AT_ONCE = 32  # entry bundles: a tenth of a second, so that no worker waits long for the last one
_LIMIT = 1000  # missing files, after which the rest is not looked at
Progress = Callable[[int, int], None]


def verify(
    folder: Path,
    trusted: Policy,
    verdict: Verdict,
    now: float,
    max_age: float | None = None,
    workers: int = 1,
    progress: Progress = lambda _done, _all: None,
    method: str = "spawn",
) -> None:
    """Tells the verdict about what is in the folder; `progress` hears what is done, of how much.

    `method`: see Pool.
    """
    raw = files.read(folder / "checkpoint", files.NOTE, "checkpoint")
    if raw is None:
        verdict.add(UNREADABLE, None, "file", file="checkpoint", why=Fault("no_file"))
        return
    checkpoint = trust.judge(verdict, trusted, raw, now, max_age)
    if checkpoint is not None:
        _Export(folder, checkpoint.size, checkpoint.root, verdict, progress).run(workers, method)


class _Export:
    """One pass over an export whose checkpoint the log has signed."""

    def __init__(self, folder: Path, size: int, root: bytes, verdict: Verdict, progress: Progress) -> None:
        self._folder = str(folder)
        self._size = size
        self._root = root
        self._verdict = verdict
        self._progress = progress
        self._joined = Joined()

    def run(self, workers: int, method: str) -> None:
        bundles = -(-self._size // WIDTH)
        at_once = max(1, min(_AT_ONCE, bundles // (4 * workers)))
        with Pool(min(workers, bundles // 4 or 1), self._tell, method) as pool:
            for found in pool.each(check, self._ranges(bundles, at_once)):
                self._joined.add(found)
                self._tell()
                if self._joined.missing > _LIMIT:
                    self._verdict.notes.append(Fault("stopped"))
                    break
            else:
                self._same_ids(pool, bundles, at_once)
                self._tiles()
        self._joined.finish(self._verdict)

    def _tell(self) -> None:
        self._progress(self._joined.entries, self._size)

    def _ranges(self, bundles: int, at_once: int) -> Iterator[Range]:
        for first in range(0, bundles, at_once):
            yield Range(self._folder, self._size, first, min(first + at_once, bundles) - 1)

    def _same_ids(self, pool: Pool, bundles: int, at_once: int) -> None:
        """Reads once more, if hashes of ids are equal, whether the ids are."""
        if not self._joined.suspects:
            return
        known: set[str] = set()
        look = partial(named, suspects=frozenset(self._joined.suspects))
        for found in pool.each(look, self._ranges(bundles, at_once)):
            for index, id in found:
                if id in known:
                    self._verdict.add(TAMPERED, index, "id_twice", id=id)
                known.add(id)

    def _tiles(self) -> None:
        """Compares each tile above the lowest with what is below it, and the whole with the signed root."""
        own, below = self._joined.roots, self._joined.stored
        level, wrong, edge = 1, [], self._joined.edge or [None, None]
        partial = bool(self._size % WIDTH)
        by_entries = _root(own, edge[0], partial)
        by_tiles = None
        while own:
            found = self._level(level, len(own))
            if level == 1:
                by_tiles = _root(found, edge[1], partial)
            wrong += [(level, at) for at, said in enumerate(found) if _differs(said, own[at], below[at])]
            own, below = _up(own), _up(found)
            level += 1
        if level == 1:
            by_tiles = _root([], edge[1], partial)
        intact = by_entries == self._root
        for level, at in wrong:
            self._wrong(level, at, intact)
        if not intact and by_tiles != self._root and (by_entries or by_tiles):
            self._verdict.add(TAMPERED, None, "root_differs")

    def _level(self, level: int, count: int) -> list[bytes | None]:
        """The hashes of a level as its tiles have them; None where there is none."""
        found: list[bytes | None] = []
        for number in range(-(-count // WIDTH)):
            width = min(WIDTH, count - number * WIDTH)
            start = number * WIDTH ** (level + 1)
            content = None
            try:
                name, content, wrong = hashes(self._folder, level, number, width)
                if wrong == "tile_long":
                    self._verdict.add(TAMPERED, start, wrong, file=name)
                elif wrong:
                    self._verdict.add(INCOMPLETE, start, wrong, file=name)
            except files.Unreadable as fault:
                self._verdict.add(UNREADABLE, start, fault)
            found += [None] * width if content is None else _split(content)
        return found

    def _wrong(self, level: int, at: int, intact: bool) -> None:
        # which of the entries below was changed cannot be known, unless it is the tile alone
        first, last = at * WIDTH**level, (at + 1) * WIDTH**level - 1
        file = f"tile/{level}"
        self._verdict.add(
            TAMPERED, first if intact else None, "tile_differs", file=file, first=first, last=last
        )


def named(range_: Range, suspects: frozenset[int]) -> list[tuple[int, str]]:
    """Index and id of each entry of the range whose id has one of these hashes."""
    found = []
    for number in range(range_.first, range_.last + 1):
        start = number * WIDTH
        width = min(WIDTH, range_.size - start)
        _, content = stored(range_.folder, "entries", number, width, 1 << 25)
        for at, leaf in enumerate(split(content or b"", width)[0]):
            try:
                id = read(leaf).id
            except Fault:
                continue
            if hash(id) in suspects:
                found.append((start + at, id))
    return found


def _split(content: bytes) -> list[bytes | None]:
    return [content[at : at + tree.SIZE] for at in range(0, len(content), tree.SIZE)]


def _up(hashes: list[bytes | None]) -> list[bytes | None]:
    """The roots of the full tiles among them."""
    tiles = [hashes[at : at + WIDTH] for at in range(0, len(hashes) - WIDTH + 1, WIDTH)]
    return [_root(tile, None, False) for tile in tiles]


def _root(hashes: list[bytes | None], edge: bytes | None, partial: bool) -> bytes | None:
    """The root over all of these; None if one is not known."""
    known = [hash for hash in ([*hashes, edge] if partial else hashes) if hash is not None]
    return tree.root(known) if len(known) == len(hashes) + partial else None


def _differs(said: bytes | None, *known: bytes | None) -> bool:
    return said is not None and said not in known and any(known)
