"""What pages ask services, and what they show of the answers."""

import re
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import eventlet
import pytest
import segno
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.gateway.app import make_app
from services.gateway.backend import Backend
from shared.bus.calls import NoAnswer, Refused
from shared.contracts import SERVICES
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.runtime.settings import settings
from tests.unit.gateway.conftest import Services

STATION = "10012003"
AT = "2026-04-16T01:30:00.000000Z"
# the same in every process that collects these tests: some are named by them
HU, BATCH, BEFORE = (derived_id("pages", name) for name in ("Hu", "batch", "before"))
PHOTO = b"\xff\xd8 a picture of nobody"
REFUSED = {"field": "candidate", "rule": "R036", "zh": "已有申请。", "en": "One is open."}
ALREADY_OPEN = Refused({"code": "ApplicationAlreadyOpen", **REFUSED})
Answers = dict[tuple[str, str], Any]


class Page:
    """A browser in which somebody is signed in; services answer as `answers` say, or with nothing."""

    def __init__(self, client: FlaskClient, services: Services) -> None:
        self._client, self._services = client, services
        self.app = client.application
        self.answers: Answers = {}
        services.tell = self._tell

    def _tell(self, service: str, method: str, message: dict[str, Any]) -> Any:
        found = self.answers.get((service, method))
        return found(message) if callable(found) else found

    def sign_in(self, role: Role, body: str = f"station-{STATION}") -> None:
        with self._client.session_transaction() as session:
            session["tokens"] = {"access": f"{role}@{body}", "refresh": ""}
            session["shown"] = {"name": "", "appointments": [], "until": time.time() + 900}

    def open(self, path: str) -> TestResponse:
        return self._client.get(path)

    def post(self, path: str, fields: dict[str, Any]) -> TestResponse:
        return self._client.post(path, data=fields)

    def send(self, path: str, first: str = "", **fields: Any) -> TestResponse:
        """A form as a browser sends it, with what is hidden on the page where it stands."""
        return self.post(path, {**hidden(self.open(first or path)), **fields})

    def longest_wait(self) -> float:
        return self._services.longest

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [message for _, name, message, _ in self._services.calls if name == method]


def hidden(page: TestResponse) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return {name: value for name, value in found if name in ("csrf_token", "command_id", "subject")}


def _verify(token: str) -> Actor:
    role, _, body = token.partition("@")
    return Actor(f"{role}-1", Role(role), body)


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Services]]:
    """One for all: nothing is kept in it but what a browser brings."""
    services = Services()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JIANDING_VAR", str(tmp_path_factory.mktemp("pages")))
        yield make_app(Backend(services.ask), settings(), _verify), services


@pytest.fixture
def page(application: tuple[Flask, Services]) -> Page:
    app, services = application
    services.calls.clear()
    services.longest = 0
    return Page(app.test_client(), services)


# -- whoever is enrolled applies again


def batch(**more: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("planned", "enrolled", "seated", "checked_in", "absent", "drawn"), 0)
    told = {
        "batch": BATCH, "station": STATION, "occupation": "焊工", "catalogue": "1999", "levels": [4, 3],
        "theory_at": AT, "practical_at": AT, "stage": "applied", "notice": "", **counts,
    }  # fmt: skip
    return {**told, **more}


def application_of(**more: Any) -> dict[str, Any]:
    told = {
        "application": BEFORE, "candidate": HU, "batch": BATCH, "station": STATION, "occupation": "焊工",
        "level": 4, "status": "concluded", "ticket": "", "outcome": "failed", "kind": "society",
        "education": "college", "held_level": 5, "years_in_trade": 23, "evidence": ["e" * 64], "clause": "",
        "reason": "", "room": "", "seat": None, "theory_at": "", "practical_at": "",
        "station_reviewer": "", "centre_reviewer": "",
    }  # fmt: skip
    return {**told, **more}


