"""An event that changed twice: bytes of every version are read as the newest."""

import orjson
import pytest

from shared.kernel.actors import Actor, Role
from shared.kernel.events import Event, Language, UnknownEvent, UpcastMissing, language, subject
from shared.wire.envelope import GENESIS, Origin, draft, read, seal


class LibraryEvent(Event, service="test-library"):
    """The language of a library; version 1 of BookLent knew `reader` and `days`, version 2 `hours`."""


class BookLent(LibraryEvent, version=3):
    """A book is lent, counted in minutes now, and more than one at a time."""

    reader: str = subject()
    books: tuple[str, ...] = subject("book")
    minutes: int


class BookReturned(LibraryEvent, version=2):
    """Nobody wrote its upcast."""

    reader: str


LIBRARY = language("test-library")


@LIBRARY.upcast("BookLent", 1)
def days_become_hours(data):
    data["hours"] = data.pop("days") * 24
    return data


@LIBRARY.upcast("BookLent", 2)
def one_book_becomes_many(data):
    return {"reader": data["reader"], "books": [data["book"]], "minutes": data["hours"] * 60}


VERSIONS = {
    1: {"reader": "r", "book": "b", "days": 2},
    2: {"reader": "r", "book": "b", "hours": 48},
    3: {"reader": "r", "books": ["b"], "minutes": 2880},
}
NEWEST = BookLent(reader="r", books=("b",), minutes=2880)
ORIGIN = Origin(
    source="/centre/test-library",
    actor=Actor("clerk", Role.EXAM_AFFAIRS, "centre"),
    occurred_at="2026-04-16T01:30:00.000000Z",
    recorded_at="2026-04-16T01:30:00.000000Z",
    correlation_id="correlation",
    causation_id="causation",
    command_id="command",
)


def published(version, data, name="BookLent"):
    """The bytes that a program of that version left in the log."""
    written = orjson.loads(draft(NEWEST, "0b2f7d62-5d0e-7c11-8a01-3f5b2d4c6e70", "book-b", 1, ORIGIN))
    written |= {"type": name, "schemaversion": version, "data": data}
    return seal(orjson.dumps(written), 1, GENESIS)


@pytest.mark.parametrize("version", VERSIONS)
def test_bytes_of_every_version_are_read_as_the_newest(version):
    assert read(published(version, VERSIONS[version])).event() == NEWEST


@pytest.mark.parametrize("version", VERSIONS)
def test_reading_twice_gives_the_same_and_leaves_what_was_received_alone(version):
    sealed = read(published(version, VERSIONS[version]))
    assert sealed.event() == sealed.event()
    assert sealed.attributes["data"] == VERSIONS[version]


@pytest.mark.parametrize(
    ("name", "version"), [("BookBurnt", 1), ("BookLent", 4), ("BookLent", 10**9)], ids=str
)
def test_an_unknown_event_or_a_newer_version_is_unknown(name, version):
    with pytest.raises(UnknownEvent, match=f"test-library has no {name} version {version}"):
        read(published(version, {}, name)).event()


def test_there_is_no_version_nought():
    with pytest.raises(UnknownEvent):
        LIBRARY.read("BookLent", 0, {})


def test_a_service_without_contracts_is_unknown():
    with pytest.raises(UnknownEvent, match="no contracts for test-nobody"):
        language("test-nobody")


def test_a_missing_upcast_is_named_on_reading():
    with pytest.raises(UpcastMissing, match="test-library: BookReturned from version 1 to 2"):
        read(published(1, {"reader": "r"}, "BookReturned")).event()


def test_a_missing_upcast_is_found_without_reading():
    assert LIBRARY.missing_upcasts() == [("BookReturned", 1)]


def test_an_upcast_is_registered_once():
    again = Language("test-again")
    again.upcast("Said", 1)(dict)
    with pytest.raises(TypeError, match="already has an upcast of Said version 1"):
        again.upcast("Said", 1)(dict)
