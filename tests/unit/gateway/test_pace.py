"""Who asks too often is told when to come again."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.gateway.app import make_app
from services.gateway.backend import Backend
from shared.runtime.settings import settings
from tests.unit.gateway.conftest import Services


@pytest.fixture
def client(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setenv("JIANDING_VAR", str(tmp_path))
    monkeypatch.setenv("JIANDING_RATE", "3")
    monkeypatch.setenv("JIANDING_PROXIES", "1")
    return make_app(Backend(services.ask), settings()).test_client()


def test_an_address_is_held_to_its_rate_and_others_are_not(client: FlaskClient) -> None:
    asked = [client.get("/api/v1/docs") for _ in range(4)]
    assert [said.status_code for said in asked] == [200, 200, 200, 429]
    problem = asked[-1].get_json()
    assert problem["code"] == "TooManyRequests"
    assert 1 <= int(asked[-1].headers["Retry-After"]) == problem["retry_after"] <= 60
    other = client.get("/api/v1/docs", environ_overrides={"REMOTE_ADDR": "203.0.113.9"})
    assert other.status_code == 200


def test_behind_a_proxy_it_is_the_address_that_the_proxy_saw(client: FlaskClient) -> None:
    for n in range(5):
        assert client.get("/api/v1/docs", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code == 200


def test_whether_it_is_well_may_be_asked_at_any_pace(client: FlaskClient) -> None:
    assert {client.get("/healthz").status_code for _ in range(10)} == {200}