@pytest.fixture
def clerk(page: Page) -> Page:
    page.sign_in(Role.EXAM_AFFAIRS)
    page.answers = {
        ("scheduling", "latest_batches"): [batch()],
        ("registration", "enrolled_as"): [],
        ("registration", "application"): application_of(),
    }
    return page


def typed(**more: Any) -> dict[str, Any]:
    return {
        "batch": BATCH, "name": "虚构某某", "document": "passport", "number": "E1234567", "level": "3",
        "kind": "society", "education": "college", "held_level": "4", "years_in_trade": "7",
        "photo": (BytesIO(PHOTO), "photo.jpg"), **more,
    }  # fmt: skip


NEW = "/station/applications/new"


def test_whoever_is_new_is_enrolled_with_his_kind_of_document_and_applies(clerk: Page) -> None:
    assert clerk.send(NEW, **typed()).status_code == 303
    (enrolled,), (submitted,) = clerk.asked("enrol_person"), clerk.asked("submit_application")
    assert (enrolled["document"], enrolled["number"]) == ("passport", "E1234567")
    assert submitted["candidate"] == enrolled["candidate"]


def test_whoever_is_enrolled_is_known_by_his_document_and_not_enrolled_again(clerk: Page) -> None:
    clerk.answers["registration", "enrolled_as"] = [{"candidate": HU}]
    assert clerk.send(NEW, **typed()).status_code == 303
    assert clerk.asked("enrolled_as") == [{"document": "passport", "number": "E1234567", "name": "虚构某某"}]
    assert clerk.asked("enrol_person") == []
    assert [each["candidate"] for each in clerk.asked("submit_application")] == [HU]


def test_a_refused_application_keeps_what_was_typed_and_enrols_nobody_twice(clerk: Page) -> None:
    enrolled: list[dict[str, Any]] = []

    def enrol(message: dict[str, Any]) -> None:
        enrolled.append({"candidate": message["candidate"]})

    clerk.answers["registration", "enrol_person"] = enrol
    clerk.answers["registration", "enrolled_as"] = lambda _message: enrolled
    clerk.answers["registration", "submit_application"] = ALREADY_OPEN
    refused = clerk.send(NEW, **typed())
    assert refused.status_code == 422
    assert "R036" in refused.text
    for value in ("虚构某某", "E1234567"):
        assert f'value="{value}"' in refused.text
    for option in ("passport", "society", "college", "3"):
        assert f'<option value="{option}" selected>' in refused.text
    clerk.answers["registration", "submit_application"] = None
    # another photo, chosen anew: the person is the one whom the first press enrolled
    again = {**hidden(refused), **typed(photo=(BytesIO(PHOTO + b"2"), "photo.jpg"))}
    assert clerk.post(NEW, again).status_code == 303
    assert len(enrolled) == 1
    assert {each["candidate"] for each in clerk.asked("submit_application")} == {enrolled[0]["candidate"]}


@pytest.mark.parametrize(("outcome", "level", "held"), [("failed", "4", "0"), ("passed", "3", "4")])
def test_a_person_applies_again_from_an_earlier_application(
    clerk: Page, outcome: str, level: str, held: str
) -> None:
    """After a failed exam for the same level, after a passed one for the next."""
    clerk.answers["registration", "application"] = application_of(outcome=outcome)
    of_before = f"/station/applications/{BEFORE}"
    assert f'href="{of_before}/again"' in clerk.open(of_before).text
    form = clerk.open(f"{of_before}/again").text
    assert f'<option value="{level}" selected>' in form
    assert f'<option value="{BATCH}" selected>' in form
    assert re.search(rf'name="held_level"[^>]*value="{held}"', form)
    assert 'name="number"' not in form
    assert clerk.send(f"{of_before}/again", **typed()).status_code == 303
    assert clerk.asked("enrol_person") == clerk.asked("enrolled_as") == []
    assert [each["candidate"] for each in clerk.asked("submit_application")] == [HU]


