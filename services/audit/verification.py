"""Verifying the audit log: against its own tree, against itself, and against what the sources signed.

1. every entry is at its index, and its columns and subjects say what its bytes say;
2. each source's positions have no gap, and each event contains the hash of the one before;
3. the tree recomputed from the bytes has the root and the peaks of every tree head, and one covers all of it;
4. each source's signed head is properly signed, agrees with the entry at its position, and is not behind
   what the source has sent before it was asked.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection

from services.audit.domain import leaf
from services.audit.domain.leaf import NoLeaf, subjects_of
from services.audit.domain.tree import Tree, leaf_hash
from shared.security.heads import Head
from shared.wire.envelope import GENESIS, Sealed, Undecodable, read

_PAGE = 2000
_ENTRIES = """
SELECT index, source, position, event_id::text, type, actor, role, leaf FROM entries
 WHERE index >= %s ORDER BY index LIMIT %s
"""
_OF_A_KIND = 10  # problems that are told; of the others, how many they are
_SUBJECTS = "SELECT index, kind, ref FROM subjects WHERE index >= %s AND index < %s"


@dataclass
class Verdict:
    """`problems` are (index, or None for what no entry shows, what is wrong); verified when there is none.

    `behind` names the sources whose head the log has not reached: lost, or still on its way.
    """

    size: int = 0
    root: str = ""
    sources: dict[str, int] = field(default_factory=dict)
    behind: list[str] = field(default_factory=list)
    problems: list[tuple[int | None, str]] = field(default_factory=list)

    @property
    def verified(self) -> bool:
        return not self.problems

    def as_data(self) -> dict[str, Any]:
        """{verified, size, root, sources, behind, problems: [{index, problem}], more: [{problem, count}]}.

        Ten problems of a kind, which is their text without its numbers; `more` counts the others.
        """
        kinds: Counter[str] = Counter()
        told = []
        for index, problem in self.problems:
            kinds[kind := re.sub(r"[0-9]+", "…", problem)] += 1
            if kinds[kind] <= _OF_A_KIND:
                told.append({"index": index, "problem": problem})
        more = {kind: count - _OF_A_KIND for kind, count in kinds.items() if count > _OF_A_KIND}
        return {
            "verified": self.verified,
            "size": self.size,
            "root": self.root,
            "sources": self.sources,
            "behind": self.behind,
            "problems": told,
            "more": [{"problem": kind, "count": count} for kind, count in more.items()],
        }


def reached(connection: Connection[Any]) -> dict[str, int]:
    """How far each source has come in the log; asked before the heads are, no honest head is behind it."""
    return dict(connection.execute("SELECT source, max(position) FROM entries GROUP BY source").fetchall())


def verify(
    connection: Connection[Any],
    heads: list[Head],
    progress: Callable[[int], None] = lambda _: None,
    before: Mapping[str, int] | None = None,
) -> Verdict:
    """Reads the whole log in one snapshot. `before`: what `reached` said before the heads were asked for."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _Verification(connection, heads, progress, before or {}).run()


class _Verification:
    """One pass over the log."""

    def __init__(
        self,
        connection: Connection[Any],
        heads: list[Head],
        progress: Callable[[int], None],
        before: Mapping[str, int],
    ) -> None:
        self._connection = connection
        self._heads = heads
        self._progress = progress
        self._before = before
        self._verdict = Verdict()
        self._next = 0  # index
        self._chains: dict[str, tuple[int, bytes, int]] = {}  # source -> position, hash, index
        self._claimed = {(head.source, head.position): head for head in heads}

    def run(self) -> Verdict:
        tree, stated = Tree(), self._stated()
        newest = max(stated, default=0)
        for page in self._pages(tree.size):
            for row, subjects in page:
                self._entry(row, subjects)
                tree = tree.append([leaf_hash(row[7])])
                if stated.pop(tree.size, _said_by(tree)) != _said_by(tree):
                    self._problem(tree.size - 1, "the tree head does not follow from the entries")
            self._progress(tree.size)
        if tree.size > newest:
            self._problem(newest, "from this entry on no tree head speaks of them")
        for size in stated:
            self._problem(size - 1, "a tree head speaks of entries that are not there")
        self._sources()
        self._verdict.size, self._verdict.root = tree.size, tree.root.hex() if tree.size else ""
        return self._verdict

    def _problem(self, index: int | None, what: str) -> None:
        self._verdict.problems.append((index, what))

    def _stated(self) -> dict[int, tuple[bytes, bytes]]:
        with self._connection.cursor(binary=True) as cursor:
            rows = cursor.execute("SELECT size, root, peaks FROM tree_heads").fetchall()
        return {size: (root, peaks) for size, root, peaks in rows}

    def _pages(self, start: int) -> Iterator[list[tuple[Any, set[tuple[str, str]]]]]:
        while True:
            with self._connection.cursor(binary=True) as cursor:
                rows = cursor.execute(_ENTRIES, (start, _PAGE)).fetchall()
                if not rows:
                    return
                end = rows[-1][0] + 1
                found: dict[int, set[tuple[str, str]]] = {}
                for index, kind, ref in cursor.execute(_SUBJECTS, (start, end)).fetchall():
                    found.setdefault(index, set()).add((kind, ref))
            yield [(row, found.get(row[0], set())) for row in rows]
            start = end

    def _entry(self, row: Any, subjects: set[tuple[str, str]]) -> None:
        index, *columns, entry = row
        if index != self._next:
            several = index > self._next + 1
            missing = f"entries {self._next} to {index - 1}" if several else f"entry {self._next}"
            self._problem(index, f"missing before it: {missing}")
        self._next = index + 1
        try:
            event = read(leaf.decode(entry)[0])
        except (Undecodable, NoLeaf) as error:
            self._problem(index, str(error))
            return
        if columns != [event.source, event.position, event.id, event.type, *event.actor[:2]]:
            self._problem(index, "the columns do not say what the event says")
        if subjects != set(subjects_of(event)):
            self._problem(index, "the subjects are not those of the event")
        self._chain(index, event)

    def _chain(self, index: int, event: Sealed) -> None:
        position, head, before = self._chains.get(event.source, (0, GENESIS, -1))
        if event.position != position + 1:
            self._problem(index, f"{event.source}: position {event.position} follows {position}")
        elif event.previous != head:
            what = f"position {event.position} does not contain the hash of entry {before}"
            self._problem(index, f"{event.source}: {what}")
        self._chains[event.source] = event.position, event.hash, index
        claimed = self._claimed.pop((event.source, event.position), None)
        if claimed is not None and claimed.hash != event.hash:
            self._problem(index, f"{event.source}: its head at {event.position} is another event")

    def _sources(self) -> None:
        self._verdict.sources = {source: position for source, (position, *_) in sorted(self._chains.items())}
        for head in self._heads:
            if not head.signed:
                self._problem(None, f"{head.source}: its head is not signed by its key")
            if head.position < (known := self._before.get(head.source, 0)):
                self._problem(
                    None, f"{head.source}: its head {head.position} is behind the {known} it had sent"
                )
        for source, position in self._claimed:
            if position:
                self._problem(None, f"{source}: its head {position} has not reached the log")
                self._verdict.behind.append(source)


def _said_by(tree: Tree) -> tuple[bytes, bytes]:
    """(root, peaks) as a tree head states them."""
    return tree.root, b"".join(tree.peaks)
