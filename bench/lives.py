"""Lives of applications, as registration would have said them, at the speed of filling in forms.

Every batch has 60 candidates who take each step together, seven events each. The bytes are those that the
product itself would write: the forms are made by its own `draft` and `seal`, and a test compares them.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from operator import itemgetter
from typing import NamedTuple

from shared.contracts import registration as said
from shared.kernel.actors import Actor, Role
from shared.kernel.events import Event
from shared.wire.envelope import GENESIS, Origin, draft, seal

SOURCE = "/centre/registration"
PEOPLE = 60  # in a batch
_STATION = "10012003"
_PARTS = ("application", "candidate", "batch", "event", "command")
_POSITION = 8_765_432_101_234
_PREVIOUS = bytes.fromhex("ab" * 32)


class Drafted(NamedTuple):
    """An event that is decided, with its place in its stream, and what goes into its forms."""

    stream: str
    version: int
    draft: bytes
    step: int
    words: dict[bytes, bytes]


class Entry(NamedTuple):
    """An event with its place in the log."""

    position: int
    hash: bytes
    sealed: bytes
    step: int
    words: dict[bytes, bytes]


class _Form:
    """Bytes with gaps to be filled in."""

    def __init__(self, raw: bytes, gaps: dict[bytes, bytes]) -> None:
        pattern = re.compile(b"|".join(map(re.escape, gaps)))
        self._raw = pattern.sub(b"%b", raw.replace(b"%", b"%%"))
        self._words = itemgetter(*[gaps[found] for found in pattern.findall(raw)])

    def filled(self, words: dict[bytes, bytes]) -> bytes:
        return self._raw % self._words(words)


def id_of(part: str, number: int) -> str:
    """Ids grow with their numbers, as those of the product grow with time."""
    return f"0199c0de-0000-7{_PARTS.index(part)}00-8000-{number:012x}"


def _gap(part: str) -> str:
    return id_of(part, 0xFEDCBA987654)


_ABOUT = {
    "application": _gap("application"),
    "candidate": _gap("candidate"),
    "batch": _gap("batch"),
    "station": _STATION,
}
_CLERK = Actor("0199c0de-0000-7000-8000-00000000c1e4", Role.EXAM_AFFAIRS, f"station-{_STATION}")
_STATION_REVIEWER = Actor(
    "0199c0de-0000-7000-8000-0000000051e7", Role.STATION_REVIEWER, f"station-{_STATION}"
)
_CENTRE_REVIEWER = Actor("0199c0de-0000-7000-8000-00000000ce17", Role.CENTRE_REVIEWER, "centre")
_SERVICE = Actor("registration", Role.SERVICE, "centre")
_AT = "2026-04-16T01:30:00.000000Z"
_RULES = "2018-1"

_LIFE: tuple[tuple[str, int, Actor, Event], ...] = (
    (
        "person",
        1,
        _CLERK,
        said.PersonEnrolled(
            candidate=_gap("candidate"),
            document="resident_id",
            identity_commitment="c" * 64,
            photo_commitment="d" * 64,
        ),
    ),
    (
        "application",
        1,
        _CLERK,
        said.ApplicationSubmitted(
            **_ABOUT,
            occupation="化工分析工",
            catalogue="1999",
            level=4,
            kind="society",
            held_level=5,
            years_in_trade=6,
            education="none",
            evidence=("e" * 64, "f" * 64),
        ),
    ),
    (
        "application",
        2,
        _STATION_REVIEWER,
        said.StationReviewPassed(**_ABOUT, reviewer=_STATION_REVIEWER.id, rule_version=_RULES, clause="4.1"),
    ),
    (
        "application",
        3,
        _CENTRE_REVIEWER,
        said.CentreReviewPassed(**_ABOUT, reviewer=_CENTRE_REVIEWER.id, rule_version=_RULES, clause="4.1"),
    ),
    (
        "application",
        4,
        _CENTRE_REVIEWER,
        said.CandidateRegistered(
            **_ABOUT,
            occupation="化工分析工",
            catalogue="1999",
            level=4,
            parts=("theory", "practical"),
            rule_version=_RULES,
        ),
    ),
    (
        "application",
        5,
        _SERVICE,
        said.AdmissionTicketIssued(
            **_ABOUT,
            ticket="TICKETTICKETTICK",
            room="A101",
            seat=7,
            theory_at=_AT,
            practical_at=_AT,
        ),
    ),
    ("application", 6, _SERVICE, said.ApplicationConcluded(**_ABOUT, outcome="published")),
)
STEPS = len(_LIFE)
_GAPS = {_gap(part).encode(): part.encode() for part in _PARTS} | {b"TICKETTICKETTICK": b"ticket"}
_PLACE = {str(_POSITION).encode(): b"position", _PREVIOUS.hex().encode(): b"previous"}


def _drafted(stream: str, version: int, actor: Actor, event: Event) -> bytes:
    command = _gap("command")
    origin = Origin(SOURCE, actor, _AT, _AT, command, command, command)
    named = _gap("candidate" if stream == "person" else "application")
    return draft(event, _gap("event"), f"{stream}-{named}", version, origin)


_DRAFTS = [_Form(_drafted(*each), _GAPS) for each in _LIFE]
_SEALED = [_Form(seal(_drafted(*each), _POSITION, _PREVIOUS), _GAPS | _PLACE) for each in _LIFE]


def drafts(first: int = 0) -> Iterator[Drafted]:
    """The events from the `first` on, in the order of the log, without end."""
    number = first
    while True:
        batch, within = divmod(number, PEOPLE * STEPS)
        step, person = divmod(within, PEOPLE)
        person += batch * PEOPLE
        words = {part.encode(): id_of(part, person).encode() for part in ("application", "candidate")}
        words[b"batch"] = id_of("batch", batch).encode()
        words[b"event"] = id_of("event", number).encode()
        words[b"command"] = id_of("command", number).encode()
        words[b"ticket"] = b"%016d" % person
        stream, version = _LIFE[step][:2]
        owner = b"candidate" if stream == "person" else b"application"
        yield Drafted(f"{stream}-{words[owner].decode()}", version, _DRAFTS[step].filled(words), step, words)
        number += 1


def entries(first: int = 0, head: bytes = GENESIS) -> Iterator[Entry]:
    """The same, sealed: from position `first` + 1 on, after an event with the hash `head`."""
    for position, event in enumerate(drafts(first), start=first + 1):
        words = event.words
        words[b"position"], words[b"previous"] = b"%d" % position, head.hex().encode()
        sealed = _SEALED[event.step].filled(words)
        head = sha256(sealed).digest()
        yield Entry(position, head, sealed, event.step, words)
