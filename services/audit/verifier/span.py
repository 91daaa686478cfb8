"""One range of entry bundles, checked in a process of its own.

What a range cannot know is what came before it, so it tells what it found at its borders: the first and last
event of each source, the first and last entry of each subject. `joined` puts ranges together. Where an entry
is missing or makes no sense there is a hole, and what is behind it is a stretch of its own: nothing is held
against entries whose predecessors we have not seen.
"""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain, islice, pairwise
from operator import gt
from pathlib import Path
from typing import NamedTuple, TypeAlias

from . import files, tree
from .batches import Batches
from .leaf import LONGEST, Columns, Link, backwards, column, is_subject, quick, read, subjects
from .pool import stopped
from .verdict import INCOMPLETE, OF_A_KIND, TAMPERED, UNREADABLE, Problem
from .words import Fault

WIDTH = 256
Event: TypeAlias = tuple[int, int, str, str]  # index, position, previous hash, hash
Numbers: TypeAlias = "array[int]"  # Python 3.11 cannot say so itself
_BUNDLE = WIDTH * (2 + LONGEST)
_TILE = WIDTH * tree.SIZE
_AT_ONCE = 64  # entries: what is written of them then stays near the processor


class Range(NamedTuple):
    """Entry bundles `first` to `last` of the export in `folder` of a log of `size` entries."""

    folder: str
    size: int
    first: int
    last: int


class Stretch(NamedTuple):
    """Entries without a hole between them: the first and last event of each source and entry of each subject.

    `opening` has three numbers for each subject (index, and the link there), `closing` two (what the next
    link has to be): rows of numbers cross to another process at a fraction of what objects cost.
    """

    first: dict[str, Event]
    last: dict[str, Event]
    subjects: list[str]
    opening: Numbers
    closing: Numbers


@dataclass
class Found:
    """What is told of a range."""

    first: int
    entries: int = 0
    missing: int = 0  # files
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[str, int, int]] = field(default_factory=list)  # source, earlier and later index
    bad: list[int] = field(default_factory=list)  # indexes of entries that are not what the tree says
    stretches: list[Stretch] = field(default_factory=list)
    roots: list[bytes | None] = field(default_factory=list)  # of full bundles, as their entries say
    stored: list[bytes | None] = field(default_factory=list)  # the same, as their tiles say
    edge: list[bytes | None] = field(default_factory=list)  # hash of the partial bundle, the same two ways
    ids: Numbers = field(default_factory=lambda: array("q"))
    backwards: list[int] = field(default_factory=list)
    early: list[int] = field(default_factory=list)  # received before it was recorded
    unrecordable: list[int] = field(default_factory=list)  # entries that stand in for an event
    received: tuple[str, str] = ("", "")  # the first and last time
    batches: Batches = field(default_factory=Batches)

    def add(self, kind: str, index: int, fault: Fault) -> None:
        """One more problem; of many alike, the first ones are enough."""
        self.counts[fault.code] += 1
        if self.counts[fault.code] <= OF_A_KIND:
            self.problems.append(Problem(kind, index, fault))


def tile_path(level: int | str, number: int, width: int = WIDTH) -> str:
    """`tile/0/x001/x234/067.p/12` (C2SP tlog-tiles); `entries` is a level too."""
    digits = f"{number % 1000:03d}"
    while number := number // 1000:
        digits = f"x{number % 1000:03d}/{digits}"
    return f"tile/{level}/{digits}" + ("" if width == WIDTH else f".p/{width}")


def stored(folder: str, level: int | str, number: int, width: int, limit: int) -> tuple[str, bytes | None]:
    """Name and content of a tile. A full tile stands in for a partial one that is gone, as it may."""
    name = tile_path(level, number, width)
    content = files.read(Path(folder, name), limit, name)
    if content is None and width < WIDTH:
        full = tile_path(level, number)
        content = files.read(Path(folder, full), limit, full)
        if content is not None:
            return full, content
    return name, content


def hashes(folder: str, level: int, number: int, width: int) -> tuple[str, bytes | None, str]:
    """A tile's name, its hashes as far as they are needed, and what is wrong with it as a code or nothing."""
    name, content = stored(folder, level, number, width, 2 * _TILE)
    needed = width * tree.SIZE
    if content is None:
        return name, None, "tile_missing"
    full = name == tile_path(level, number)
    allowed = _TILE if full else needed
    if len(content) < needed:
        return name, None, "tile_short"
    return name, content[:needed], "tile_long" if len(content) > allowed else ""


