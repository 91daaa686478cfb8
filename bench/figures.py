"""Figures: a median beside what it is compared with, and whether it meets its aim."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

LIMIT = "limit"  # instead of a peer: the value itself has an aim


@dataclass(frozen=True)
class Figure:
    """`values` and `others` (the peer's, in the same unit) were measured in turns; medians speak.

    The aim is of the ratio where there is a peer, else of the value, and is reached from below unless
    `at_most`. `note` says what a reader has to know, such as why an aim is missed.
    """

    name: str
    unit: str
    values: Sequence[float]
    against: str = ""
    others: Sequence[float] = ()
    aim: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def other(self) -> float | None:
        return median(self.others) if self.others else None

    @property
    def ratio(self) -> float | None:
        return self.value / self.other if self.other else None

    @property
    def met(self) -> bool | None:
        """None without an aim."""
        if self.aim is None:
            return None
        reached = self.value if self.ratio is None else self.ratio
        return reached <= self.aim if self.at_most else reached >= self.aim

    def as_data(self) -> dict[str, Any]:
        """As it stands in the results."""
        against, other = self.against, self.other
        if other is None and self.aim is not None:
            against, other = LIMIT, self.aim
        return {
            "value": rounded(self.value),
            "unit": self.unit,
            "against": against or None,
            "against_value": rounded(other),
            "ratio": rounded(self.ratio),
            "aim": self.aim,
            "at_most": self.at_most,
            "met": self.met,
            "values": [rounded(value) for value in self.values],
            "against_values": [rounded(value) for value in self.others],
            "note": self.note,
        }


def rounded(value: float | None) -> float | None:
    """To four digits: more would be noise."""
    return None if value is None else float(f"{value:.4g}")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` (0.99) of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def report(groups: Mapping[str, Iterable[Figure]], about: dict[str, Any]) -> dict[str, Any]:
    """All figures by name, each with its group, and what is known of the run; ValueError for a name twice."""
    found: dict[str, Any] = {}
    for group, figures in groups.items():
        for figure in figures:
            if figure.name in found:
                raise ValueError(f"two figures are called {figure.name}")
            found[figure.name] = {**figure.as_data(), "group": group}
    return {"figures": found, **about}
