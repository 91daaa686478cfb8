"""Ranges joined in order: each source's chain, each subject's links, and ids that must not come twice."""

from collections import Counter
from collections.abc import Iterable

from .batches import Batches, judged
from .span import Event, Found, Stretch, mislinked, misplaced
from .verdict import TAMPERED, Problem, Verdict
from .words import Fault

_GENESIS = "0" * 64
_FIRST = (1, -1)


class Joined:
    """What is known after the ranges so far. Add them in order."""

    def __init__(self) -> None:
        self.entries = 0
        self.missing = 0
        self.untold = 0
        self.problems: list[Problem] = []
        self.roots: list[bytes | None] = []
        self.stored: list[bytes | None] = []
        self.edge: list[bytes | None] = []
        self.suspects: set[int] = set()  # hashes of ids that two entries may share
        self._events: dict[str, Event] = {}
        self._links: dict[str, int] = {}
        self._blind = False  # there was a hole: whoever is not known may have been before it
        self._ids: set[int] = set()
        self._broken: list[tuple[str, int, int]] = []
        self._bad: set[int] = set()
        self._denied: set[int] = set()
        self._backwards: list[int] = []
        self._early: list[int] = []
        self._unrecordable: list[int] = []
        self._time = ""
        self._batches = Batches()

    def add(self, found: Found) -> None:
        """The next range."""
        self.entries += found.entries
        self.missing += found.missing
        self.problems += found.problems
        self.untold += sum(found.counts.values()) - len(found.problems)
        self.roots += found.roots
        self.stored += found.stored
        self.edge = found.edge
        self._broken += found.broken
        self._bad.update(found.bad)
        self._unrecordable += found.unrecordable
        self._remember(found.ids)
        self._clocks(found)
        self._batches.add(found.batches)
        for place, stretch in enumerate(found.stretches):
            if place:
                self._forget()
            self._chains(stretch)
            self._join_links(stretch)

    def finish(self, verdict: Verdict) -> None:
        """Tells everything found."""
        verdict.problems += self.problems
        verdict.untold += self.untold
        self._denied = {earlier for _, earlier, _ in self._broken}
        verdict.problems += map(self._chain_problem, self._broken)
        # where a chain is broken, what a source has of a batch is anybody's guess, and the break is told
        whole = not self._blind and not self.missing and not self.problems and not self._broken
        if whole and self._time:
            verdict.problems += judged(self._batches, self._time)
        for code, found in (
            ("clock_back", self._backwards),
            ("clock_early", self._early),
            ("unrecordable", self._unrecordable),
        ):
            if found:
                verdict.notes.append(Fault(code, count=len(found), index=found[0]))

    def _forget(self) -> None:
        self._events.clear()
        self._links.clear()
        self._blind = True

    def _chains(self, stretch: Stretch) -> None:
        for source, event in stretch.first.items():
            before = self._events.get(source)
            if before is None:
                self._first(source, event)
            elif fault := misplaced(source, before, event):
                self._problem(event[0], fault)
            elif event[2] != before[3]:
                self._broken.append((source, before[0], event[0]))
        self._events.update(stretch.last)

    def _first(self, source: str, event: Event) -> None:
        if self._blind:
            return
        if event[1] != 1:
            self._problem(event[0], Fault("position", source=source, found=event[1], before=0))
        elif event[2] != _GENESIS:
            self._problem(event[0], Fault("genesis", source=source))

    def _join_links(self, stretch: Stretch) -> None:
        links, nobody = self._links, _packed(*_FIRST)
        opening, closing = iter(stretch.opening), iter(stretch.closing)
        # the iterator three times: it yields (index, number, previous) of one subject after the other
        for subject, index, number, previous in zip(stretch.subjects, opening, opening, opening, strict=True):
            wanted = links.get(subject)
            if wanted is None and self._blind:
                if not _is_possible(index, number, previous):
                    self._problem(index, Fault("link_shape", subject=subject, found=[number, previous]))
            elif _packed(number, previous) != (nobody if wanted is None else wanted):
                expected = list(_FIRST if wanted is None else _unpacked(wanted))
                self._problem(index, mislinked(subject, [number, previous], expected))
        packed = map(_packed, closing, closing)
        links.update(zip(stretch.subjects, packed, strict=True))

    def _remember(self, ids: Iterable[int]) -> None:
        counts = Counter(ids)
        self.suspects.update(self._ids & counts.keys())
        self.suspects.update(id for id, count in counts.items() if count > 1)
        self._ids.update(counts)

    def _clocks(self, found: Found) -> None:
        first, last = found.received
        if first and first < self._time:
            self._backwards.append(found.first)
        self._time = last or self._time
        self._backwards += found.backwards
        self._early += found.early

    def _problem(self, index: int, fault: Fault) -> None:
        self.problems.append(Problem(TAMPERED, index, fault))

    def _chain_problem(self, broken: tuple[str, int, int]) -> Problem:
        """The later event says what the earlier one was: so the earlier one has been changed.

        Unless the later one is known to have been changed itself: because the tree says so, or because the
        one after it says so in its turn.
        """
        source, earlier, later = broken
        changed = later in self._bad or later in self._denied
        fault = Fault("chain", source=source, earlier=earlier, later=later)
        return Problem(TAMPERED, later if changed else earlier, fault)


def _packed(number: int, previous: int) -> int:
    """A link as one number: half the memory of two, of which a long log has millions."""
    return (number << 64) + previous


def _unpacked(link: int) -> tuple[int, int]:
    number = (link + 1) >> 64
    return number, link - (number << 64)


def _is_possible(index: int, number: int, previous: int) -> bool:
    if number == 1:
        return previous == -1
    return 1 < number <= previous + 2 and previous < index
