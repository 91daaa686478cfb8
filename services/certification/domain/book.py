"""证书编号册: one per station, year and level; its serials have no gap and are never used again (R135)."""

from dataclasses import dataclass

from services.certification.domain import numbers
from shared.contracts.certification import CertificateNumberAllocated
from shared.kernel.actors import Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.errors import DomainError


def book_of(station: str, year: int, level: int) -> str:
    """The id of the book in which such a certificate is numbered."""
    return f"{station}-{year}-{level}"


@dataclass(frozen=True, kw_only=True)
class AllocateNumber(Command):
    """分配证书编号 for one approved certificate."""

    book: str
    application: str
    batch: str
    station: str
    level: int
    year: int


class SerialsExhausted(DomainError):
    """该鉴定所本年度本等级的证书流水号已用完；请报指导中心处理。

    Every serial of this station, year and level is used; refer it to the guidance centre.
    """

    rule = "R135"
    field = "book"


@dataclass(frozen=True)
class Book:
    """The serial that was allocated last."""

    last: int = 0


book: Aggregate[Book] = Aggregate("book", Book(), remembers=1)


@book.decides(Role.SERVICE)
def allocate(command: AllocateNumber, state: Book) -> Facts:
    serial = state.last + 1
    if serial not in numbers.in_force(command.year).serials:
        raise SerialsExhausted
    parts = numbers.Parts(year=command.year, body=command.station, level=command.level, serial=serial)
    return [
        CertificateNumberAllocated(
            book=command.book,
            serial=serial,
            number=numbers.written(parts),
            application=command.application,
            batch=command.batch,
        )
    ]


@book.evolves
def allocated(event: CertificateNumberAllocated, _state: Book) -> Book:
    return Book(last=event.serial)