def test_only_a_clerk_who_enters_applications_is_offered_another_one(page: Page) -> None:
    page.sign_in(Role.STATION_REVIEWER)
    page.answers["registration", "application"] = application_of()
    assert "/again" not in page.open(f"/station/applications/{BEFORE}").text
    assert page.open(f"/station/applications/{BEFORE}/again").status_code == 403


# -- what is decided by, and who stands behind it


@pytest.mark.parametrize(
    ("role", "body", "status", "list_"),
    [
        (Role.STATION_REVIEWER, f"station-{STATION}", "submitted", "/station/applications"),
        (Role.CENTRE_REVIEWER, "centre", "station_passed", "/centre/reviews"),
    ],
)
def test_a_reviewer_sees_what_he_decides_by(
    page: Page, role: Role, body: str, status: str, list_: str
) -> None:
    page.sign_in(role, body)
    found = application_of(status=status)
    page.answers = {
        ("registration", "application"): found,
        ("registration", "applications"): [found],
        ("scheduling", "latest_batches"): [],
    }
    for shown in (page.open(f"/station/applications/{BEFORE}").text, page.open(list_).text):
        for said in ("社会人员", "大专及以上", ">23<"):
            assert said in shown
    assert page.asked("identity") == []


def test_why_an_application_was_rejected_stands_in_the_list_and_before_the_candidate(page: Page) -> None:
    rejected = application_of(status="rejected", outcome="", reason="工龄证明缺一年", station_reviewer=HU)
    page.answers = {
        ("registration", "application"): rejected,
        ("registration", "applications"): [rejected],
        ("registration", "own_applications"): [rejected],
        ("scheduling", "latest_batches"): [],
        ("scoring", "own_results"): [],
        ("certification", "own_certificates"): [],
    }
    page.sign_in(Role.EXAM_AFFAIRS)
    one = page.open(f"/station/applications/{BEFORE}").text
    assert "初审人" in one
    shown = [one, page.open("/station/applications").text]
    page.sign_in(Role.CANDIDATE, "centre")
    assert all("工龄证明缺一年" in text for text in (*shown, page.open("/own").text))


def test_a_candidate_sees_where_and_when_he_sits(page: Page) -> None:
    told = application_of(
        status="ticketed", room="二号考场", seat=17, theory_at=AT, practical_at=AT, ticket="T" * 16
    )
    page.answers = {
        ("registration", "own_applications"): [told],
        ("scoring", "own_results"): [],
        ("certification", "own_certificates"): [],
    }
    page.sign_in(Role.CANDIDATE, "centre")
    shown = page.open("/own").text
    for said in ("二号考场", ">17<", "2026-04-16 09:30"):
        assert said in shown


IDENTITY = {"name": "虚构某某", "document": "passport", "number": "E1234567", "photo": "iVBORw0KGgo="}


def test_who_stands_behind_an_application_is_asked_for_by_a_press_and_kept_nowhere(page: Page) -> None:
    page.sign_in(Role.STATION_REVIEWER)
    page.answers = {
        ("registration", "application"): application_of(status="submitted"),
        ("registration", "identity"): IDENTITY,
    }
    of_it = f"/station/applications/{BEFORE}"
    assert f'hx-post="/applications/{BEFORE}/identity"' in page.open(of_it).text
    assert page.asked("identity") == []
    assert page.open(f"/applications/{BEFORE}/identity").status_code == 405
    shown = page.send(f"/applications/{BEFORE}/identity", of_it)
    assert page.asked("identity") == [{"application": BEFORE}]
    assert shown.headers["Cache-Control"] == "no-store"
    for said in ("虚构某某", "护照", "E1234567", 'src="data:image/png;base64,iVBORw0KGgo="'):
        assert said in shown.text
    page.answers["registration", "identity"] = Refused({**REFUSED, "code": "NobodyToShow"})
    refused = page.send(f"/applications/{BEFORE}/identity", of_it)
    assert refused.status_code == 422
    assert "NobodyToShow" in refused.text


