"""The table: columns, rows, the way to the next page, buttons at each row."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import request, url_for

from services.gateway.console.desk import PAGE, Row


@dataclass(frozen=True)
class Column:
    """`kind`: text, id (shortened, whole on pointing), code, time, number, status, digest, truth.

    `link(row)` is where the cell leads.
    """

    key: str
    title: Any
    kind: str = "text"
    link: Callable[[Row], str] | None = None
    words: Callable[[Any], Any] | None = None  # what a value is called

    def value(self, row: Row) -> Any:
        """What stands in the cell."""
        value = row.get(self.key)
        return self.words(value) if self.words and value not in (None, "") else value


@dataclass(frozen=True)
class Button:
    """Something to do about one row: a form of its own. `only(row)` says whether it is offered.

    `fields(row)` are sent along, `ticks` (name, what it says) only if somebody ticks them; `weight`: plain,
    main, or grave: then it is opened first, and pressed in a second step. What changes nothing is shown
    `into` the part of this page that has this id, as the answer has one; without JavaScript it is a page.
    """

    title: Any
    url: Callable[[Row], str]
    fields: Callable[[Row], dict[str, Any]] = lambda _row: {}
    only: Callable[[Row], bool] = lambda _row: True
    weight: str = "plain"
    ticks: Sequence[tuple[str, Any]] = ()
    into: str = ""


@dataclass(frozen=True)
class Table:
    """A list as it is shown. `key` names the rows, and the last one leads to the next page."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    key: str
    more: str = ""
    buttons: Sequence[Button] = ()
    empty: Any = ""
    caption: Any = ""
    name: str = "list"
    big: bool = False
    classes: dict[str, str] = field(default_factory=dict)


def paged(columns: Iterable[Column], found: Sequence[Row], key: str, **more: Any) -> Table:
    """A table of what `Desk.rows` found: one row more than is shown means that others follow."""
    rows = found[:PAGE]
    following = ""
    if len(found) > PAGE:
        parts = {**(request.view_args or {}), **request.args.to_dict(), "after": rows[-1][key]}
        following = url_for(request.endpoint or "", **parts)
    return Table(tuple(columns), rows, key, following, **more)
