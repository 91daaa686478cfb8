"""Logging in at a provider from the console: out with state, nonce and PKCE, back with a code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from flask.testing import FlaskClient

from services.gateway.app import make_app
from services.gateway.backend import Backend
from services.registration.sessions import NotLinked
from shared.bus.calls import Refused
from shared.kernel.actors import Actor, Role
from shared.runtime.settings import settings
from shared.testing.issuer import Issuer
from tests.unit.gateway.conftest import Services

LOGIN = "/api/v1/login/oidc"
CLERK = Actor("clerk-1", Role.EXAM_AFFAIRS, "station-10012003")
TOLD = {
    "access": "clerk",
    "refresh": "r",
    "expires_in": 600,
    "name_shown": "",
    "appointments": [{"role": "exam_affairs", "body": "station-10012003"}],
}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def browser(
    services: Services, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FlaskClient:
    monkeypatch.setenv("JIANDING_VAR", str(tmp_path))
    monkeypatch.setenv("JIANDING_OIDC", str(issuer.described(tmp_path)))
    services.answer = TOLD
    return make_app(Backend(services.ask), settings(), lambda _: CLERK).test_client()


def _out(browser: FlaskClient) -> str:
    said = browser.get(LOGIN)
    assert said.status_code == 302
    return said.headers["Location"]


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def test_whom_the_provider_lets_in_is_logged_in_by_his_token_and_nonce(
    browser: FlaskClient, services: Services, issuer: Issuer
) -> None:
    out = _out(browser)
    back = issuer.let_in("somebody", out)
    assert back.startswith(f"http://localhost{LOGIN}/callback?")
    said = browser.get(_path(back))
    assert (said.status_code, said.headers["Location"]) == (302, "/")
    ((service, method, message, _),) = services.calls
    assert (service, method) == ("registration", "login_by_oidc")
    claims = jwt.decode(message["id_token"], options={"verify_signature": False})
    assert claims["sub"] == "somebody"
    assert message["nonce"] == claims["nonce"] == dict(parse_qsl(urlsplit(out).query))["nonce"]
    with browser.session_transaction() as kept:
        assert kept["tokens"]["access"] == "clerk"
        assert "oidc" not in kept


def test_every_login_has_a_state_a_nonce_and_a_challenge_of_its_own(browser: FlaskClient) -> None:
    first, second = (dict(parse_qsl(urlsplit(_out(browser)).query)) for _ in range(2))
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) == 43
        assert first[name] != second[name]


@pytest.mark.parametrize("change", [{"state": "another"}, {"state": None}])
def test_a_code_that_this_browser_did_not_ask_for_logs_nobody_in(
    browser: FlaskClient, services: Services, issuer: Issuer, change: dict[str, Any]
) -> None:
    asked = dict(parse_qsl(urlsplit(issuer.let_in("somebody", _out(browser))).query))
    changed = {name: value for name, value in {**asked, **change}.items() if value is not None}
    said = browser.get(f"{LOGIN}/callback", query_string=changed)
    assert said.status_code == 403
    again = browser.get(f"{LOGIN}/callback", query_string=asked)  # a state is good for one answer
    assert again.status_code == 403
    assert not services.calls


def test_a_code_that_was_stolen_is_of_no_use_without_its_verifier(
    browser: FlaskClient, services: Services, issuer: Issuer
) -> None:
    stolen = dict(parse_qsl(urlsplit(issuer.let_in("somebody", _out(browser))).query))["code"]
    state = dict(parse_qsl(urlsplit(_out(browser)).query))["state"]
    said = browser.get(f"{LOGIN}/callback", query_string={"code": stolen, "state": state})
    assert said.status_code == 503
    assert not services.calls


def test_who_is_declined_there_or_not_linked_here_is_told_so(
    browser: FlaskClient, services: Services, issuer: Issuer
) -> None:
    state = dict(parse_qsl(urlsplit(_out(browser)).query))["state"]
    declined = browser.get(f"{LOGIN}/callback", query_string={"error": "access_denied", "state": state})
    assert declined.status_code == 409
    assert "统一身份认证未完成登录" in declined.text
    services.answer = Refused.of(NotLinked())
    refused = browser.get(_path(issuer.let_in("somebody", _out(browser))))
    assert refused.status_code == 401
    assert "未绑定账号" in refused.text


def test_the_login_page_offers_it(browser: FlaskClient) -> None:
    assert LOGIN in browser.get("/login").text


def test_without_a_provider_it_is_not_offered_and_leads_nowhere(client: FlaskClient) -> None:
    assert LOGIN not in client.get("/login").text
    assert client.get(LOGIN).status_code == 409