@pytest.mark.parametrize(("role", "body"), [(Role.STATION_DIRECTOR, STATION), (Role.SUPERVISOR, "")])
def test_whoever_has_nobody_to_compare_is_offered_no_look(page: Page, role: Role, body: str) -> None:
    page.sign_in(role, f"station-{body}" if body else "centre")
    page.answers["registration", "application"] = application_of()
    assert "/identity" not in page.open(f"/station/applications/{BEFORE}").text
    assert page.send(f"/applications/{BEFORE}/identity", "/login").status_code == 403


# -- examiners


def examiner(**more: Any) -> dict[str, Any]:
    return {"account": HU, "name_shown": "examiner-hu", "bodies": [f"station-{STATION}"], **more}


@pytest.fixture
def officer(page: Page) -> Page:
    page.sign_in(Role.CENTRE_OFFICER, "centre")
    page.answers = {
        ("registration", "examiners"): [examiner()],
        ("scheduling", "latest_assignments"): [batch(examiner=HU)],
        ("scheduling", "assignments"): [batch(parts=["theory", "practical"], head=True)],
        ("scheduling", "batch"): batch(stage="noticed"),
        ("scheduling", "panel"): [],
        ("registration", "roster"): [],
    }
    return page


def test_examiners_are_found_by_name_and_station_with_what_each_is_assigned_to(officer: Page) -> None:
    shown = officer.open(f"/centre/examiners?text=examiner-hu&station={STATION}").text
    (asked,) = officer.asked("examiners")
    assert (asked["text"], asked["station"]) == ("examiner-hu", STATION)
    assert officer.asked("latest_assignments") == [{"examiners": [HU]}]
    assert f'href="/centre/examiners/{HU}"' in shown
    assert f'href="/batches/{BATCH}"' in shown
    one = officer.open(f"/centre/examiners/{HU}").text
    assert "examiner-hu" in one
    assert f"鉴定所 {STATION}" in one
    assert "理论、实操" in one


def test_whoever_assigns_is_offered_the_examiners_there_are(officer: Page) -> None:
    assert f'<option value="{HU}">examiner-hu' in officer.open(f"/batches/{BATCH}").text


def test_only_a_supervisor_is_led_to_an_examiners_trail(officer: Page) -> None:
    trail = f'href="/trail?kind=examiner&amp;id={HU}"'
    assert trail not in officer.open(f"/centre/examiners/{HU}").text
    officer.sign_in(Role.SUPERVISOR, "centre")
    assert trail in officer.open(f"/centre/examiners/{HU}").text


# -- what cannot be undone


GRAVE = {
    ("registration", "withdraw_application"): (Role.EXAM_AFFAIRS, f"/station/applications/{BEFORE}/withdraw"),
    ("registration", "reject_at_station"): (
        Role.STATION_REVIEWER,
        f"/station/applications/{BEFORE}/review/reject",
    ),
    ("registration", "reject_at_centre"): (Role.CENTRE_REVIEWER, f"/centre/reviews/{BEFORE}/reject"),
    ("registration", "erase_person"): (Role.CENTRE_OFFICER, "/centre/erasure"),
    ("registration", "end_appointment"): (Role.ADMINISTRATOR, f"/accounts/{HU}/end"),
    ("registration", "close_account"): (Role.ADMINISTRATOR, f"/accounts/{HU}/close"),
    ("scheduling", "close_batch"): (Role.CENTRE_OFFICER, f"/centre/batches/{BATCH}/close"),
    ("scheduling", "skip_parked"): (Role.ADMINISTRATOR, "/parked/scheduling/board/centre~scoring/7/skip"),
}
TOLD = {"reason": "材料不全", "why": "重复", "ground": "consent_withdrawn", "candidate": HU}


