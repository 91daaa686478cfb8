"""证书编号: schemes are data, each for the years in which it is in force (R135)."""

import re
from dataclasses import asdict, dataclass

from shared.kernel.errors import DomainError


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a number says: the year of approval, the 8-digit body code, the level, the serial in its book."""

    year: int
    body: str
    level: int
    serial: int


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """One way to number; `years` span no more than a century, as the number has two digits for them."""

    code: str
    years: range
    serials: range
    template: str
    pattern: re.Pattern[str]


# 16 digits (P8): year, province or industry + city + body type + body, level, serial
SCHEMES = (
    Scheme(
        code="qualification-16",
        years=range(2000, 2100),
        serials=range(1, 100_000),
        template="{yy:02}{body}{level}{serial:05}",
        pattern=re.compile(
            r"(?P<yy>[0-9]{2})(?P<body>[0-9]{8})(?P<level>[1-5])(?P<serial>(?!00000)[0-9]{5})"
        ),
    ),
)


class NoSchemeInForce(DomainError):
    """该年度没有适用的证书编号规则；请核对办理时间。

    No scheme numbers certificates of that year; check the time of approval.
    """

    rule = "R135"
    field = "occurred_at"


class NumberInvalid(DomainError):
    """证书编号不符合编码规则；请对照证书重新录入。

    This is not a certificate number; enter it again from the certificate.
    """

    rule = "R135"
    field = "number"


def in_force(year: int) -> Scheme:
    """The scheme of a year; raises NoSchemeInForce."""
    for scheme in SCHEMES:
        if year in scheme.years:
            return scheme
    raise NoSchemeInForce


def written(parts: Parts) -> str:
    """The number, in the scheme of its year."""
    return in_force(parts.year).template.format(yy=parts.year % 100, **asdict(parts))


def read(number: str) -> Parts:
    """What a number says, by the first scheme that it fits; raises NumberInvalid."""
    for scheme in SCHEMES:
        if found := scheme.pattern.fullmatch(number):
            year = next(year for year in scheme.years if year % 100 == int(found["yy"]))
            return Parts(
                year=year, body=found["body"], level=int(found["level"]), serial=int(found["serial"])
            )
    raise NumberInvalid
