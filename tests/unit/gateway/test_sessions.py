"""A browser's session: its renewal, its forms, and what is refused on the way."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.gateway.app import make_app
from services.gateway.backend import Backend
from shared.bus.calls import NoAnswer, Refused
from shared.kernel.actors import Actor, Role
from shared.kernel.errors import Refusal
from shared.kernel.ids import new_id
from shared.runtime.callers import NotForThisRole
from shared.runtime.settings import settings
from tests.unit.gateway.conftest import CLERK, Services
from tests.unit.gateway.test_console import PAGES


class Busy(Refusal):
    """忙。 Busy."""


class Registration:
    """Logs in and renews as often as it is asked; a refresh token holds once."""

    def __init__(self) -> None:
        self.refreshed: list[str] = []
        self.error: Exception | None = None

    def __call__(self, service: str, method: str, message: dict[str, Any]) -> Any:
        if method == "login":
            return self._login("0")
        if method == "refresh":
            if self.error:
                raise self.error
            if message["refresh"] in self.refreshed:
                raise Refused.of(NotForThisRole())
            self.refreshed.append(message["refresh"])
            return self._login(str(len(self.refreshed)))
        return []

    def _login(self, refresh: str) -> dict[str, Any]:
        appointments = [{"role": CLERK.role.value, "body": CLERK.body}]
        return {
            "access": "clerk",
            "refresh": refresh,
            "expires_in": 1,  # so that each page renews it
            "appointments": appointments,
            "name_shown": "文员",
        }


@pytest.fixture
def registration(services: Services) -> Registration:
    services.tell = Registration()
    return services.tell


def token_of(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


def log_in(client: FlaskClient) -> str:
    """The CSRF token of the first page behind the login."""
    asked = {"name": "wenyuan", "password": "x" * 12, "csrf_token": token_of(client.get("/login"))}
    assert client.post("/login", data=asked).status_code == 303
    return token_of(client.get("/"))


def test_a_page_stays_good_when_the_session_is_renewed(
    client: FlaskClient, registration: Registration
) -> None:
    token = log_in(client)
    for _ in range(3):
        assert client.post("/language", data={"csrf_token": token, "language": "zh"}).status_code == 303
        assert client.get("/").status_code == 200
    assert len(registration.refreshed) >= 4


def test_a_login_begins_a_session_of_its_own(client: FlaskClient, registration: Registration) -> None:
    token = token_of(client.get("/login"))
    assert (
        client.post("/login", data={"name": "a", "password": "b" * 12, "csrf_token": token}).status_code
        == 303
    )
    assert client.post("/language", data={"csrf_token": token, "language": "zh"}).status_code == 403


@pytest.mark.parametrize("path", ["/login", "/language", "/logout", "/appointment"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}])
def test_a_form_without_its_token_is_refused_as_a_page(
    client: FlaskClient, registration: Registration, path: str, headers: dict[str, str]
) -> None:
    for stranger in (True, False):
        if not stranger:
            log_in(client)
        refused = client.post(path, data={"name": "a", "password": "b" * 12}, headers=headers)
        assert (refused.status_code, refused.mimetype) == (403, "text/html")
        assert "请刷新页面" in refused.text


def test_a_browser_has_a_number_that_travels_with_what_is_done_in_it(
    client: FlaskClient, registration: Registration, services: Services
) -> None:
    for public in ("/login", "/check", "/console/assets/console.css"):
        assert client.get(public).status_code == 200
    assert client.get_cookie("jianding-device") is None
    log_in(client)
    cookie = client.get_cookie("jianding-device")
    assert cookie is not None
    services.calls.clear()
    client.get("/station/applications")
    devices = {context["device"] for _, method, _, context in services.calls if method != "refresh"}
    assert devices == {cookie.value}
    client.set_cookie("jianding-device", "张三 的电脑")
    services.calls.clear()
    client.get("/station/applications")
    assert all("device" not in context for _, _, _, context in services.calls)
    assert client.get_cookie("jianding-device").value != "张三 的电脑"  # type: ignore[union-attr]


def test_what_is_too_large_is_refused_as_a_page(client: FlaskClient, registration: Registration) -> None:
    token = log_in(client)
    refused = client.post("/language", data={"csrf_token": token, "back": "x" * 1_100_000})
    assert (refused.status_code, refused.mimetype) == (413, "text/html")


@pytest.mark.parametrize("error", [Refused.of(Busy()), NoAnswer("registration")])
def test_who_is_busy_has_not_ended_the_session(
    client: FlaskClient, registration: Registration, error: Exception
) -> None:
    log_in(client)
    registration.error = error
    told = client.get("/")
    assert (told.status_code, told.mimetype) == (503, "text/html")
    registration.error = None
    assert client.get("/").status_code == 200


def test_an_appointment_that_is_chosen_twice_at_once_is_changed_once(
    client: FlaskClient, registration: Registration
) -> None:
    token = log_in(client)
    cookie = client.get_cookie("jianding")
    assert cookie is not None
    chosen = {"csrf_token": token, "appointment": f"{CLERK.role}@{CLERK.body}"}
    for _ in range(2):
        client.set_cookie("jianding", cookie.value)
        assert client.post("/appointment", data=chosen).headers["Location"] == "/"
    assert client.get("/").status_code == 200


def test_an_address_of_nothing_is_a_page_for_people_and_a_document_for_programs(client: FlaskClient) -> None:
    page = client.get("/nowhere", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    for headers in ({}, {"Accept": "application/json"}, {"Accept": "*/*"}):
        found = client.get("/api/v1/nowhere", headers=headers)
        assert (found.status_code, found.mimetype) == (404, "application/problem+json")


def test_a_page_of_another_role_says_so(client: FlaskClient, registration: Registration) -> None:
    log_in(client)
    page = next(page for page in PAGES if page.roles and CLERK.role not in page.roles and page.listed)
    told = client.get(page.path)
    assert (told.status_code, told.mimetype) == (403, "text/html")
    assert NotForThisRole().problem()["zh"] in told.text


@pytest.mark.parametrize(
    ("told", "status"), [(None, 200), (Refused.of(NotForThisRole()), 403), (Refused.of(Busy()), 503)]
)
def test_a_room_tells_its_device_what_came_of_each_press(
    services: Services, told: Exception | None, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIANDING_VAR", str(tmp_path))
    officer = Actor("officer-1", Role.INVIGILATOR, CLERK.body)
    client = make_app(Backend(services.ask), settings(), lambda _: officer).test_client()
    registration = Registration()

    def tell(service: str, method: str, message: dict[str, Any]) -> Any:
        if method == "check_in" and told:
            raise told
        return registration(service, method, message)

    services.tell = tell
    token = log_in(client)
    pressed = {"csrf_token": token, "command_id": new_id(), "batch": new_id(), "document_checked": "yes"}
    path = f"/day/sittings/{new_id()}/check-in"
    answer = client.post(path, data=pressed, headers={"X-Requested-With": "fetch"})
    assert answer.status_code == status
    assert 'id="hall"' in answer.text
    (sent,) = [message for _, method, message, _ in services.calls if method == "check_in"]
    assert (sent["document_checked"], sent["photo_matches"]) == (True, False)
