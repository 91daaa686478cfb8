"""What the signer has seen of each subject last: kept on its own disk, out of reach of the database's owner.

A subject's rows in the database only lead backwards, so whoever deletes the newest of them leaves a trail
that looks whole. Of each subject this file knows the last entry that was read when a checkpoint was signed.
"""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from weakref import finalize

_TABLES = """
CREATE TABLE IF NOT EXISTS known (single INTEGER PRIMARY KEY CHECK (single = 1), size INTEGER, salt BLOB);
CREATE TABLE IF NOT EXISTS newest (subject INTEGER PRIMARY KEY, number INTEGER, at INTEGER);
"""
_PUT = """
INSERT INTO newest VALUES (?, ?, ?)
ON CONFLICT (subject) DO UPDATE SET number = excluded.number, at = excluded.at
"""

_GET = "SELECT number, at FROM newest WHERE subject = ?"
_REMEMBERED = 50_000  # subjects

Subject = tuple[str, str]
Entry = tuple[int, int]
"""How many entries a subject has with this one, and the entry's index."""

NONE: Entry = (0, -1)


class Newest:
    """The last entries of all subjects among the first `size`; entries come in order, in one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        finalize(self, self._base.close)
        path.chmod(0o600)
        # what a lost power takes away is read again from the log, so nothing waits for the disk
        self._base.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _TABLES)
        # a salt, so that nobody can choose two subjects of one number
        self._base.execute("INSERT OR IGNORE INTO known VALUES (1, 0, ?)", (os.urandom(16),))
        self.size, self._salt = self._base.execute("SELECT size, salt FROM known").fetchone()
        self._met: dict[Subject, Entry] = {}
        self._new: set[Subject] = set()

    def of(self, subject: Subject) -> Entry:
        """The last entry of a subject, `NONE` if it has none."""
        found = self._met.get(subject)
        if found is None:
            found = self._base.execute(_GET, (self._id(subject),)).fetchone() or NONE
            self._met[subject] = found
        return found

    def add(self, index: int, links: Mapping[Subject, int]) -> bool:
        """The entry behind those that are known; False if it does not count on from them."""
        if index < self.size:
            return True
        for subject, number in links.items():
            if self.of(subject)[0] + 1 != number:
                return False
            self._met[subject] = number, index
        self._new.update(links)
        return True

    def keep(self, size: int) -> None:
        """What was added is known from now on, all of it or nothing."""
        if size <= self.size:
            return
        with closing(self._base.cursor()) as cursor:
            cursor.execute("BEGIN")
            cursor.executemany(_PUT, [(self._id(each), *self._met[each]) for each in self._new])
            cursor.execute("UPDATE known SET size = ?", (size,))
            cursor.execute("COMMIT")
        self.size, self._new = size, set()
        if len(self._met) > _REMEMBERED:
            self._met.clear()

    def drop(self) -> None:
        """What was added and not kept was never seen."""
        self._met.clear()
        self._new.clear()

    def _id(self, subject: Subject) -> int:
        digest = blake2b(":".join(subject).encode(), digest_size=8, key=self._salt).digest()
        return int.from_bytes(digest, "big", signed=True)
