"""The mark on data that a demo made: only marked data is replaced by the next demo."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = "demo"
_TEXT = "The demo made the data in this folder, and the next demo replaces it.\n"


class NotOurs(Exception):
    """演示只使用空目录或先前演示的数据。
    The demo begins with empty data, and deletes only what an earlier demo made."""


def marked(var: Path) -> bool:
    """Whether all data in the folder is a demo's."""
    return (var / _NAME).exists()


def mark(var: Path) -> None:
    """From now on it is."""
    (var / _NAME).write_text(_TEXT, encoding="utf-8")


@contextmanager
def somebodys(var: Path) -> Iterator[None]:
    """Around a command: once it may have been accepted, the data is no more the demo's alone."""
    from shared.bus.calls import Refused

    before = marked(var)
    (var / _NAME).unlink(missing_ok=True)  # first: whoever dies in between keeps his data
    try:
        yield
    except Refused:
        if before:
            mark(var)
        raise
