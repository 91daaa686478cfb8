"""The door over services that note what they are asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from services.gateway.app import make_app
from services.gateway.backend import Backend
from shared.bus.calls import NoAnswer, Refused
from shared.kernel.actors import Actor, Role
from shared.kernel.errors import Busy, InvalidInput, Refusal
from shared.runtime.settings import settings

CLERK = Actor("clerk-1", Role.EXAM_AFFAIRS, "station-10012003")
BEARER = {"Authorization": "Bearer clerk"}
ROSTER = "/api/v1/registration/roster"
SUBMIT = "/api/v1/registration/submit_application"


class TokenInvalid(Refusal):
    """令牌无效。

    The token does not hold.
    """


def _verify(token: str) -> Actor:
    if token != "clerk":
        raise TokenInvalid
    return CLERK


@dataclass
class Services:
    """Answers every call alike, and keeps what was asked."""

    answer: Any = None
    calls: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)

    def ask(self, service: str, method: str, context: dict[str, Any], message: dict[str, Any]) -> Any:
        self.calls.append((service, method, message, context))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def services() -> Services:
    return Services(answer={"stream": "application-1", "version": 1, "events": []})


@pytest.fixture
def client(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setenv("JIANDING_VAR", str(tmp_path))
    return make_app(Backend(services.ask), settings(), _verify).test_client()


def test_a_command_goes_to_its_service_with_its_key_as_command_id(
    client: FlaskClient, services: Services
) -> None:
    key = str(uuid4())
    said = client.post(SUBMIT, json={"candidate": "c"}, headers={**BEARER, "Idempotency-Key": key})
    assert said.status_code == 200
    assert services.calls == [
        (
            "registration",
            "submit_application",
            {"candidate": "c", "command_id": key},
            {"actor": "clerk-1", "role": "exam_affairs", "body": "station-10012003", "token": "clerk"},
        )
    ]


def test_any_other_key_becomes_an_id_of_this_principals_own(client: FlaskClient, services: Services) -> None:
    for _ in range(2):
        client.post(SUBMIT, json={}, headers={**BEARER, "Idempotency-Key": '"row 17"'})
    client.post(SUBMIT, json={}, headers={**BEARER, "Idempotency-Key": "row 18"})
    first, again, other = (message["command_id"] for _, _, message, _ in services.calls)
    assert first == again != other


def test_the_words_of_an_address_become_the_values_of_the_schema(
    client: FlaskClient, services: Services
) -> None:
    services.answer = []
    client.get(f"{ROSTER}?batch=b&limit=20", headers=BEARER)
    client.get(f"{ROSTER}?limit=many", headers=BEARER)
    client.get("/api/v1/audit/trail?types=A&types=B", headers=BEARER)
    assert [message for _, _, message, _ in services.calls] == [
        {"batch": "b", "limit": 20},
        {"limit": "many"},
        {"types": ["A", "B"]},
    ]


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (Refused.of(InvalidInput("batch")), 422, "InvalidInput"),
        (Refused.of(Busy()), 503, "Busy"),
        (NoAnswer("registration"), 503, "ServiceSilent"),
        (None, 404, "NotThere"),
        (ValueError("of a service"), 500, "Broken"),
    ],
)
def test_what_a_service_refuses_is_a_problem_in_both_languages(
    client: FlaskClient, services: Services, answer: Any, status: int, code: str
) -> None:
    services.answer = answer
    said = client.get(f"{ROSTER}?batch=b", headers={**BEARER, "Accept-Language": "en"})
    problem = said.get_json()
    assert (said.status_code, said.content_type) == (status, "application/problem+json")
    assert (problem["status"], problem["code"], problem["detail"]) == (status, code, problem["en"])
    assert problem["zh"]
    assert "of a service" not in said.text


@pytest.mark.parametrize(
    ("ask", "status", "code"),
    [
        (lambda client: client.get(ROSTER), 401, "NotLoggedIn"),
        (lambda client: client.get(ROSTER, headers={"Authorization": "Bearer x"}), 401, "TokenInvalid"),
        (lambda client: client.get("/nowhere"), 404, "NotThere"),
        (lambda client: client.get(SUBMIT), 405, "MethodNotAllowed"),
        (lambda client: client.open(ROSTER, method="BREW"), 405, "MethodNotAllowed"),
        (lambda client: client.post(SUBMIT, data="{", headers=BEARER), 415, "NotJson"),
        (lambda client: client.post(SUBMIT, json={}, headers=BEARER), 422, "IdempotencyKeyMissing"),
        (lambda client: client.post(SUBMIT, json=[], headers=BEARER), 422, "InvalidInput"),
        (lambda client: client.get(f"{ROSTER}?batch=a&batch=b", headers=BEARER), 422, "InvalidInput"),
        (
            lambda client: client.post(SUBMIT, json={"photo": "x" * 1_000_001}, headers=BEARER),
            413,
            "TooLarge",
        ),
        (
            lambda client: client.post(
                SUBMIT, data="{", headers={**BEARER, "Content-Type": "application/json"}
            ),
            400,
            "NotUnderstood",
        ),
    ],
)
def test_what_the_door_refuses_is_a_problem_too(
    client: FlaskClient, services: Services, ask: Callable[[FlaskClient], Any], status: int, code: str
) -> None:
    said = ask(client)
    assert (said.status_code, said.get_json()["code"]) == (status, code)
    assert said.content_type == "application/problem+json"
    assert not services.calls
