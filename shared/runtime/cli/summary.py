"""The demo on a screen: progress while it plays, and its summary."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from shared.runtime.cli.output import console
from shared.runtime.settings import settings

_STEPS = 7000  # about how many calls a run makes
_LINE_EVERY = 1000  # where there is no terminal, a line each so many calls

Reporter = tuple[Callable[[str, int], None], Callable[[str], None]]


@contextmanager
def progress(on: Console) -> Iterator[Reporter]:
    """(step, say): a moving bar on a terminal, a line now and then elsewhere."""
    if on.is_terminal:
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=on,
        ) as bar:
            task = bar.add_task("assessing 鉴定中", total=_STEPS)
            yield (lambda _title, _events: bar.advance(task)), on.print
        return
    yield _lines(on), on.print


def _lines(on: Console) -> Callable[[str, int], None]:
    done = 0

    def step(title: str, _events: int) -> None:
        nonlocal done
        done += 1
        if done % _LINE_EVERY == 0:
            on.print(f"{done} steps done, now at {title} / 已办理 {done} 步")

    return step


def show(report: dict[str, Any]) -> None:
    """The summary, every rate with its numerator and denominator."""
    console.print(_batches(report))
    console.print(_rate("certificates / trained 取证率", report["certificate_rate"]))
    console.print(_rate("certificates / assessed 占鉴定人数", report["certified_of_assessed"]))
    for sitting in report["sittings"]:
        console.print(
            _rate(f"{sitting['occupation']} {sitting['on']} pass rate 合格率", sitting["pass_rate"])
        )
        for level, best in sitting["top"].items():
            totals = ", ".join(f"{each['total']} ({each['application'][-12:]})" for each in best)
            console.print(f"  top two of level {level} 前两名: {totals}")
    console.print(_types(report))
    audit = report["audit"]
    verdict = "verified 核验通过" if audit["verified"] else "NOT VERIFIED 核验未通过"
    console.print(
        f"audit log 审计日志: {audit['size']} events, head {audit['head']}, {verdict}", soft_wrap=True
    )
    console.print(f"{report['seconds']} s, {report['events_per_second']} events/s while playing")
    console.print(f"The data is under {settings().var}. With .venv/bin on your PATH, try / 可以试试:")
    for kind, id in report["examples"].items():
        console.print(f"  jianding trail {kind} {id}", soft_wrap=True)
    console.print("  jianding verify\n  jianding up")


def _rate(name: str, rate: dict[str, Any]) -> str:
    return f"{name}: {rate['percent']} % = {rate['numerator']}/{rate['denominator']}"


def _batches(report: dict[str, Any]) -> Table:
    table = Table(title="Batches 批次", box=SIMPLE, padding=(0, 0), collapse_padding=True)
    table.add_column("日期\nday", no_wrap=True)
    table.add_column("工种\ntrade", overflow="fold")
    table.add_column("等级\nlevel", no_wrap=True)
    for column in ("培训\ntrained", "鉴定\nassessed", "合格\npassed", "取证\ncertified"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in [*report["batches"], *report["sittings"]]:
        levels = " ".join(row["assessed_by_level"])
        figures = [str(row[key]) for key in ("trained", "assessed", "passed", "certified")]
        table.add_row(row["on"], row["occupation"], levels, *figures)
    table.add_section()
    table.add_row(
        "",
        "十批合计 ten",
        "",
        *[str(report[key]) for key in ("trained", "assessed")],
        "",
        str(report["certified"]),
    )
    everything = report["all"]
    table.add_row(
        "", "总计 all", "", *[str(everything[key]) for key in ("trained", "assessed", "passed", "certified")]
    )
    return table


def _types(report: dict[str, Any]) -> Table:
    table = Table(title=f"Events by type 事件 ({report['events']})", show_header=False, box=SIMPLE)
    pairs = [f"{name} {count}" for name, count in report["events_by_type"].items()]
    columns = max(1, min(3, console.width // 30))
    for start in range(0, len(pairs), columns):
        table.add_row(*pairs[start : start + columns])
    return table
