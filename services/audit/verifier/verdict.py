"""What comes out: a verdict with its reasons, and its exit code."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from . import words
from .words import Fault

VALID = "valid"
TAMPERED = "tampered"
UNREADABLE = "unreadable"
INCOMPLETE = "incomplete"
UNWITNESSED = "unwitnessed"
STALE = "stale"
GRAVEST_FIRST = (TAMPERED, UNREADABLE, INCOMPLETE, UNWITNESSED, STALE)
EXIT_CODES: Mapping[str, int] = {
    VALID: 0, TAMPERED: 1, INCOMPLETE: 3, UNWITNESSED: 4, STALE: 5, UNREADABLE: 6
}  # fmt: skip

OF_A_KIND = 20  # problems that are told of each kind; of the others, how many they are


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: how grave, at which index (None: at none, or unknowable), and what."""

    kind: str
    index: int | None
    fault: Fault

    @property
    def place(self) -> float:
        return float("inf") if self.index is None else self.index


@dataclass
class Verdict:
    """Everything found out; `name` and `index` follow from the problems."""

    size: int | None = None
    root: bytes = b""
    origin: str | None = None
    signed_by: list[str] = field(default_factory=list)
    cosigned_by: list[str] = field(default_factory=list)
    newest_cosignature: int | None = None
    subjects: list[str] = field(default_factory=list)
    about: list[str] = field(default_factory=list)  # what a bundle says, and what was asked for
    problems: list[Problem] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)
    untold: int = 0  # further problems like those
    seconds: float = 0.0

    def add(self, kind: str, index: int | None, code: str | Fault, **values: object) -> None:
        """One more problem."""
        fault = code if isinstance(code, Fault) else Fault(code, **values)
        self.problems.append(Problem(kind, index, fault))

    @property
    def name(self) -> str:
        kinds = {problem.kind for problem in self.problems}
        return next((kind for kind in GRAVEST_FIRST if kind in kinds), VALID)

    @property
    def index(self) -> int | None:
        """The first index at which that shows."""
        return min(
            (p.index for p in self.problems if p.kind == self.name and p.index is not None), default=None
        )

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.name]

    @property
    def newest(self) -> str | None:
        """The time of the newest cosignature."""
        if self.newest_cosignature is None:
            return None
        return moment(self.newest_cosignature)

    def told(self) -> tuple[list[Problem], int]:
        """The first problems of each kind by index, and how many others there are."""
        counts: Counter[str] = Counter()
        told = []
        for problem in sorted(self.problems, key=lambda problem: problem.place):
            counts[problem.fault.code] += 1
            if counts[problem.fault.code] <= OF_A_KIND:
                told.append(problem)
        return told, len(self.problems) - len(told) + self.untold

    def as_data(self) -> dict[str, Any]:
        """One JSON object, for programs."""
        told, more = self.told()
        return {
            "verdict": self.name,
            "index": self.index,
            "size": self.size,
            "root": words.base64(self.root) if self.root else None,
            "origin": self.origin,
            "signed_by": self.signed_by,
            "cosigned_by": self.cosigned_by,
            "newest_cosignature": self.newest,
            "about": self.about,
            "subjects": self.subjects,
            "problems": [{"index": problem.index, "problem": problem.fault.english} for problem in told],
            "more": more,
            "notes": [note.english for note in self.notes],
            "seconds": round(self.seconds, 3),
        }


def moment(seconds: int) -> str:
    """A POSIX time for people and programs."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):  # beyond the year 9999
        return str(seconds)