def whoever(page: Page, role: Role) -> None:
    at_station = role in (Role.EXAM_AFFAIRS, Role.STATION_REVIEWER)
    page.sign_in(role, f"station-{STATION}" if at_station else "centre")
    changing = iter(range(1_000_000))  # what waits for a change sees one
    page.answers = {
        ("registration", "application"): lambda _: application_of(level=next(changing)),
        ("registration", "list_accounts"): lambda _: [{"account": HU, "appointments": [next(changing)]}],
        ("scheduling", "batch"): lambda _: batch(planned=next(changing)),
    }


@pytest.mark.parametrize("command", GRAVE, ids=lambda command: command[1])
def test_what_cannot_be_undone_is_asked_about_first(page: Page, command: tuple[str, str]) -> None:
    role, path = GRAVE[command]
    whoever(page, role)
    sent = {**hidden(page.open("/password")), "appointment": f"examiner@station-{STATION}", **TOLD}
    question = page.post(path, sent)
    assert question.status_code == 200
    assert page.asked(command[1]) == []
    for said in ("材料不全", "个人撤回同意", f"考评员 · 鉴定所 {STATION}", "不能撤销"):
        assert said in question.text
    assert re.search(r"<a [^>]*autofocus", question.text), "Enter pressed twice does not do it"
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', question.text))
    assert page.post(path, fields).status_code == 303
    (done,) = page.asked(command[1])
    assert done.get("command_id", sent["command_id"]) == sent["command_id"]


def test_passing_an_application_is_not_asked_about(page: Page) -> None:
    whoever(page, Role.STATION_REVIEWER)
    sent = hidden(page.open("/password"))
    assert page.post(f"/station/applications/{BEFORE}/review/pass", sent).status_code == 303
    assert len(page.asked("pass_station_review")) == 1


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", ""]
)
@pytest.mark.parametrize(
    ("role", "path"),
    [
        (Role.STATION_REVIEWER, f"/station/applications/{BEFORE}/review/pass"),
        (Role.CENTRE_REVIEWER, f"/centre/reviews/{BEFORE}/pass"),
    ],
)
def test_nobody_is_led_elsewhere_by_what_a_form_says(page: Page, role: Role, path: str, back: str) -> None:
    whoever(page, role)
    answer = page.post(path, {**hidden(page.open("/password")), "back": back})
    assert answer.status_code == 303
    assert answer.location == ("/" if back else f"/station/applications/{BEFORE}")
    inside = page.post(path, {**hidden(page.open("/password")), "back": "/centre/reviews?after=x"})
    assert inside.location == "/centre/reviews?after=x"


# -- the operator, while a service is down


@pytest.fixture
def operator(page: Page) -> Page:
    """Services answer only once all of them have been asked; scoring never does."""
    page.sign_in(Role.ADMINISTRATOR, "centre")
    asked = set[tuple[str, str]]()

    def at_once(service: str, method: str, answer: Any) -> Callable[[dict[str, Any]], Any]:
        def tell(_message: dict[str, Any]) -> Any:
            asked.add((service, method))
            with eventlet.Timeout(5, AssertionError("they are asked one after another")):
                while any((each, method) not in asked for each in SERVICES):
                    eventlet.sleep(0)
            return NoAnswer("it is down") if service == "scoring" else answer

        return tell

    log = {"head": 7, "unsealed": None, "unpublished": None}
    standing = {"log": log, "rejected": None, "consumers": []}
    parked_at = "2026-04-16 01:30:00.123456+00"
    event = {
        "consumer": "board", "source": "/centre/scoring", "position": 7, "stream": "batch-1",
        "type": "BatchApplied", "reason": "KeyError", "status": "skipped", "repair": "ops: twice",
        "parked_at": parked_at,
    }  # fmt: skip
    body = {"id": 3, "origin": "scoring.events", "reason": "no JSON", "received_at": parked_at, "bytes": 12}
    building = {"projection": "board", "live": 1, "building": 2}
    answers = {"standing": standing, "parked": [event], "rejected": [body], "projections": [building]}
    page.answers = {
        (service, method): at_once(service, method, answer)
        for service in SERVICES
        for method, answer in answers.items()
    }
    return page


