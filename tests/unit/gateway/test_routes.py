"""What comes by HTTP, and what a service is asked for it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from services.registration.domain.errors import PersonUnknown
from shared.bus.calls import NoAnswer, Refused
from shared.kernel.errors import Busy, DutyConflict, InvalidInput
from tests.unit.gateway.conftest import Services

BEARER = {"Authorization": "Bearer clerk"}
ROSTER = "/api/v1/registration/roster"
SUBMIT = "/api/v1/registration/submit_application"


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


def test_a_program_names_the_device_that_it_acts_on(client: FlaskClient, services: Services) -> None:
    headers = {**BEARER, "Idempotency-Key": str(uuid4()), "Device-Id": "room-3-tablet"}
    client.post(SUBMIT, json={}, headers=headers)
    ((_, _, _, context),) = services.calls
    assert context["device"] == "room-3-tablet"


def test_any_other_key_becomes_an_id_of_this_principals_own(client: FlaskClient, services: Services) -> None:
    for _ in range(2):
        client.post(SUBMIT, json={}, headers={**BEARER, "Idempotency-Key": '"row 17"'})
    client.post(SUBMIT, json={}, headers={**BEARER, "Idempotency-Key": "row 18"})
    first, again, other = (message["command_id"] for _, _, message, _ in services.calls)
    assert first == again != other


@pytest.mark.parametrize("call", ["registration/rebuild", "audit/start_check", "registration/login"])
def test_a_key_for_what_is_no_command_is_refused_and_not_ignored(
    client: FlaskClient, services: Services, call: str
) -> None:
    said = client.post(f"/api/v1/{call}", json={}, headers={**BEARER, "Idempotency-Key": "a"})
    problem = said.get_json()
    assert (said.status_code, problem["code"]) == (422, "IdempotencyKeyNotTaken")
    assert problem["field"] == "Idempotency-Key"
    assert not services.calls
    assert client.post(f"/api/v1/{call}", json={}, headers=BEARER).status_code == 200


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
        (Refused.of(DutyConflict()), 403, "DutyConflict"),
        (Refused.of(PersonUnknown()), 409, "PersonUnknown"),
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


def test_a_full_page_says_where_the_next_one_is(client: FlaskClient, services: Services) -> None:
    services.answer = [{"application": f"a-{n}"} for n in range(2)]
    full = client.get(f"{ROSTER}?batch=b&limit=2", headers=BEARER)
    last = client.get(f"{ROSTER}?batch=b&limit=3", headers=BEARER)
    assert full.headers["Link"] == f'<{ROSTER}?batch=b&limit=2&after=a-1>; rel="next"'
    assert "Link" not in last.headers


def test_an_answer_that_is_known_is_not_sent_again(client: FlaskClient, services: Services) -> None:
    services.answer = [{"application": "a"}]
    tag = client.get(ROSTER, headers=BEARER).headers["ETag"]
    again = client.get(ROSTER, headers={**BEARER, "If-None-Match": tag})
    services.answer = [{"application": "b"}]
    changed = client.get(ROSTER, headers={**BEARER, "If-None-Match": tag})
    assert [(said.status_code, said.data) for said in (again, changed)] == [
        (304, b""),
        (200, b'[{"application":"b"}]'),
    ]


def test_every_answer_keeps_the_browser_from_what_it_need_not_do(client: FlaskClient) -> None:
    for path in (ROSTER, "/nowhere", "/api/v1/docs", "/api/v1/openapi.json"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "Strict-Transport-Security" not in headers


def test_over_tls_a_browser_is_told_to_stay_there(client: FlaskClient) -> None:
    headers = client.get("/nowhere", base_url="https://localhost").headers
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_whoever_logs_in_says_so_in_the_body_and_is_known_by_where_he_calls_from(
    client: FlaskClient, services: Services
) -> None:
    said = {"name": "examiner", "password": "not-for-production"}
    answer = client.post("/api/v1/registration/login", json=said)
    assert answer.headers["Cache-Control"] == "no-store"
    assert services.calls == [("registration", "login", said, {"address": "127.0.0.1"})]
    assert client.get("/api/v1/registration/login", query_string=said).status_code == 405
    assert client.post("/api/v1/registration/login", json=["x"]).status_code == 422
