"""What the seeds report: ten batches of a term, then two sittings in April (S0).

The seed gives sums for the ten batches (595 trained, 481 assessed, 316 certified) and no figure for each of
them; how they are shared out here is ours.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
CATALOGUE = "1999"
STATION = "10012003"
TERM = "term"
SITTING = "化工总控工"  # the trade of the two sittings in April


@dataclass(frozen=True)
class Plan:
    """One batch as it is to come out: of `trained`, so many are assessed and so many pass, by level."""

    key: str
    title: str
    occupation: str
    trained: int
    assessed: dict[int, int]
    passing: dict[int, int]
    on: date
    rejected: int = 0
    withdrawn: int = 0
    absent: int = 0

    @property
    def applying(self) -> int:
        return sum(self.assessed.values()) + self.rejected + self.withdrawn + self.absent

    @property
    def theory_at(self) -> datetime:
        return datetime.combine(self.on, time(9), CHINA).astimezone(UTC)

    @property
    def practical_at(self) -> datetime:
        return datetime.combine(self.on, time(14), CHINA).astimezone(UTC)


_ANALYST = ((62, 50, 33), (60, 48, 32), (61, 50, 33), (58, 47, 31), (60, 49, 32), (59, 48, 31), (60, 48, 32))
_OTHERS = (("水处理工", 60, 48, 32), ("化工仪表维修工", 58, 47, 30), ("化工检修钳工", 57, 46, 30))


def plans(year: int) -> list[Plan]:
    """The twelve batches of the spring term of `year`, in the order of their days."""
    analyst = [("化工分析工", *figures) for figures in _ANALYST]
    term = [
        _of_term(place, year, occupation, trained, assessed, passing)
        for place, (occupation, trained, assessed, passing) in enumerate([*analyst, *_OTHERS])
    ]
    april = [
        Plan("april-16", "4月16日", SITTING, 0, {3: 18, 4: 55}, {3: 9, 4: 27}, date(year, 4, 16)),
        Plan("april-23", "4月23日", SITTING, 0, {4: 80}, {4: 40}, date(year, 4, 23)),
    ]
    return [*term, *april]


def _of_term(place: int, year: int, occupation: str, trained: int, assessed: int, passing: int) -> Plan:
    return Plan(
        TERM,
        f"第{place + 1}批",
        occupation,
        trained,
        {4: assessed},
        {4: passing},
        date(year, 3, 2) + timedelta(days=10 * place),
        rejected=1,
        withdrawn=1,
        absent=place % 3,
    )


def latest_year(today: date) -> int:
    """The last year whose spring term is over."""
    return today.year if today >= date(today.year, 7, 1) else today.year - 1