def test_a_service_that_is_down_is_shown_as_down_and_the_others_as_they_are(operator: Page) -> None:
    shown = operator.open("/operating")
    assert shown.status_code == 200
    assert shown.text.count("无响应") == 1
    assert shown.text.count("运行中") == len(SERVICES) - 1
    assert operator.longest_wait() <= 3


@pytest.mark.parametrize("path", ["/parked", "/parked?all=yes", "/parked/rejected", "/projections"])
def test_what_an_operator_mends_is_listed_without_whoever_is_down(operator: Page, path: str) -> None:
    shown = operator.open(path)
    assert shown.status_code == 200
    assert "未应答的服务：评分" in shown.text
    assert shown.text.count('<tr id="row-') == len(SERVICES) - 1
    assert operator.longest_wait() <= 3
    if path != "/projections":
        assert "2026-04-16 09:30</time>" in shown.text, "in the time of Shanghai"


def test_what_was_skipped_is_shown_on_request_with_who_and_why(operator: Page) -> None:
    assert "ops: twice" not in operator.open("/parked").text
    shown = operator.open("/parked?all=yes").text
    assert "ops: twice" in shown
    assert "/replay" not in shown
    assert operator.asked("parked")[-1] == {"everything": True}


# -- the hall


def sitting(**more: Any) -> dict[str, Any]:
    told = {
        "application": BEFORE, "candidate": HU, "batch": BATCH, "level": 4, "room": "一号考场", "seat": 7,
        "ticket": "TCKT222222222222", "status": "ticketed", "paper": "",
    }  # fmt: skip
    return {**told, **more}


def test_a_hall_shows_which_paper_was_drawn_and_asks_for_one_sitting_until_it_is(page: Page) -> None:
    """Its id alone: what it asks stands nowhere (R081)."""
    now = sitting(status="checked_in")

    def draw(_message: dict[str, Any]) -> None:
        now.update(status="drawn", paper=HU)

    page.sign_in(Role.INVIGILATOR)
    page.answers = {
        ("scheduling", "sittings"): lambda _message: [dict(now)],
        ("scheduling", "sitting"): lambda _message: dict(now),
        ("scheduling", "draw_paper"): draw,
    }
    hall = f"/day/{BATCH}"
    form = {**hidden(page.open(hall)), "batch": BATCH, "room": "一号考场"}
    assert page.post(f"/day/sittings/{BEFORE}/draw", form).status_code == 303
    assert page.asked("sitting") == [{"sitting": BEFORE}] * 2
    assert len(page.asked("sittings")) == 1
    assert f'title="{HU}">…{HU[-8:]}<' in page.open(hall).text


def test_a_hall_asks_for_one_person_at_a_time(page: Page) -> None:
    page.sign_in(Role.INVIGILATOR)
    there = [sitting(), sitting(application=HU, seat=8, status="absent")]
    page.answers = {("scheduling", "sittings"): there, ("registration", "identity"): IDENTITY}
    hall = page.open(f"/day/{BATCH}")
    assert re.findall(r'hx-post="([^"]+)"', hall.text) == [f"/applications/{BEFORE}/identity"]
    assert page.asked("identity") == []
    shown = page.post(f"/applications/{BEFORE}/identity", {**hidden(hall), "about": "座位 7"})
    assert "座位 7" in shown.text
    assert page.asked("identity") == [{"application": BEFORE}]


# -- what is confirmed


def result_of(**more: Any) -> dict[str, Any]:
    told = {
        "application": BEFORE, "candidate": HU, "batch": BATCH, "station": STATION, "theory": 71,
        "practical": 64, "passed": True, "rule": "both-60-v1", "status": "combined",
    }  # fmt: skip
    return {**told, **more}


