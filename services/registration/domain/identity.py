"""公民身份号码: 17 digits and a check character (GB 11643-1999, P7)."""

import re
import unicodedata
from datetime import date

from shared.kernel.errors import DomainError

RESIDENT_ID = "resident_id"
PERMANENT_RESIDENCE = "permanent_residence"
DOCUMENTS = (RESIDENT_ID, "officer_card", "mainland_travel_permit", PERMANENT_RESIDENCE, "passport")

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_OLDEST = 120
_LIKE_A_RESIDENTS = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)


class IdNumberInvalid(DomainError):
    """身份证号码校验不符；请对照证件原件重新录入。

    The resident ID number does not check; enter it again from the card itself.
    """

    rule = "R029"
    field = "number"


class BirthDateImplausible(DomainError):
    """身份证号码中的出生日期不可信；请核验证件原件。

    The birth date within the ID number is not plausible; examine the card itself.
    """

    rule = "R029"
    field = "number"


class DocumentKindWrong(DomainError):
    """该号码是居民身份证号码，证件类型有误；请改选居民身份证。

    This number is a resident ID number, and the kind of document is not; choose the resident ID.
    """

    rule = "R029"
    field = "document"


class IdNumberInUse(DomainError):
    """该证件号码已由另一人员编号建档；请核对姓名，按证件查找并使用原编号，如信息不符请核验证件。

    This document number is enrolled under another id; check the name, find and use that one, or examine
    the document.
    """

    rule = "R029"
    field = "number"


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are one name: width and spaces do not matter."""
    return plain_name(one) == plain_name(other)


def plain_name(name: str) -> str:
    """The one spelling of a name, by which it is compared and found."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def masked(number: str) -> str:
    """The first three and the last two characters of a document's number (R139)."""
    return f"{number[:3]}{'*' * max(0, len(number) - 5)}{number[-2:]}" if number else ""


def spelled(number: str) -> str:
    """The one spelling of a document number: full-width or not, spaced or not, it is the same document."""
    return "".join(unicodedata.normalize("NFKC", number).split()).upper()


def check_character(digits: str) -> str:
    """The 18th character for 17 digits."""
    return _CHECK[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11]


def is_resident_id(number: str) -> bool:
    """Whether a number has the form and the check character of a resident ID number."""
    digits, last = number[:17], number[17:]
    return len(number) == 18 and digits.isascii() and digits.isdigit() and check_character(digits) == last


def check_document(document: str, number: str, today: date) -> None:
    """Raises unless `number`, as `spelled`, can be that of such a document.

    A resident ID number under another kind would be enrolled beside itself, and unchecked (R029); so one
    that looks like it is refused even where its check character is wrong.
    """
    # since 2023 a foreigner's permanent residence card has a number of this form too, which begins with a 9
    if document == RESIDENT_ID or (
        document == PERMANENT_RESIDENCE and number[:1] == "9" and len(number) == 18
    ):
        check(number, today)
    elif _LIKE_A_RESIDENTS.fullmatch(number):
        raise DocumentKindWrong


def check(number: str, today: date) -> None:
    """Raises unless `number` is a resident ID number whose holder could be alive at `today`."""
    if not is_resident_id(number):
        raise IdNumberInvalid
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise BirthDateImplausible from None
    if not born <= today or today.year - born.year > _OLDEST:
        raise BirthDateImplausible
