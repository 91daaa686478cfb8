"""People who do not exist: names say so, and no ID number begins with the code of a real place."""

import base64
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

_STEMS, _BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
_NOWHERE = "999999"  # no such place in GB/T 2260
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class Person:
    """A fictional person; `number` has a right check character."""

    id: str
    name: str = field(repr=False)
    number: str = field(repr=False)
    photo: bytes = field(repr=False)

    def enrolment(self) -> dict[str, Any]:
        """The fields of registration's `enrol_person`."""
        return {
            "candidate": self.id,
            "name": self.name,
            "document": "resident_id",
            "number": self.number,
            "photo": base64.b64encode(self.photo).decode(),
        }


def fictional(count: int, chance: random.Random, new_id: Callable[[], str], first: int = 0) -> list[Person]:
    """`count` people with different ID numbers from the `first` on; all but the ids follows from `chance`."""
    return [_person(first + place, chance, new_id()) for place in range(count)]


def _person(place: int, chance: random.Random, id: str) -> Person:
    born = date(1990, 1, 1) + timedelta(days=place % 5000)
    digits = f"{_NOWHERE}{born:%Y%m%d}{place // 5000 * 2 + chance.randrange(2):03d}"
    check = "10X98765432"[sum(w * int(d) for w, d in zip(_WEIGHTS, digits, strict=True)) % 11]
    name = f"虚构{_STEMS[place % 10]}{_BRANCHES[place % 12]}{place:04d}"
    return Person(id, name, digits + check, chance.randbytes(64))
