"""A glance says yes only to what is exactly as it was appended."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson
import pytest

from bench import lives
from services.audit.domain import leaf
from services.audit.glance import Stamps, glance
from shared.wire.envelope import GENESIS, digest, read

_RECEIVED = "2026-04-16T01:30:01.000000Z"
_ARRIVAL = (829_618_201_000_000).to_bytes(8, signed=True)
_STAMP, _COLUMNS = 7, 8  # places in a row: when it arrived, and the leaf


@dataclass
class Page:
    """Rows as verification reads them from the database."""

    entries: list[list[Any]]
    subjects: list[list[Any]]

    @classmethod
    def true(cls, count: int = 200) -> "Page":
        page, known = cls([], []), dict[tuple[str, str], tuple[int, int]]()
        for index, entry in zip(range(count), lives.entries(), strict=False):
            page.append(index, entry.sealed, known)
        return page

    def append(self, index: int, sealed: bytes, known: dict[tuple[str, str], tuple[int, int]]) -> None:
        event, links = read(sealed), []
        for subject in leaf.subjects_of(event):
            number, previous = known.get(subject, (0, -1))
            links.append((number + 1, previous))
            known[subject] = number + 1, index
            self.subjects.append([index, *subject, number + 1, previous])
        said = event.attributes
        columns = [said[name] for name in ("source", "position", "id", "type", "actor", "role")]
        self.entries.append([index, *columns, _ARRIVAL, leaf.encode(sealed, links, _RECEIVED)])

    def seen(self) -> Any:
        together = [self.together(index, list(rows)) for index, rows in groupby(self.subjects, itemgetter(0))]
        return glance(list(map(tuple, self.entries)), together, Stamps())

    def together(self, index: int, rows: list[list[Any]]) -> tuple[Any, ...]:
        """The subjects of an entry as PostgreSQL puts them together."""
        lines = ["" if kind is None else f"{kind}:{ref}" for _, kind, ref, *_ in rows]
        links = [f"[{number},{previous}]" for *_, number, previous in rows if number is not None]
        colons = max((kind.find(":") + 1 for _, kind, *_ in rows if kind is not None), default=None)
        return index, len(rows), colons, "\n".join(lines), ",".join(links)

    def rewrite(self, place: int, old: bytes, new: bytes) -> None:
        """Other bytes in a leaf, as long as they are found there."""
        content = self.entries[place][_COLUMNS]
        assert old in content
        self.entries[place][_COLUMNS] = content.replace(old, new, 1)

    def number(self, place: int, column: int, value: Any) -> None:
        self.subjects[place][column] = value

    def boundary(self) -> None:
        """What is together in two notes stays so, and ends elsewhere."""
        first, second = self.entries[0], self.entries[1]
        event, _, note = second[_COLUMNS].partition(b"\n")
        head, _, tail = note.partition(b",")
        first[_COLUMNS] += b"," + head
        second[_COLUMNS] = event + b"\n" + tail

    def merged(self, hidden: list[Any]) -> None:
        """One row says two subjects, and another one nothing, so that there are as many."""
        first, second = self.subjects[0], self.subjects[1]
        first[2] = f"{first[2]}\n{second[1]}:{second[2]}"
        second[1:3] = hidden

    def links(self, place: int, old: bytes, new: bytes, count: int) -> None:
        """Links in a note, and rows without a number."""
        self.rewrite(place, old, new)
        for row in [row for row in self.subjects if row[0] == place][count:]:
            row[3] = None

    def colon(self) -> None:
        """A kind with a colon, which together with the id is the same text."""
        row = self.subjects[0]
        kind, _, rest = row[2].partition("-")
        row[1], row[2] = f"{row[1]}:{kind}", rest

    def swap(self, rows: list[Any], one: int, other: int) -> None:
        rows[one], rows[other] = rows[other], rows[one]


_SPOILT: dict[str, Callable[[Page], Any]] = {
    "a spelling": lambda page: page.rewrite(5, b'"actor":', b'"actor": '),
    "a column of each kind": lambda page: page.entries[3].__setitem__(1, "/centre/scoring"),
    "the column of the position": lambda page: page.entries[3].__setitem__(2, 99),
    "the column of the type": lambda page: page.entries[3].__setitem__(4, "ScoreSubmitted"),
    "the column of the actor": lambda page: page.entries[3].__setitem__(5, "somebody"),
    "the column of the role": lambda page: page.entries[3].__setitem__(6, "supervisor"),
    "the arrival": lambda page: page.entries[3].__setitem__(_STAMP, bytes(8)),
    "an arrival that no clock says": lambda page: [
        page.entries[3].__setitem__(_STAMP, (2**63 - 1).to_bytes(8, signed=True)),
        page.rewrite(3, _RECEIVED.encode(), b""),
    ],
    "the arrival in the leaf": lambda page: page.rewrite(
        3, _RECEIVED.encode(), b"2026-04-16T01:30:02.000000Z"
    ),
    "a link": lambda page: page.rewrite(100, b"[2,40]", b"[3,40]"),
    "true in the place of one": lambda page: page.rewrite(0, b'{"links":[[1', b'{"links":[[true'),
    "a link more": lambda page: page.rewrite(0, b'{"links":[', b'{"links":[[1,-1],'),
    "a note that says more": lambda page: page.rewrite(0, b'"received"', b'"more":1,"received"'),
    "two notes": lambda page: page.boundary(),
    "no note": lambda page: page.rewrite(0, b"\n", b" "),
    "a number of a subject": lambda page: page.number(7, 3, 9),
    "a previous one of a subject": lambda page: page.number(7, 4, 9),
    "a kind": lambda page: page.number(7, 1, "room"),
    "an id": lambda page: page.number(7, 2, "somebody"),
    "an index of a subject": lambda page: page.number(7, 0, 99),
    "a kind with a colon": lambda page: page.colon(),
    "two subjects in one row": lambda page: page.merged([None, "x"]),
    "two subjects in one row, and an empty one": lambda page: page.merged(["", ""]),
    "a link less, and a row without a number": lambda page: page.links(0, b",[1,-1]]", b"]", -1),
    "a subject less": lambda page: page.subjects.pop(3),
    "a subject more": lambda page: page.subjects.append([199, "room", "A101", 1, -1]),
    "two subjects the other way round": lambda page: page.swap(page.subjects, 3, 4),
    "two leaves the other way round": lambda page: page.swap(page.entries, 3, 4),
    "a leaf that nobody could export": lambda page: page.rewrite(5, b"resident_id", b"r" * leaf.LONGEST),
}
_TRUE = Page.true()


def test_what_was_appended_is_seen_with_its_chain() -> None:
    seen = _TRUE.seen()
    assert seen.is_one_chain
    sealed = [entry[_COLUMNS].partition(b"\n")[0] for entry in _TRUE.entries]
    assert seen.hashes == [digest(each) for each in sealed]
    assert seen.previous == tuple(each.hex() for each in [GENESIS, *seen.hashes[:-1]])
    assert seen.positions == tuple(range(1, 201))


@pytest.mark.parametrize("what", _SPOILT)
def test_a_glance_is_not_enough_where_something_is_altered(what: str) -> None:
    page = deepcopy(_TRUE)
    _SPOILT[what](page)
    assert page.seen() is None


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [(5, "position", 99), (5, "previoushash", "0" * 64), (5, "source", "/centre/audit")],
)
def test_a_chain_that_breaks_is_none(place: int, name: str, value: Any) -> None:
    page, known = Page([], []), dict[tuple[str, str], tuple[int, int]]()
    for index, entry in enumerate(_TRUE.entries[:9]):
        event = orjson.loads(entry[_COLUMNS].partition(b"\n")[0])
        said = event | ({name: value} if index == place else {})
        page.append(index, orjson.dumps(said, option=orjson.OPT_SORT_KEYS), known)
    assert page.seen() is not None
    assert not page.seen().is_one_chain


def test_an_event_that_says_something_else_breaks_the_chain() -> None:
    page = deepcopy(_TRUE)
    page.rewrite(5, b"resident_id", b"resident_ix")
    assert not page.seen().is_one_chain


def test_a_subject_that_is_named_twice_is_left_to_others() -> None:
    page, known = Page([], []), dict[tuple[str, str], tuple[int, int]]()
    event = orjson.loads(_TRUE.entries[0][_COLUMNS].partition(b"\n")[0])
    event["refs"] = f"{event['refs']} {event['refs']}"
    page.append(0, orjson.dumps(event, option=orjson.OPT_SORT_KEYS), known)
    assert page.seen() is None
