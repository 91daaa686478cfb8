"""The frame: a capability is a room with pages; who sees a page follows from its roles and what it asks."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from services.gateway.console.desk import PAGE, Desk, Row
from services.gateway.console.parts import sure
from services.gateway.console.session import Who
from shared.bus.calls import NoAnswer, Refused
from shared.kernel.actors import Role

View = Callable[..., Any]
# the rows that wait for whoever asks, at most one more than a list shows; None where it is not his work
Waiting = Callable[[Desk], list[Row] | None]
# (parts of the path) -> what it is called, if it cannot be undone; nothing if it can
Grave = Callable[..., Any]


@dataclass(frozen=True)
class Page:
    """One page: `asks` are the calls (service, method) without which it is empty; `listed` in the menu."""

    name: str
    path: str
    title: Any
    roles: frozenset[Role]
    asks: tuple[tuple[str, str], ...]
    listed: bool
    view: View
    methods: tuple[str, ...]
    waiting: Waiting | None = None
    grave: Grave | None = None

    def open_to(self, who: Who | None) -> bool:
        """Pages without roles are the public's."""
        return not self.roles or (who is not None and who.role in self.roles)


@dataclass
class Room:
    """What one capability shows: `station = Room("station", _l("鉴定所"))`, then `@station.page(…)`."""

    name: str
    title: Any
    pages: list[Page] = field(default_factory=list)

    def page(
        self,
        path: str,
        title: Any = "",
        *,
        roles: Collection[Role] = (),
        asks: Iterable[tuple[str, str]] = (),
        listed: bool = True,
        methods: Collection[str] = ("GET",),
        waiting: Waiting | None = None,
        grave: Grave | None = None,
    ) -> Callable[[View], View]:
        """Marks `view(desk, **parts of the path)`; it answers with rendered text or a response.

        `waiting` says what the first page counts as work to be done there. It must not be a sensitive read:
        whoever comes in has not looked at anything yet. What is `grave` is asked about before it is done.
        """

        def hang(view: View) -> View:
            name = f"{self.name}_{view.__name__}"
            page = Page(
                name, path, title, frozenset(roles), tuple(asks), listed, view, tuple(methods), waiting, grave
            )
            self.pages.append(page)
            return view

        return hang

    def action(
        self, path: str, *, roles: Collection[Role], grave: Grave | None = None
    ) -> Callable[[View], View]:
        """Something that a button does; in no menu, and by POST only."""
        return self.page(path, roles=roles, listed=False, methods=("POST",), grave=grave)


def hang(rooms: Iterable[Room], blueprint: Blueprint, desk: Callable[[], Desk]) -> None:
    """Makes routes of all pages."""
    for room in rooms:
        for page in room.pages:
            blueprint.add_url_rule(
                page.path, endpoint=page.name, view_func=_guarded(page, desk), methods=list(page.methods)
            )


def _guarded(page: Page, desk: Callable[[], Desk]) -> View:
    @wraps(page.view)
    def view(**parts: Any) -> Any:
        asking = desk()
        if page.open_to(asking.who):
            grave = page.grave(**parts) if page.grave and sure.unsure() else ""
            return sure.ask(grave) if grave else page.view(asking, **parts)
        return _to_login() if asking.who is None else abort(403)

    return view


def _to_login() -> Response:
    """htmx would put the login page into a corner of the present one; it is told to go there instead."""
    back = request.full_path.rstrip("?") if request.method == "GET" else url_for("console.door_home")
    target = url_for("console.door_login", next=back)
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": target})
    return redirect(target, 303)


@dataclass(frozen=True)
class Entry:
    """One line of the menu."""

    title: Any
    url: str
    here: bool


def menu(rooms: Iterable[Room], who: Who | None) -> list[tuple[Any, list[Entry]]]:
    """[(room's title, its entries)] of what this person may open."""
    found = []
    for room in rooms:
        pages = [page for page in room.pages if page.listed and page.open_to(who)]
        if pages:
            found.append((room.title, [_entry(page) for page in pages]))
    return found


@dataclass(frozen=True)
class Task:
    """Work that waits on a page: "12", or "50+" where there is more than a list shows."""

    title: Any
    url: str
    count: str


def worklist(rooms: Iterable[Room], desk: Desk) -> list[Task]:
    """What waits for whoever has come in, by pages; those where nothing waits stand there with 0."""
    found = []
    for page in (page for room in rooms for page in room.pages):
        if page.waiting is not None and page.open_to(desk.who):
            try:
                rows = page.waiting(desk)
            except (Refused, NoAnswer):
                continue
            if rows is not None:
                count = str(len(rows)) if len(rows) <= PAGE else f"{PAGE}+"
                found.append(Task(page.title, url_for(f"console.{page.name}"), count))
    return found


def _entry(page: Page) -> Entry:
    return Entry(page.title, url_for(f"console.{page.name}"), request.path == page.path)
