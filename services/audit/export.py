"""The whole log as a folder that anybody can hold and check: a static C2SP tlog-tiles tree.

Everything in it is made from the stored bytes and has to arrive at the root of a published checkpoint, which
is written last: whatever happens on the way, the folder is an export of its checkpoint, or has none.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection

from services.audit import files, keyring, signed
from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.notes import Note
from services.audit.domain.policy import Policy
from services.audit.domain.tiling import Tiling
from services.audit.domain.tree import WIDTH, leaf_hash
from shared.runtime.definition import Impossible
from shared.runtime.settings import Settings

_LEAVES = "SELECT index, leaf FROM entries WHERE index >= %s AND index < %s ORDER BY index"
_OURS = {"checkpoint", "policy", "tile"}


class NotPublished(Impossible):
    """日志还没有经法定数量的见证人共同签署的检查点；请先运行 jianding up，或检查各见证人。
    No checkpoint of the log has been cosigned by a quorum yet; start `jianding up`, or see the witnesses."""


class NotTheLog(Impossible):
    """数据库中的条目与已签署的检查点不符；请运行 jianding verify。
    The entries in the database are not those of the signed checkpoint; `jianding verify` says where."""


class OtherFolder(Impossible):
    """该目录中有别的内容或另一个日志；请另选目录。
    The folder holds something else, or another log; choose another one."""


class OtherHistory(Impossible):
    """该目录中的日志与现在的日志不是同一段历史：请保留该目录作为证据。
    The log in the folder is not the beginning of the log of now: keep the folder, it is evidence."""


@dataclass(frozen=True)
class Exported:
    """What is in the folder now, and how many of its entries were written this time."""

    size: int
    root: str
    added: int


def export(
    connection: Connection[Any],
    settings: Settings,
    folder: Path,
    progress: Callable[[int], None] = lambda _: None,
    announce: Callable[[Checkpoint], None] = lambda _: None,
) -> Exported:
    """Writes the newest published checkpoint and all that is under it; adds to an older export of the log.

    `announce` is told what is going to be written, before any of it is.
    """
    policy = keyring.policy(settings)
    note = newest_accepted(connection, settings, policy)
    checkpoint = Checkpoint.parse(note.text)
    before = _earlier(folder, settings.origin)
    if before is not None and before.size > checkpoint.size:
        raise OtherHistory(f"it has {before.size} entries, the log {checkpoint.size}")
    announce(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    # first the policy: it says whose folder this is, should we not come to the end
    files.write(folder / "policy", settings.policy_file.read_bytes(), 0o644)
    start = before.size - before.size % WIDTH if before else 0
    try:
        tiling = Tiling.of(start, _Folder(folder, before.size if before else 0))
    except (OSError, LookupError, ValueError) as error:
        raise OtherHistory(f"{type(error).__name__} {error}") from None
    _write(connection, folder, tiling, checkpoint.size, progress)
    if tiling.tree.root != checkpoint.root:
        raise OtherHistory(str(folder)) if before else NotTheLog(f"checkpoint of {checkpoint.size}")
    os.sync()
    files.write(folder / "checkpoint", str(note).encode(), 0o644)
    return Exported(checkpoint.size, checkpoint.root.hex(), checkpoint.size - start)


def newest_accepted(connection: Connection[Any], settings: Settings, policy: Policy) -> Note:
    """The newest checkpoint that is published and that the policy of now accepts; else NotPublished."""
    note = signed.published(connection, settings.origin)
    if note is None:
        raise NotPublished(settings.origin)
    try:
        policy.judge(note)
    except ValueError as error:
        raise NotPublished(f"{settings.origin}: {error}") from None
    return note


def _earlier(folder: Path, origin: str) -> Checkpoint | None:
    """The checkpoint of an earlier export; None for an empty folder, or one that never came to its end."""
    if not folder.exists():
        return None
    names = {path.name for path in folder.iterdir() if not path.name.endswith(".new")}
    if not names:
        return None
    try:
        keys = Policy.parse((folder / "policy").read_bytes()).keys(origin)
        if names - _OURS or not keys:
            raise OtherFolder(str(folder))
        if "checkpoint" not in names:
            return None
        note = Note.parse((folder / "checkpoint").read_bytes())
        found = Checkpoint.parse(note.text)
        if found.origin != origin or not note.signed_by(keys):
            raise OtherFolder(str(folder))
    except (OSError, ValueError) as error:
        raise OtherFolder(f"{folder}: {error}") from None
    return found


def _write(
    connection: Connection[Any], folder: Path, tiling: Tiling, size: int, progress: Callable[[int], None]
) -> None:
    made: set[Path] = set()
    while tiling.size < size:
        start, stop = tiling.size, min(size, tiling.size + WIDTH)
        bundle, full = b"", []
        for leaf in _leaves(connection, start, stop):
            bundle += len(leaf).to_bytes(2, "big") + leaf
            full += tiling.add(leaf_hash(leaf))
        _place(folder, _name("entries", start // WIDTH, stop - start), bundle, made)
        for level, index, hashes in full:
            _place(folder, _name(str(level), index, WIDTH), hashes, made)
        progress(tiling.size)
    for level, index, hashes in tiling.partial():
        _place(folder, _name(str(level), index, len(hashes) // 32), hashes, made)


def _leaves(connection: Connection[Any], start: int, stop: int) -> Iterator[bytes]:
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(_LEAVES, (start, stop)).fetchall()
    if [index for index, _ in rows] != list(range(start, stop)):
        raise NotTheLog(f"entries {start} to {stop - 1}")
    return (leaf for _, leaf in rows)


def _place(folder: Path, name: str, content: bytes, made: set[Path]) -> None:
    path = folder / name
    if path.parent not in made:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.add(path.parent)
    files.write(path, content, 0o644, lasting=False)  # all of them are, before the checkpoint is there


def _name(level: str, index: int, width: int) -> str:
    """`tile/0/x001/x234/067.p/112`, as tlog-tiles spells it."""
    digits = f"{index:03d}" if index < 1000 else f"{index:0{-(-len(str(index)) // 3) * 3}d}"
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{path}{'' if width == WIDTH else f'.p/{width}'}"


class _Folder:
    """The tiles of an export of `size` entries."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder, self._size = folder, size

    def tile(self, level: int, index: int, width: int) -> bytes:
        """The first `width` hashes, out of the tile as wide as that export has it."""
        there = min(WIDTH, (self._size >> (8 * level)) - index * WIDTH)
        hashes = (self._folder / _name(str(level), index, there)).read_bytes()
        if len(hashes) != there * 32:
            raise LookupError(f"tile {level}/{index} does not have {there} hashes")
        return hashes[: width * 32]
