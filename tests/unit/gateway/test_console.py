"""The console's frame: who sees which page, in which language, and what a page may do."""

import re
import time
from collections.abc import Callable, Iterator
from inspect import getsource
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from flask.testing import FlaskClient
from marshmallow import validate

from services.gateway import console, feed
from services.gateway.app import make_app
from services.gateway.backend import Backend, NoAnswer
from services.gateway.console import assets, words
from services.gateway.console.frame import Page
from services.gateway.console.language import catalogue
from services.gateway.console.pages import ROOMS
from services.gateway.console.parts import charts
from services.registration.domain import identity, person
from shared.bus.calls import Refused
from shared.contracts import SERVICES, SOURCES
from shared.kernel.actors import Actor, Role
from shared.kernel.events import Event
from shared.kernel.ids import new_id
from shared.runtime.definition import service_class
from shared.runtime.manual import manual, schema
from shared.runtime.settings import settings
from shared.testing import golden
from tests.unit.gateway.conftest import Services

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
    seen = {role for page in PAGES if page.listed and page.roles != PEOPLE for role in page.roles}
    assert seen == PEOPLE


def test_every_command_that_people_may_give_is_given_by_a_page() -> None:
    given = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("pages/*.py"))
    commands = [
        method.name
        for service in SERVICES
        for method in manual(service)
        if method.kind == "command" and PEOPLE & {Role(role) for role in method.roles}
    ]
    assert len(commands) > 20
    assert [name for name in commands if f'"{name}"' not in given] == []


# what no page asks, and why
NO_PAGE = {
    **{(service, "events_after"): "a log for whoever follows it: /live for people" for service in SOURCES},
    ("audit", "entries"): "the log as sealed, for whoever checks it himself; people read trails",
    ("audit", "checkpoint"): "what a witness or a verifier is given; people read /witnesses",
    ("audit", "verify"): "at once and to the end, for programs; people begin a check and watch it",
    ("certification", "certificate"): "one number, for programs; people have the register and /check",
    ("scheduling", "batches"): "from the oldest on, for programs; people want the latest",
    ("scoring", "sheets"): "an examiner's in one batch, for programs; people have a desk",
}


def test_every_question_that_people_may_ask_is_asked_by_a_page() -> None:
    asked = "".join(path.read_text(encoding="utf-8") for path in HERE.rglob("*.py"))
    unasked = {
        (service, method.name)
        for service in SERVICES
        for method in manual(service)
        if method.kind in ("question", "errand")
        and PEOPLE & {Role(role) for role in method.roles}
        and not re.search(rf'("{service}"|service|each),\s*"{method.name}"', asked)
    }
    assert unasked == set(NO_PAGE)


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


def test_every_kind_of_document_has_a_chinese_name() -> None:
    assert tuple(words.DOCUMENTS) == identity.DOCUMENTS


@pytest.mark.parametrize("service", SERVICES)
def test_every_field_that_a_refusal_may_name_has_a_chinese_name(service: str) -> None:
    fields = {field.name for method in manual(service) for field in method.fields}
    assert [name for name in sorted(fields) if name not in words.FIELDS] == []


def test_every_ground_to_erase_somebody_has_a_chinese_name() -> None:
    assert tuple(words.GROUNDS) == person.GROUNDS


@pytest.mark.parametrize("name", ["kind", "education", "document"])
def test_every_choice_of_an_application_has_a_chinese_name(name: str) -> None:
    schemas = (schema("registration", "submit_application"), schema("registration", "enrol_person"))
    field = next(each._declared_fields[name] for each in schemas if name in each._declared_fields)
    (choices,) = (each.choices for each in field.validators if isinstance(each, validate.OneOf))
    assert set(words.SAID[name]) == set(choices)


