"""The leaves of a log out of an export of it, as whoever wants to hash them would read them."""

from collections.abc import Iterator
from pathlib import Path


def bundles(folder: str, part: int = 0, parts: int = 1) -> list[bytes]:
    """One of several equal parts of the files of entries, read into memory."""
    paths = sorted(path for path in Path(folder, "tile", "entries").rglob("*") if path.is_file())
    size = -(-len(paths) // parts)
    return [path.read_bytes() for path in paths[part * size : (part + 1) * size]]


def split(bundle: bytes) -> Iterator[bytes]:
    """The entries of a file, each behind its length in two bytes."""
    at = 0
    while at < len(bundle):
        end = at + 2 + (bundle[at] << 8 | bundle[at + 1])
        yield bundle[at + 2 : end]
        at = end
