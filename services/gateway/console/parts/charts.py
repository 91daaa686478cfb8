"""Charts as SVG, drawn here: bars with a mark, and a line. Colours come from the style sheet's classes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 640, 200
_LEFT, _BOTTOM, _TOP = 44, 26, 14
_WIDEST = 80  # of a bar, where there are few


@dataclass(frozen=True)
class Bar:
    """One bar: `share` of the height, and what it says of itself."""

    x: float
    y: float
    width: float
    height: float
    label: Any
    says: str
    style: str


@dataclass(frozen=True)
class Chart:
    """Everything that the template draws; `told` is the same in words, for who does not see it."""

    title: Any
    bars: Sequence[Bar] = ()
    line: str = ""
    marks: Sequence[tuple[float, Any]] = ()  # x, label
    grid: Sequence[tuple[float, str]] = ()  # y, label
    labels: Sequence[tuple[float, Any]] = ()  # x, label
    told: str = ""
    width: int = WIDTH
    height: int = HEIGHT
    floor: int = HEIGHT - _BOTTOM
    left: int = _LEFT


def bars(
    title: Any,
    values: Sequence[tuple[Any, float, str]],
    *,
    most: float = 0,
    unit: str = "",
    mark: tuple[float, Any] | None = None,
) -> Chart:
    """[(label, value, style)] side by side; `mark` is (x, label): 6.0 is before the seventh."""
    most = most or _round(max((value for _, value, _ in values), default=0))
    step = (WIDTH - _LEFT) / max(1, len(values))
    drawn = [
        _bar(_LEFT + place * step, step, value / most, label, f"{label}: {_number(value)}{unit}", style)
        for place, (label, value, style) in enumerate(values)
    ]
    marks = [(_LEFT + mark[0] * step, mark[1])] if mark else []
    every = max(1, len(values) // 12)
    labels = [(bar.x + bar.width / 2, bar.label) for bar in drawn[::every]]
    told = "; ".join(bar.says for bar in drawn)
    return Chart(title, drawn, marks=marks, grid=_grid(most, unit), labels=labels, told=told)


def line(title: Any, values: Sequence[tuple[Any, float]], *, unit: str = "") -> Chart:
    """[(label, value)] from left to right."""
    most = _round(max((value for _, value in values), default=0))
    step = (WIDTH - _LEFT - 8) / max(1, len(values) - 1)
    points = [(_LEFT + place * step, _height(value / most)) for place, (_, value) in enumerate(values)]
    every = max(1, len(values) // 8)
    labels = [(points[place][0], values[place][0]) for place in range(0, len(values), every)]
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    newest = f"{values[-1][0]}: {_number(values[-1][1])}{unit}" if values else ""
    highest = f"max {_number(max(value for _, value in values))}{unit}" if values else ""
    told = "; ".join(filter(None, (newest, highest)))
    return Chart(title, line=drawn, grid=_grid(most, unit), labels=labels, told=told)


def _bar(x: float, step: float, share: float, label: Any, says: str, style: str) -> Bar:
    y = _height(share)
    width = min(step * 0.76, _WIDEST)
    return Bar(x + (step - width) / 2, y, width, HEIGHT - _BOTTOM - y, label, says, style)


def _height(share: float) -> float:
    return _TOP + (1 - max(0.0, min(1.0, share))) * (HEIGHT - _BOTTOM - _TOP)


def _grid(most: float, unit: str) -> list[tuple[float, str]]:
    return [(_height(share), f"{_number(most * share)}{unit}") for share in (0, 0.5, 1)]


def _round(most: float) -> float:
    """The next even number of two digits and noughts, so that half of it is a whole number too."""
    step = 10 ** max(0, len(str(int(most))) - 2)
    return 2 * step * max(1, math.ceil(most / step / 2))


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"
