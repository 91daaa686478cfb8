"""What the log signs: checkpoints of the whole (C2SP tlog-checkpoint), and how far one subject has come."""

import re
from base64 import b64encode
from dataclasses import dataclass

from services.audit.domain.notes import Malformed, check_name, unbase64

LARGEST = 2**63 - 1
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_LINE = re.compile(r"[^\x00-\x1f]+")


def number(text: str) -> int:
    """A size or an index, as notes spell it; Malformed for any other spelling."""
    if not _NUMBER.fullmatch(text) or int(text) > LARGEST:
        raise Malformed("not a number without leading zeroes")
    return int(text)


def root_hash(text: str) -> bytes:
    """32 bytes from base64; else Malformed."""
    found = unbase64(text)
    if len(found) != 32:
        raise Malformed("a hash has 32 bytes")
    return found


@dataclass(frozen=True)
class Checkpoint:
    """The log named `origin` has `size` entries, and `root` stands for all of them in their order."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """From a note's text; Malformed if that is no checkpoint."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or "" in lines:
            raise Malformed("a checkpoint is three lines: origin, size, root")
        return cls(lines[0], number(lines[1]), root_hash(lines[2]), tuple(lines[3:]))

    @property
    def text(self) -> str:
        """The text of its note."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True)
class SubjectHead:
    """Among the first `size` entries, `number` have this subject, and the newest is at `index` (0, -1: none).

    Signed by the log's key, it is a promise: with an entry that contradicts it, it proves a lie.
    """

    origin: str
    subject: str
    size: int
    number: int
    index: int

    @classmethod
    def parse(cls, text: str) -> "SubjectHead":
        """From a note's text; Malformed if that is no subject head."""
        lines = text.split("\n")
        if len(lines) != 5 or lines[4] or not lines[0].endswith("/subject") or not _LINE.fullmatch(lines[1]):
            raise Malformed("a subject head is four lines: origin, subject, size, number and index")
        count, _, index = lines[3].partition(" ")
        newest = -1 if index == "-1" else number(index)
        found = cls(lines[0].removesuffix("/subject"), lines[1], number(lines[2]), number(count), newest)
        if not found.possible:
            raise Malformed("a subject head that can be true of no log")
        return found

    @property
    def possible(self) -> bool:
        """Whether there could be such a log."""
        if self.number == 0:
            return self.index == -1
        return 0 < self.number <= self.index + 1 <= self.size

    @property
    def text(self) -> str:
        """The text of its note; Malformed for what no line can hold."""
        if not _LINE.fullmatch(self.subject) or not self.possible:
            raise Malformed("no such subject, or no such number of entries")
        return f"{check_name(self.origin)}/subject\n{self.subject}\n{self.size}\n{self.number} {self.index}\n"