@pytest.mark.parametrize("path", sorted(HERE.glob("templates/**/*.html")), ids=lambda path: path.name)
def test_a_template_has_no_script_and_no_style_of_its_own(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", text)


def test_files_of_others_come_from_their_wheel() -> None:
    assert (assets.content("htmx.js") or b"").startswith(b"var htmx")
    assert b'defineExtension("sse"' in (assets.content("sse.js") or b"")
    assert assets.content("../__init__.py") is None


# -- the first page


@pytest.fixture
def logged_in(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Role], FlaskClient]:
    """`logged_in(role)` -> a browser in which somebody of that role is."""
    monkeypatch.setenv("JIANDING_VAR", str(tmp_path))

    def come(role: Role) -> FlaskClient:
        body = "centre" if role in (Role.SUPERVISOR, Role.CENTRE_REVIEWER) else "station-10012003"
        somebody = Actor(f"{role}-1", role, body)
        client = make_app(Backend(services.ask), settings(), lambda _token: somebody).test_client()
        with client.session_transaction() as session:
            session["tokens"] = {"access": "a token", "refresh": ""}
            session["shown"] = {"name": "", "appointments": [], "until": time.time() + 900}
        return client

    return come


@pytest.mark.parametrize(("rows", "count"), [(0, "0"), (2, "2"), (50, "50"), (51, "50+")])
def test_the_first_page_counts_what_waits_for_whoever_comes(
    services: Services, logged_in: Callable[[Role], FlaskClient], rows: int, count: str
) -> None:
    services.answer = [{}] * rows
    page = logged_in(Role.CENTRE_REVIEWER).get("/").text
    assert re.findall(r'href="(\S+)"><strong[^>]*>([^<]+)<', page) == [("/centre/reviews", count)]
    asked = [(service, method, message) for service, method, message, _ in services.calls]
    assert asked == [("registration", "applications", {"status": "station_passed", "limit": 51})]


def test_what_the_first_page_asks_is_no_sensitive_read_and_allowed(
    services: Services, logged_in: Callable[[Role], FlaskClient]
) -> None:
    services.answer = []
    asking = set()
    for role in PEOPLE:
        services.calls.clear()
        assert logged_in(role).get("/").status_code == 200
        for service, method, _, _ in services.calls:
            asking.add(role)
            assert role in next(each.roles for each in manual(service) if each.name == method)
            assert "sensitive=True" not in getsource(getattr(service_class(service), method))
    assert len(asking) >= 6


def test_a_refused_count_is_left_out(services: Services, logged_in: Callable[[Role], FlaskClient]) -> None:
    services.answer = Refused({"code": "role", "field": "", "rule": "R185", "zh": "", "en": ""})
    assert "<strong" not in logged_in(Role.CENTRE_REVIEWER).get("/").text


# -- supervision


def test_a_moment_that_is_none_is_left_to_audit_to_refuse(
    services: Services, logged_in: Callable[[Role], FlaskClient]
) -> None:
    """To show the present instead would mislead whoever reads a trail as evidence."""
    services.answer = []
    logged_in(Role.SUPERVISOR).get("/trail?kind=batch&id=b&as_of=2026-04-16T09:30&since=yesterday")
    asked = next(message for _, method, message, _ in services.calls if method == "trail")
    assert (asked["as_of"], asked["since"]) == ("2026-04-16T01:30:00.000000Z", "yesterday")


def test_pass_rates_of_a_station_stand_in_the_order_of_their_days(
    services: Services, logged_in: Callable[[Role], FlaskClient]
) -> None:
    days = ["2026-04-16", "2026-03-02", "2026-03-12"]
    batches = [
        {"batch": f"b-{day}", "theory_at": f"{day}T01:00:00.000000Z", "occupation": "", "levels": []}
        for day in days
    ]
    rates = [{"batch": each["batch"], "published": 10, "passed": 5} for each in batches]
    services.tell = lambda _service, method, _message: rates if method == "statistics_of" else batches
    page = logged_in(Role.SUPERVISOR).get("/centre/stations/10012003").text
    assert re.findall(r">(0[0-9]-[0-9]{2})<", page.partition("</svg>")[0]) == ["03-02", "03-12", "04-16"]


# -- what is pressed


