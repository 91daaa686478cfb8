"""What the signer has signed last: the one thing that it does not take from the database."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from services.audit import files
from services.audit.domain.following import Following
from services.audit.domain.tree import Tree
from shared.runtime.definition import Impossible


class MemoryBroken(Impossible):
    """签署程序的状态文件已损坏；请从备份恢复，切勿删除。
    The signer's file of what it signed last is damaged; restore it from a backup, and do not delete it."""


class MemoryLost(Impossible):
    """日志已签署过检查点，但签署程序的状态文件不见了；请从备份恢复，或换一个 JIANDING_LOG_ORIGIN 另立日志。
    The log has signed, but the signer's file of what it signed last is gone; restore it from a backup, or
    begin a log of another name with JIANDING_LOG_ORIGIN."""


@dataclass(frozen=True)
class Memory:
    """One file for each log, for its owner alone."""

    path: Path
    origin: str

    @classmethod
    def of(cls, folder: Path, origin: str) -> "Memory":
        """In the signer's folder, which need not be there yet."""
        return cls(folder / f"{sha256(origin.encode()).hexdigest()[:32]}.json", origin)

    def load(self) -> Tree | None:
        """The tree that was signed last; None if none ever was, MemoryBroken if that cannot be said."""
        return self._read()[0]

    def following(self) -> Following | None:
        """What was known of the sources then; None if that was never kept."""
        return self._read()[1]

    def _read(self) -> tuple[Tree | None, Following | None]:
        try:
            said = json.loads(self.path.read_bytes())
            tree = Tree.stored(said["size"], bytes.fromhex("".join(said["peaks"])))
            following = _following(said) if "sources" in said else None
            if said != self._said(tree, following):
                raise ValueError
        except FileNotFoundError:
            return None, None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise MemoryBroken(str(self.path)) from None
        return tree, following

    def keep(self, tree: Tree, following: Following) -> None:
        """On the disk when it returns."""
        files.folder(self.path.parent)
        files.write(self.path, json.dumps(self._said(tree, following), indent=1).encode())

    def _said(self, tree: Tree, following: Following | None) -> dict[str, Any]:
        said: dict[str, Any] = {
            "origin": self.origin,
            "size": tree.size,
            "root": tree.root.hex(),
            "peaks": [peak.hex() for peak in tree.peaks],
        }
        if following is not None:
            ends = {source: list(end) for source, end in sorted(following.ends.items())}
            said |= {"sources": ends, "received": following.received}
        return {**said, "digest": sha256(json.dumps(said).encode()).hexdigest()}


def _following(said: dict[str, Any]) -> Following:
    ends = {source: (int(position), str(hash)) for source, (position, hash) in said["sources"].items()}
    size = said["size"]
    return Following(size, ends, said["received"], trusted=size)
