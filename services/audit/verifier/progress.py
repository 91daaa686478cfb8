"""How far the verifier has come: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINE = 5.0  # seconds between two lines


class Teller(Protocol):
    """Hears how many entries are done, of how many."""

    def __enter__(self) -> "Teller": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __call__(self, done: int, total: int) -> None: ...


def teller() -> Teller:
    """For whatever standard error is."""
    return Bar() if sys.stderr.isatty() else Lines()


class Bar:
    """A bar. It is drawn when told and not by a thread, for a process with threads should not be copied."""

    def __init__(self) -> None:
        columns = (
            TextColumn("核验 verifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        )  # fmt: skip
        self._bar = Progress(
            *columns, console=Console(stderr=True), auto_refresh=False, transient=True,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=None)
        self._shown = 0.0

    def __enter__(self) -> "Bar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total)
        if time.monotonic() - self._shown > 0.1:
            self._shown = time.monotonic()
            self._bar.refresh()


class Lines:
    """A line now and then, so that whoever reads a file sees that it goes on."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self._told >= _LINE:
            self._told = time.monotonic()
            sys.stderr.write(f"{done} / {total} verified 已核验 …\n")
            sys.stderr.flush()
