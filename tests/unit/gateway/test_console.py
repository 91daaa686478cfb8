"""The console's frame: who sees which page, in which language, and what a page may do."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from services.gateway import console
from services.gateway.console import assets, words
from services.gateway.console.frame import Page
from services.gateway.console.language import catalogue
from services.gateway.console.pages import ROOMS
from services.gateway.console.parts import charts
from shared.kernel.actors import Role
from shared.kernel.events import Event
from shared.runtime.manual import manual
from shared.testing import golden

HERE = Path(console.__file__).parent
PAGES = [page for room in ROOMS for page in room.pages]
PEOPLE = frozenset(Role) - {Role.SERVICE}
EVENTS = [event for spoken in golden.languages() for event in spoken.events.values()]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@each_page
def test_whoever_may_open_a_page_may_ask_what_it_asks(page: Page) -> None:
    for service, method in page.asks:
        rights = next(each.roles for each in manual(service) if each.name == method)
        assert page.roles <= {Role(role) for role in rights}


@each_page
def test_a_page_in_the_menu_says_what_it_asks(page: Page) -> None:
    if page.listed and page.roles and page.roles != PEOPLE:
        assert page.asks


@each_page
def test_what_changes_something_is_never_done_by_a_link(page: Page) -> None:
    assert page.listed or "POST" in page.methods or "GET" in page.methods
    if page.methods == ("POST",):
        assert not page.listed


def test_every_role_has_something_to_do() -> None:
    without = {Role.TRAINER, Role.SCORE_REGISTRAR}  # their commands have no page yet
    seen = {role for page in PAGES if page.listed and page.roles != PEOPLE for role in page.roles}
    assert seen == PEOPLE - without


def _messages() -> Iterator[str]:
    methods = [("**.py", "python"), ("templates/**.html", "jinja2")]
    keywords = {"_": None, "_l": None, "gettext": None}
    for found in extract_from_dir(HERE, methods, keywords=keywords):
        message = found[2]
        yield message if isinstance(message, str) else message[0]


def test_everything_that_the_console_says_has_an_english_translation() -> None:
    english = catalogue("en")
    said = set(_messages())
    assert len(said) > 200
    assert [each for each in sorted(said) if english.gettext(each) == each] == []


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{event.service}.{event.wire_name}")
def test_every_event_and_each_of_its_fields_has_a_chinese_name(event: type[Event]) -> None:
    assert event.wire_name in words.EVENTS
    assert [name for name in event.names if name not in words.FIELDS] == []


@pytest.mark.parametrize("path", sorted(HERE.glob("templates/**/*.html")), ids=lambda path: path.name)
def test_a_template_has_no_script_and_no_style_of_its_own(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", text)


def test_files_of_others_come_from_their_wheel() -> None:
    assert (assets.content("htmx.js") or b"").startswith(b"var htmx")
    assert assets.content("../__init__.py") is None


def test_bars_keep_their_proportions_and_are_told_in_words() -> None:
    chart = charts.bars("scores", [("55", 2, "bad"), ("60", 4, "good")], mark=(1, "60"))
    low, high = chart.bars
    assert high.height == pytest.approx(2 * low.height)
    assert chart.told == "55: 2; 60: 4"
    assert low.x + low.width < chart.marks[0][0] < high.x


def test_a_line_of_nothing_is_flat_and_empty_charts_have_no_line() -> None:
    assert charts.line("pace", []).line == ""
    heights = {point.split(",")[1] for point in charts.line("pace", [("a", 0), ("b", 0)]).line.split()}
    assert len(heights) == 1