def check(range: Range) -> Found:
    """Everything that the range shows by itself."""
    return _Check(range).run()


class _Check:
    """One pass over a range."""

    def __init__(self, range: Range) -> None:
        self._range = range
        self._found = Found(range.first * WIDTH)
        self._time = ""
        self._begin()

    def run(self) -> Found:
        for number in range(self._range.first, self._range.last + 1):
            if stopped():
                break
            start = number * WIDTH
            self._bundle(number, start, min(WIDTH, self._range.size - start))
        self._found.received = self._found.received[0], self._time
        self._end()
        return self._found

    def _bundle(self, number: int, start: int, width: int) -> None:
        leaves = self._leaves(number, start, width)
        own = tree.leaf_hashes(leaves)
        tile = self._tile(number, start, width)
        # as one text: hash by hash takes as long as a tenth of the hashing
        known = own if not tile or tile == b"".join(own) else _split(tile)
        self._differing(start, own, known)
        by_leaves = tree.root(own) if len(own) == width else None
        by_tile = None if tile is None else by_leaves if own == known else tree.root(known)
        if width == WIDTH:
            self._found.roots.append(by_leaves)
            self._found.stored.append(by_tile)
        else:
            self._found.edge = [by_leaves, by_tile]
        for at in range(0, len(leaves), _AT_ONCE):
            self._content(start + at, leaves[at : at + _AT_ONCE])
        if len(leaves) < width:
            self._hole()
        self._found.entries += width

    def _differing(self, start: int, own: list[bytes], known: list[bytes]) -> None:
        if own is known:
            return
        for at, (found, said) in enumerate(zip(own, known, strict=False)):
            if found != said:
                self._found.bad.append(start + at)
                self._found.add(TAMPERED, start + at, Fault("leaf_differs"))

    def _leaves(self, number: int, start: int, width: int) -> list[bytes]:
        try:
            name, content = stored(self._range.folder, "entries", number, width, _BUNDLE)
        except files.Unreadable as fault:
            self._found.add(UNREADABLE, start, fault)
            return []
        if content is None:
            self._found.missing += 1
            self._found.add(INCOMPLETE, start, Fault("tile_missing", file=name))
            return []
        leaves, rest = split(content, width)
        if len(leaves) < width:
            self._found.add(INCOMPLETE, start + len(leaves), Fault("tile_short", file=name))
        elif rest and name == tile_path("entries", number, width):
            self._found.add(TAMPERED, start + width, Fault("tile_long", file=name))
        return leaves

    def _tile(self, number: int, start: int, width: int) -> bytes | None:
        try:
            name, content, wrong = hashes(self._range.folder, 0, number, width)
        except files.Unreadable as fault:
            self._found.add(UNREADABLE, start, fault)
            return None
        if wrong:
            kind, place = (TAMPERED, width) if wrong == "tile_long" else (INCOMPLETE, 0)
            self._found.missing += wrong == "tile_missing"
            self._found.add(kind, start + place, Fault(wrong, file=name))
        return content

    def _content(self, start: int, leaves: list[bytes]) -> None:
        good = quick(leaves)
        if good is not None:
            self._entries(start, good)
            return
        for at, content in enumerate(leaves):
            try:
                entry = read(content)
                if entry.unrecordable:
                    self._found.unrecordable.append(start + at)
                self._entries(start + at, column(entry))
            except Fault as fault:
                self._found.add(TAMPERED, start + at, fault)
                self._hole()

    def _begin(self) -> None:
        self._first: dict[str, Event] = {}
        self._last: dict[str, Event] = {}
        self._opening: list[int] = []
        self._closing: dict[str, Link] = {}

    def _end(self) -> None:
        closing = array("q", chain.from_iterable(self._closing.values()))
        stretch = Stretch(self._first, self._last, list(self._closing), array("q", self._opening), closing)
        self._found.stretches.append(stretch)

    def _hole(self) -> None:
        self._end()
        self._begin()

    def _entries(self, start: int, entries: Columns) -> None:
        self._clocks(start, entries)
        self._found.ids.extend(map(hash, entries.ids))
        self._chains(start, entries)
        self._links(start, entries)

    def _clocks(self, start: int, entries: Columns) -> None:
        times = [self._time, *entries.received]
        if backwards(times):
            steps = enumerate(pairwise(times), start)
            self._found.backwards += [index for index, (before, time) in steps if time < before]
        if any(map(gt, entries.recorded, entries.received)):
            pairs = enumerate(zip(entries.recorded, entries.received, strict=True), start)
            self._found.early += [index for index, (recorded, received) in pairs if received < recorded]
        if not self._time:
            self._found.received = times[1], ""
        self._time = times[-1]

    def _chains(self, start: int, entries: Columns) -> None:
        first, last = self._first, self._last
        rows = zip(entries.sources, entries.positions, entries.previous, entries.hashes, strict=True)
        # what came in one go came from one source: then only its ends meet anything else
        one = _is_one_chain(entries)
        for index, row in enumerate(islice(rows, 1) if one else rows, start):
            source, position, previous, hash = row
            event = (index, position, previous, hash)
            before = last.get(source)
            if before is None:
                first[source] = event
            elif position != before[1] + 1 or previous != before[3]:
                self._break(source, before, event)
            last[source] = event
        if one:
            end = entries.positions[-1], entries.previous[-1], entries.hashes[-1]
            last[entries.sources[0]] = (start + len(entries.sources) - 1, *end)

    def _break(self, source: str, before: Event, event: Event) -> None:
        fault = misplaced(source, before, event)
        if fault is None:
            self._found.broken.append((source, before[0], event[0]))
        else:
            self._found.add(TAMPERED, event[0], fault)

    def _links(self, start: int, entries: Columns) -> None:
        known = self._closing.get
        escaped = "%" in "".join(entries.refs)
        rows = zip(entries.refs, entries.actors, entries.links, strict=True)
        everything: list[list[str]] = []
        for index, (refs, actor, links) in enumerate(rows, start):
            about = refs.split(" ")
            about.append("actor:" + actor)
            if escaped or not len(links) == len(about) == len(set(about)):
                about = subjects(refs, actor)  # the same, with whatever is seldom
                if len(about) != len(links):
                    fault = Fault("links_count", found=len(links), wanted=len(about))
                    self._found.add(TAMPERED, index, fault)
            everything.append(about)
            for subject, link in zip(about, links, strict=False):
                wanted = known(subject)
                if wanted == link:
                    wanted[0] += 1
                    wanted[1] = index
                else:
                    self._link(index, subject, link, wanted)
        self._found.batches.saw(start, entries, everything)

    def _link(self, index: int, subject: str, link: Link, wanted: Link | None) -> None:
        if wanted is not None:
            self._found.add(TAMPERED, index, mislinked(subject, link, wanted))
        elif is_subject(subject):
            self._opening += (index, *link)
        else:
            self._found.add(TAMPERED, index, Fault("refs"))
            return
        self._closing[subject] = [link[0] + 1, index]


