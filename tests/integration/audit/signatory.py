"""The log's signer and its witness, over a log that a dishonest administrator can reach."""

from dataclasses import replace
from pathlib import Path

from psycopg.conninfo import make_conninfo

from services.audit import keyring, programs, signed
from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.leaf import decode, encode
from services.audit.domain.notes import Note
from services.audit.domain.tree import Edge, Tree, leaf_hash
from services.audit.memory import Memory
from services.audit.signer import Signer
from services.audit.witness import Witness as Cosigner
from shared.runtime.settings import Settings, settings
from tests.integration.audit.witness import Witness


class Signatory:
    """`sign()` is a round of the signer; `restart()` is what a new process knows."""

    def __init__(self, audit: Witness, folder: Path) -> None:
        self.audit = audit
        self.settings: Settings = replace(settings(), var=folder, secrets=folder / "secrets", database_url="")
        keyring.prepare(self.settings)
        key = keyring.witness_key(keyring.own_witness(self.settings), self.settings.witness_name)
        self.witness = Cosigner(key, lambda: programs.keys_of(self.settings), folder / "witness")
        self.connection = audit.connect("signer")
        self.now = 0.0
        self.restart()

    def restart(self) -> None:
        self.signer = Signer(self.settings, self.witness, lambda: self.now)

    def sign(self) -> bool:
        return self.signer.step(self.connection)

    def sign_later(self, seconds: float = 60) -> bool:
        self.now += seconds
        return self.sign()

    @property
    def dsn(self) -> str:
        """How the signer connects."""
        return make_conninfo(self.connection.info.dsn, password=self.connection.info.password)

    @property
    def memory(self) -> Memory:
        return Memory.of(self.settings.var / "signer", self.settings.origin)

    @property
    def newest(self) -> Note | None:
        return signed.newest(self.connection, self.settings.origin)

    @property
    def published(self) -> Note:
        note = signed.published(self.connection, self.settings.origin)
        assert note is not None
        return note

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint.parse(self.published.text)

    def findings(self, kind: str = "not-signed") -> list[tuple[int, str]]:
        """(first index, reason)."""
        found = self.audit.admin.execute(
            "SELECT first_index, detail->>'reason' FROM findings WHERE kind = %s ORDER BY id", (kind,)
        )
        return [(row[0], row[1]) for row in found]

    def leaves(self) -> list[bytes]:
        return self.audit.leaves()

    def rewrite(self, index: int, leaf: bytes) -> None:
        """Other bytes at an index, with everything that follows from them: a log that is whole in itself."""
        leaves = self.leaves()
        leaves[index] = leaf
        admin = self.audit.admin
        admin.execute("UPDATE entries SET leaf = %b WHERE index = %s", (leaf, index))
        sizes = [row[0] for row in admin.execute("SELECT size FROM tree_heads")]
        tree, edge = Tree(), Edge()
        for each in leaves:
            tree = tree.append([leaf_hash(each)])
            for level, at, hashes in edge.extend([leaf_hash(each)]):
                admin.execute(
                    "UPDATE tiles SET hashes = %b WHERE level = %s AND index = %s", (hashes, level, at)
                )
            if tree.size in sizes:
                peaks = b"".join(tree.peaks)
                admin.execute(
                    "UPDATE tree_heads SET root = %b, peaks = %b WHERE size = %s",
                    (tree.root, peaks, tree.size),
                )


def altered(leaf: bytes) -> bytes:
    """A leaf that says it was received a microsecond off, as well-formed and likely as the true one."""
    sealed, links, received = decode(leaf)
    return encode(sealed, links, f"{received[:-2]}{(int(received[-2]) + 1) % 10}Z")
