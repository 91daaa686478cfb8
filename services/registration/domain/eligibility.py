"""申报条件: versioned data of the centre; no station can edit or waive it (R027, R028; P6, 2018 pattern)."""

from dataclasses import dataclass

CURRENT = "2018-1"


@dataclass(frozen=True)
class Clause:
    """One branch that suffices: level held, full years in the trade, education (`""`: any)."""

    code: str
    held_level: int
    years: int
    education: str = ""


VOCATIONAL, COLLEGE = "vocational_school", "college"

# level -> branches, the first that is satisfied is recorded
RULES: dict[str, dict[int, tuple[Clause, ...]]] = {
    CURRENT: {
        5: (Clause("5.1", 0, 1), Clause("5.2", 0, 0, VOCATIONAL)),
        4: (Clause("4.1", 5, 2), Clause("4.2", 0, 4), Clause("4.3", 0, 0, VOCATIONAL)),
        3: (Clause("3.1", 4, 4), Clause("3.2", 4, 0, VOCATIONAL), Clause("3.3", 4, 2, COLLEGE)),
        2: (Clause("2.1", 3, 4),),
        1: (Clause("1.1", 2, 4),),
    }
}


def satisfied(
    level: int, *, held_level: int, years: int, education: str, version: str = CURRENT
) -> str | None:
    """The code of the first branch that these facts satisfy, or None. `held_level` 0 means none is held."""
    for clause in RULES[version].get(level, ()):
        holds = clause.held_level == 0 or 0 < held_level <= clause.held_level
        if holds and years >= clause.years and clause.education in ("", education):
            return clause.code
    return None