def _is_one_chain(entries: Columns) -> bool:
    """Whether all are of one source, without a gap, and each contains the hash of the one before."""
    positions = entries.positions
    return (
        entries.sources.count(entries.sources[0]) == len(positions)
        and positions == list(range(positions[0], positions[0] + len(positions)))
        and list(entries.previous[1:]) == entries.hashes[:-1]
    )


def _split(tile: bytes) -> list[bytes]:
    return [tile[at : at + tree.SIZE] for at in range(0, len(tile), tree.SIZE)]


def split(content: bytes, width: int) -> tuple[list[bytes], bool]:
    """Up to `width` entries of an entry bundle, and whether there is more behind them."""
    leaves: list[bytes] = []
    at, total = 0, len(content)
    for _ in range(width):
        start = at + 2
        if start > total:
            return leaves, True
        end = start + (content[at] << 8 | content[at + 1])
        if end > total:
            return leaves, True
        leaves.append(content[start:end])
        at = end
    return leaves, at < total


def misplaced(source: str, before: Event, event: Event) -> Fault | None:
    """What is wrong with the event's position; None if it is only its hash that does not fit."""
    if event[1] == before[1] + 1:
        return None
    return Fault("position", source=source, found=event[1], before=before[1])


def mislinked(subject: str, link: Link, wanted: Link) -> Fault:
    """The link is not the one that follows from the entries before it."""
    return Fault("link", subject=subject, found=link, wanted=wanted)