MARK = {
    "sheet": "B-7H2K9QXW4M-practical", "blind_code": "B-7H2K9QXW4M", "part": "practical", "paper": HU,
    "panel": [HU, BATCH, BEFORE], "examiner": HU, "score": 64, "sheet_digest": "d" * 64, "signed": False,
    "status": "corrected", "corrections": [{
        "proposed_at": AT, "old": 46, "new": 64, "reason": "加分漏记", "proposer": HU, "approver": BATCH,
    }],
}  # fmt: skip


def test_whoever_reviews_a_result_sees_its_sheets_and_whether_they_were_signed(page: Page) -> None:
    page.sign_in(Role.SCORE_REVIEWER, "centre")
    page.answers = {
        ("scoring", "results_in"): [result_of()],
        ("scoring", "result"): result_of(),
        ("scoring", "marks"): [MARK, {**MARK, "part": "theory", "signed": True, "corrections": []}],
    }
    of_it = f"/results/{BEFORE}"
    assert f'href="{of_it}"' in page.open("/results").text
    shown = page.open(of_it).text
    for said in ("B-7H2K9QXW4M", ">71<", ">64<", "加分漏记", ">46<", f'action="{of_it}/review"'):
        assert said in shown
    assert [re.search(r'"truth"[^>]*>(.)', row)[1] for row in shown.split("<tr id=")[1:3]] == ["否", "是"]
    assert page.asked("marks") == [{"application": BEFORE}]
    page.sign_in(Role.SCORE_REGISTRAR)
    assert f"{of_it}/review" not in page.open(of_it).text


@pytest.mark.parametrize(
    ("role", "view", "command", "before", "after"),
    [
        (Role.SCORE_REVIEWER, "review", "review_scores", "combined", "reviewed"),
        (Role.CENTRE_OFFICER, "publish", "publish_result", "reviewed", "published"),
    ],
)
def test_a_decision_about_a_result_is_waited_for_without_another_look_at_scores(
    page: Page, role: Role, view: str, command: str, before: str, after: str
) -> None:
    now = {"application": BEFORE, "status": before}
    seen: list[str] = []

    def status(_message: dict[str, Any]) -> dict[str, Any]:
        seen.append(now["status"])
        if len(seen) == 3:  # the list follows its log a moment later
            now["status"] = after
        return dict(now)

    page.sign_in(role, "centre")
    page.answers = {
        ("scoring", "results_in"): [result_of(status=before)],
        ("scoring", "result_status"): status,
    }
    assert page.send(f"/results/{BEFORE}/{view}", "/results").status_code == 303
    assert len(page.asked(command)) == 1
    assert len(page.asked("result_status")) == len(seen) == 3
    assert page.asked("result") == []


def test_an_approved_correction_and_a_withdrawn_application_are_waited_for(page: Page) -> None:
    waits = iter([True, False])
    page.sign_in(Role.SCORE_REVIEWER, "centre")
    page.answers = {
        ("scoring", "proposals"): [],
        ("scoring", "sheet"): lambda _message: {"correction_waits": next(waits)},
    }
    sheet = MARK["sheet"]
    form = {**hidden(page.open("/check")), "new": "64"}
    assert page.post(f"/corrections/{sheet}/approve", form).status_code == 303
    assert page.asked("sheet") == [{"sheet": sheet}] * 2
    states = iter(["submitted", "submitted", "withdrawn"])
    page.sign_in(Role.EXAM_AFFAIRS)
    page.answers = {("registration", "application"): lambda _message: application_of(status=next(states))}
    form = {**hidden(page.open("/check")), "reason": "考生要求", "sure": "yes"}
    assert page.post(f"/station/applications/{BEFORE}/withdraw", form).status_code == 303
    assert len(page.asked("application")) == 3


