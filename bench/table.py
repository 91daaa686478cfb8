"""The figures for people: each beside its peer, with its aim, and whether that is met."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench.figures import Figure

_VERDICT = {True: "[green]met[/green]", False: "[red]missed[/red]", None: ""}


def show(console: Console, figures: Sequence[Figure]) -> None:
    table = Table(
        "figure", "value", "spread", "unit", "against", "its value", "ratio", "aim", "", title="What it costs"
    )
    for figure in figures:
        data = figure.as_data()
        table.add_row(
            figure.name,
            _number(data["value"]),
            f"{_number(min(data['values']))}–{_number(max(data['values']))}",
            figure.unit,
            data["against"] or "",
            _number(data["against_value"]),
            _number(data["ratio"]),
            ("≤ " if figure.at_most else "≥ ") + _number(figure.aim) if figure.aim is not None else "",
            _VERDICT[figure.met],
        )
    console.print(table)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
