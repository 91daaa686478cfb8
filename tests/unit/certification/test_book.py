"""The numbers of one station, year and level follow each other without a gap."""

from datetime import UTC, datetime

from services.certification.domain.book import AllocateNumber, Book, SerialsExhausted, book, book_of
from services.certification.domain.numbers import NoSchemeInForce
from shared.contracts.certification import CertificateNumberAllocated
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.testing.scenario import scenario

AT = datetime(2008, 12, 1, 1, 30, tzinfo=UTC)
STATION = "10012003"
BOOK = "10012003-2008-4"
BATCH = derived_id("test", "batch")


def allocate(application: str, year: int = 2008) -> AllocateNumber:
    return AllocateNumber(
        book=book_of(STATION, year, 4),
        application=derived_id("test", application),
        batch=BATCH,
        station=STATION,
        level=4,
        year=year,
        by=Actor("certification", Role.SERVICE, "centre"),
        at=AT,
    )


def allocated(application: str, serial: int, number: str) -> CertificateNumberAllocated:
    return CertificateNumberAllocated(
        book=BOOK, serial=serial, number=number, application=derived_id("test", application), batch=BATCH
    )


def test_the_first_number_of_a_book() -> None:
    scenario(book).when(allocate("one")).then(allocated("one", 1, "0810012003400001"))


def test_the_next_number_follows_the_last() -> None:
    given = scenario(book).given(allocated("one", 1, "0810012003400001"))
    given.when(allocate("two")).then(allocated("two", 2, "0810012003400002"))


def test_the_newest_event_alone_tells_the_state() -> None:
    history = [allocated("one", 1, "0810012003400001"), allocated("two", 2, "0810012003400002")]
    assert book.remembers == 1
    assert book.fold(Book(), history) == book.fold(Book(), history[-1:]) == Book(last=2)


def test_the_last_serial_is_allocated() -> None:
    given = scenario(book).given(allocated("one", 99_998, "0810012003499998"))
    given.when(allocate("two")).then(allocated("two", 99_999, "0810012003499999"))


def test_a_full_book_has_no_more_numbers() -> None:
    given = scenario(book).given(allocated("one", 99_999, "0810012003499999"))
    given.when(allocate("two")).refused(SerialsExhausted)


def test_a_year_without_a_scheme_has_no_numbers() -> None:
    scenario(book).when(allocate("one", year=1999)).refused(NoSchemeInForce)


def test_station_year_and_level_have_a_book_of_their_own() -> None:
    books = {
        book_of(station, year, level)
        for station in (STATION, "72003018")
        for year in (2008, 2009)
        for level in (4, 5)
    }
    assert BOOK in books
    assert len(books) == 8


def test_only_the_service_allocates() -> None:
    assert book.roles[AllocateNumber] == {Role.SERVICE}
