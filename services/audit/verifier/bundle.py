"""A trail: the entries of some subjects, each proven to be in the tree, and none of them left out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import orjson

from . import files, notes, policy, tree, trust
from .leaf import LONGEST, is_subject, read, subjects, unescaped
from .notes import Checkpoint, Head, unbase64
from .policy import Policy
from .verdict import INCOMPLETE, TAMPERED, UNREADABLE, Verdict
from .words import Fault, shown

Progress = Callable[[int, int], None]
Item = TypeVar("Item")
FORMAT = "jianding-trail/2"
_OLD = "jianding-trail/1"  # which does not say what it is about
_KEYS = {"format", "checkpoint", "heads", "entries"}
ENTRIES = 1_000_000
HEADS = 10_000
_OFTEN = 100  # entries between two words about the progress: some milliseconds
_PROOF = 64  # hashes: more than any tree needs


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry with its proof, with nothing verified."""

    index: int
    leaf: bytes
    proof: list[bytes]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle in its parts, with nothing verified."""

    checkpoint: bytes
    heads: list[bytes]
    entries: list[Entry]
    about: str = ""  # `kind:id`


def verify(
    file: Path,
    trusted: Policy,
    verdict: Verdict,
    now: float,
    max_age: float | None = None,
    about: str = "",
    progress: Progress = lambda _done, _all: None,
) -> None:
    """Tells the verdict about everything in the file. `about`: whose trail it has to be, as `kind:id`.

    `progress` hears how many entries are done, of how many: half of the way is reading them.
    """
    raw = files.read(file, files.BUNDLE)
    if raw is None:
        verdict.add(UNREADABLE, None, "file", file=file, why=Fault("no_file"))
        return
    try:
        bundle = parse(raw, progress)
    except Fault as why:
        verdict.add(UNREADABLE, None, "bundle", why=why)
        return
    checkpoint = trust.judge(verdict, trusted, bundle.checkpoint, now, max_age)
    if checkpoint is not None:
        _Trail(checkpoint, trusted, verdict).run(bundle, about, progress)


def parse(raw: bytes, progress: Progress = lambda _done, _all: None) -> Bundle:
    """A bundle; Fault if it is malformed."""
    try:
        said = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Fault("bundle_json") from None
    if type(said) is not dict or said.get("format") not in (FORMAT, _OLD):
        raise Fault("bundle_format")
    if said["format"] == _OLD and "about" not in said:
        said["about"] = ""
    elif type(said.get("about")) is not str or not is_subject(said["about"]):
        raise Fault("bundle_about")
    if said.keys() != {*_KEYS, "about"} or type(said["checkpoint"]) is not str:
        raise Fault("bundle_keys")
    heads, entries = _list(said["heads"], "heads", HEADS), _list(said["entries"], "entries", ENTRIES)
    if any(type(head) is not str for head in heads):
        raise Fault("bundle_keys")
    found = Bundle(
        said["checkpoint"].encode(),
        [head.encode() for head in heads],
        [_entry(place, entry) for place, entry in _half(enumerate(entries, 1), 0, len(entries), progress)],
        said["about"],
    )
    indexes = [entry.index for entry in found.entries]
    if any(later <= earlier for earlier, later in pairwise(indexes)):
        raise Fault("bundle_order")
    return found


def _half(items: Iterable[Item], before: int, count: int, progress: Progress) -> Iterator[Item]:
    """The items of one of two ways through so many entries; `before`: those of the way before this one."""
    for place, item in enumerate(items):
        if place % _OFTEN == 0:
            progress((before + place) // 2, count)
        yield item


def _list(value: Any, what: str, limit: int) -> list[Any]:
    if type(value) is not list:
        raise Fault("bundle_keys")
    if len(value) > limit:
        raise Fault("bundle_many", limit=limit, what=what)
    return value


def _entry(place: int, said: Any) -> Entry:
    if type(said) is not dict or said.keys() != {"index", "leaf", "proof"}:
        raise Fault("bundle_entry", place=place)
    index, leaf, proof = said["index"], said["leaf"], said["proof"]
    content = unbase64(leaf) if type(leaf) is str else None
    if type(index) is not int or index < 0 or content is None or type(proof) is not list:
        raise Fault("bundle_entry", place=place)
    path = [unbase64(hash) if type(hash) is str else None for hash in proof[: _PROOF + 1]]
    hashes = [hash for hash in path if hash is not None and len(hash) == tree.SIZE]
    if len(hashes) != len(proof) or len(proof) > _PROOF:
        raise Fault("bundle_entry", place=place)
    return Entry(index, content, hashes)


class _Trail:
    """One pass over a bundle whose checkpoint the log has signed."""

    def __init__(self, checkpoint: Checkpoint, trusted: Policy, verdict: Verdict) -> None:
        self._checkpoint = checkpoint
        self._trusted = trusted
        self._verdict = verdict
        self._bad: set[int] = set()
        self._unrecordable: list[int] = []
        self._spoken: set[str] = set()  # subjects of which a head speaks, good or bad

    def run(self, bundle: Bundle, about: str, progress: Progress) -> None:
        heads = self._heads(bundle.heads)
        trails: dict[str, dict[int, list[int]]] = {subject: {} for subject in heads}
        demanded = {each: set(_demanded(each)) for each in (bundle.about, about) if each}
        count = len(bundle.entries)
        for entry in _half(bundle.entries, count, count, progress):
            try:
                links = self._links(entry)
            except Fault as fault:
                self._verdict.add(TAMPERED, entry.index, fault)
                self._bad.add(entry.index)
                continue
            for each, subjects_ in demanded.items():
                subjects_.update(_led_to(each, links))
            ours = trails.keys() & links.keys()
            for subject in ours:
                trails[subject][entry.index] = links[subject]
            if not ours:
                self._verdict.add(INCOMPLETE, entry.index, "trail_stray")
        progress(count, count)
        if not bundle.heads:
            self._verdict.add(INCOMPLETE, None, "trail_nobody")
        else:
            self._covers(bundle.about, demanded)
        for subject, head in heads.items():
            self._walk(subject, head, trails[subject])
        if found := self._unrecordable:
            self._verdict.notes.append(Fault("unrecordable", count=len(found), index=found[0]))

    def _covers(self, stated: str, demanded: dict[str, set[str]]) -> None:
        """Whether there is a head for all that makes up the trails of what this is about."""
        verdict = self._verdict
        verdict.about = [shown(each) for each in demanded]
        for each, wanted in demanded.items():
            for subject in sorted(wanted - self._spoken):
                verdict.add(INCOMPLETE, None, "trail_headless", about=each, subject=subject)
        if not demanded:
            verdict.notes.append(Fault("trail_unsaid"))
        elif demanded.keys() == {stated}:
            verdict.notes.append(Fault("trail_about", about=stated, size=self._checkpoint.size))

    def _heads(self, raws: list[bytes]) -> dict[str, Head]:
        found: dict[str, Head] = {}
        for place, raw in enumerate(raws, 1):
            try:
                head = notes.head(raw)
            except Fault as why:
                self._verdict.add(UNREADABLE, None, "head", place=place, why=why)
                continue
            subject = unescaped(head.subject)
            self._spoken |= {subject, head.subject}
            if self._is_signed(head) and self._fits(head):
                if subject in found:
                    self._verdict.add(TAMPERED, None, "head_twice", subject=subject)
                found[subject] = head
        self._verdict.subjects = [shown(subject) for subject in found]
        return found

    def _is_signed(self, head: Head) -> bool:
        checked = list(policy.log_signatures(self._trusted, head.note, self._checkpoint.origin, head.size))
        for key, good in checked:
            if not good:
                self._verdict.add(TAMPERED, None, "signature_wrong", key=key.label)
        if not checked:
            self._verdict.add(TAMPERED, None, "head_unsigned", subject=head.subject)
        return any(good for _, good in checked)

    def _fits(self, head: Head) -> bool:
        if head.origin != self._checkpoint.origin:
            self._verdict.add(TAMPERED, None, "head_origin", subject=head.subject)
            return False
        if head.size != self._checkpoint.size:
            self._verdict.add(
                TAMPERED, None, "head_size",
                subject=head.subject, found=head.size, size=self._checkpoint.size,
            )  # fmt: skip
            return False
        return True

    def _links(self, entry: Entry) -> dict[str, list[int]]:
        """The links of an entry by subject; Fault if it is not one of the tree, or makes no sense."""
        root, size = self._checkpoint.root, self._checkpoint.size
        if entry.index >= size:
            raise Fault("beyond", size=size)
        if not tree.includes(root, size, entry.index, tree.leaf_hash(entry.leaf), entry.proof):
            raise Fault("proof")
        if len(entry.leaf) > LONGEST:
            raise Fault("leaf_long")
        leaf = read(entry.leaf)
        if leaf.unrecordable:
            self._unrecordable.append(entry.index)
        about = subjects(leaf.refs, leaf.actor)
        if len(about) != len(leaf.links):
            raise Fault("links_count", found=len(leaf.links), wanted=len(about))
        return dict(zip(about, leaf.links, strict=True))

    def _walk(self, subject: str, head: Head, entries: dict[int, list[int]]) -> None:
        """From the head back to the first entry; each says where the one before it is."""
        number, index = head.count, head.newest
        for at in sorted(entries, reverse=True):
            if at > index:  # nobody has led to it
                self._verdict.add(TAMPERED, at, "trail_unlinked", subject=subject)
                continue
            if at < index:
                self._missing(subject, index, number, head.count)
                # what the lost ones would have led to is not known: the chain is taken up again here
                number = min(number - 1, entries[at][0])
            if entries[at][0] != number:
                self._number(subject, at, entries[at][0], number)
            number, index = entries[at][0] - 1, entries[at][1]
            if (number == 0) != (index == -1) or not number - 1 <= index < at:
                self._verdict.add(TAMPERED, at, "link_shape", subject=subject, found=entries[at])
                return
        if index >= 0:
            self._missing(subject, index, number, head.count)

    def _missing(self, subject: str, index: int, number: int, count: int) -> None:
        if index not in self._bad:
            self._verdict.add(INCOMPLETE, index, "trail_missing", subject=subject, number=number, count=count)

    def _number(self, subject: str, index: int, found: int, wanted: int) -> None:
        self._verdict.add(TAMPERED, index, "trail_number", subject=subject, found=found, wanted=wanted)


def _demanded(about: str) -> list[str]:
    """The subjects whose entries make up the trail of what is asked for, as far as its name says."""
    kind, _, id = about.partition(":")
    return [about, f"actor:{id}"] if kind == "examiner" else [about]


def _led_to(about: str, subjects_: Iterable[str]) -> list[str]:
    """Those that an entry of the trail adds to it: a certificate's is that of its application as well."""
    if not about.startswith("certificate:") or about not in subjects_:
        return []
    return [each for each in subjects_ if each.startswith("application:")]