def test_a_command_from_a_page_is_counted_under_its_own_name_with_what_came_of_it(
    services: Services, logged_in: Callable[[Role], FlaskClient]
) -> None:
    problem = {"code": "RoleNotAllowed", "field": "", "rule": "R185", "zh": "", "en": ""}

    def tell(service: str, method: str, _message: dict[str, Any]) -> Any:
        answers = {"pass_centre_review": Refused(problem), "application": {}, "applications": []}
        return answers.get(method, NoAnswer(service))

    services.tell = tell
    client = logged_in(Role.CENTRE_REVIEWER)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/centre/reviews").text)
    assert token
    data = {"csrf_token": token[1], "command_id": new_id()}
    assert client.post(f"/centre/reviews/{new_id()}/pass", data=data).status_code == 303
    counted = 'jianding_commands_total{command="pass_centre_review",service="registration",status="403"} 1.0'
    assert counted in client.get("/metrics").text


def test_what_was_typed_beside_a_refused_button_is_shown_to_be_mended(
    services: Services, logged_in: Callable[[Role], FlaskClient]
) -> None:
    problem = {"code": "InvalidInput", "field": "rooms", "rule": "R066", "zh": "考场过多。", "en": ""}
    services.tell = lambda _service, _method, message: Refused(problem) if "rooms" in message else []
    client = logged_in(Role.EXAM_AFFAIRS)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/").text)
    assert token
    data = {"csrf_token": token[1], "command_id": (id := new_id()), "subject": "", "typed": "rooms"}
    way = f"/station/batches/{new_id()}/seat?from=2"
    page = client.post(way, data={**data, "rooms": "一号 <考场>\n二号考场", "kept": "7"})
    assert page.status_code == 422
    assert "考场过多。" in page.text
    assert f'action="{way}"' in page.text
    assert ">一号 &lt;考场&gt;\n二号考场</textarea>" in page.text
    assert f'name="command_id" value="{id}"' in page.text
    assert 'name="kept" value="7"' in page.text


# -- the live page


@pytest.fixture
def supervisor(logged_in: Callable[[Role], FlaskClient], monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A browser in which a supervisor is logged in."""
    monkeypatch.setattr(feed, "_PAUSE", 0.001)
    return logged_in(Role.SUPERVISOR)


def _step(index: int) -> dict[str, Any]:
    at = "2026-04-16T01:30:00.000000Z"
    words_of_it = dict.fromkeys(("actor", "id", "causation", "correlation", "command"), f"of-{index}")
    return {
        "index": index, "position": index, "type": "BatchApplied", "role": "supervisor", "body": "centre",
        "source": "/jianding/scheduling", "time": at, "recorded": at, "received": at, "device": "",
        "data": {"level": 4}, "before": None, "after": None, "evidence": {}, **words_of_it,
    }  # fmt: skip


def _log(size: int) -> Callable[[str, str, dict[str, Any]], Any]:
    def tell(_service: str, method: str, message: dict[str, Any]) -> Any:
        if method == "head":
            return {"size": size}
        first = max(message["after"] + 1, size - message["limit"])
        return [_step(index) for index in range(first, size)][::-1]

    return tell


def test_a_live_page_goes_on_where_its_browser_was_cut_off(
    services: Services, supervisor: FlaskClient
) -> None:
    services.tell = _log(8)
    said = supervisor.get("/live/stream?after=2", headers={"Last-Event-ID": "5"})
    assert said.content_type.startswith("text/event-stream")
    chunks = list(islice((chunk.decode() for chunk in said.response), 3))  # type: ignore[union-attr]
    said.close()
    heads = [chunk.split("data:", 1)[0] for chunk in chunks]
    assert heads == ["retry: 2000\n\n", "id: 6\nevent: step\n", "id: 7\nevent: step\n"]
    assert 'id="event-6"' in chunks[1]
    assert "2026-04-16 09:30:00" in chunks[1]


def test_what_a_live_page_leaves_out_after_a_long_break_is_counted(
    services: Services, supervisor: FlaskClient
) -> None:
    services.tell = _log(1_000)
    said = supervisor.get("/live/stream?after=9")
    chunks = list(islice((chunk.decode() for chunk in said.response), 3))  # type: ignore[union-attr]
    said.close()
    assert chunks[1].startswith("id: 799\n")
    assert "790" in chunks[1]
    assert 'id="event-800"' in chunks[2]


def test_a_live_stream_is_for_supervisors(client: FlaskClient) -> None:
    assert client.get("/live/stream").status_code == 303


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