@pytest.mark.parametrize(
    ("links", "missing"),
    [
        (["registered", "ticketed", "checked_in", "drawn", "scored", "published"], "无，证据链完整"),
        (["registered", "ticketed", "checked_in", "scored", "published"], "抽题"),
    ],
)
def test_a_dossier_shows_which_links_of_its_chain_are_missing(
    page: Page, links: list[str], missing: str
) -> None:
    found = {
        **{name: result_of()[name] for name in ("application", "candidate", "batch", "station", "passed")},
        "occupation": "焊工", "catalogue": "1999", "level": 4, "links": links, "status": "open", "number": "",
    }  # fmt: skip
    page.sign_in(Role.CERTIFICATE_PROCESSOR, "centre")
    page.answers = {("certification", "waiting"): [found], ("certification", "dossier"): found}
    of_it = f"/certificates/{BEFORE}"
    assert f'href="{of_it}"' in page.open("/certificates/waiting").text
    shown = page.open(of_it).text
    assert re.search(r"缺失环节</dt><dd>([^<]+)<", shown)[1] == missing
    assert shown.count('class="reached"') == len(links)
    assert f'action="{of_it}/approve"' in shown


# -- a candidate's account


def test_a_candidate_logs_in_under_the_id_that_his_applications_have(page: Page) -> None:
    opened: list[dict[str, Any]] = []

    def open_(message: dict[str, Any]) -> None:
        opened.append({"account": message["account"], "open": True, "appointments": [], "name": ""})

    page.sign_in(Role.ADMINISTRATOR, "centre")
    page.answers = {
        ("registration", "open_account"): open_,
        ("registration", "list_accounts"): lambda _message: opened[-1:],
        ("registration", "own_applications"): lambda message: (
            [application_of()] if message["candidate"] == HU else []
        ),
    }
    asked = {"name": "kaosheng", "password": "x" * 12, "role": "candidate", "body": "centre"}
    for wrong in ({}, {"candidate": BATCH}, {"candidate": HU, "role": "examiner"}):
        refused = page.send("/accounts/new", **{**asked, **wrong})
        assert (refused.status_code, "CandidateWanted" in refused.text) == (422, True)
    assert page.asked("open_account") == []
    assert page.send("/accounts/new", **asked, candidate=HU).status_code == 303
    assert [each["account"] for each in page.asked("open_account")] == [HU]
    assert page.send("/accounts/new", **{**asked, "role": "examiner"}).status_code == 303
    assert page.asked("open_account")[1]["account"] not in (HU, "")


def test_the_role_of_a_candidate_is_given_to_no_other_account(page: Page) -> None:
    page.sign_in(Role.ADMINISTRATOR, "centre")
    row = {"account": HU, "open": True, "appointments": ["examiner@centre"], "name": "", "locked_until": ""}
    page.answers = {("registration", "list_accounts"): [row]}
    assert '<option value="candidate"' not in page.open(f"/accounts/{HU}").text
    page.answers["registration", "own_applications"] = [application_of()]
    assert '<option value="candidate"' in page.open(f"/accounts/{HU}").text


# -- the QR code of a certificate


@pytest.mark.parametrize("public", ["", "https://check.example.cn"])
def test_a_candidates_certificate_has_a_code_that_leads_to_the_public_address(
    page: Page, monkeypatch: pytest.MonkeyPatch, public: str
) -> None:
    """Whatever Host a request names, where an operator has said what the address is."""
    number, drawn = "0810012003400001", list[str]()
    monkeypatch.setattr(page.app, "extensions", {**page.app.extensions, "jianding.public": public})
    monkeypatch.setattr(
        segno, "make", lambda text, **_: drawn.append(text) or SimpleNamespace(svg_inline=lambda **_: "")
    )
    page.answers = {
        ("registration", "own_applications"): [application_of(outcome="passed")],
        ("scoring", "own_results"): [],
        ("certification", "own_certificates"): [{"application": BEFORE, "number": number}],
    }
    page.sign_in(Role.CANDIDATE, "centre")
    assert page.open("/own").status_code == 200
    assert drawn == [f"{public or 'http://localhost'}/check?number={number}"]
