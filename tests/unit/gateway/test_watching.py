"""What an operator's programs are told of the door and of what stands behind it."""

from datetime import timedelta
from typing import Any

import eventlet
import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from services.gateway import watching
from shared.bus.calls import NoAnswer
from shared.contracts import SERVICES, SOURCES
from shared.kernel.clock import stamp, utc_now
from tests.unit.gateway.conftest import Services

BEARER = {"Authorization": "Bearer clerk"}
STRANGER = {"REMOTE_ADDR": "203.0.113.9"}


def _ago(seconds: float) -> str:
    return stamp(utc_now() - timedelta(seconds=seconds))


def _standing(service: str, method: str, _message: dict[str, Any]) -> Any:
    assert method == "standing"
    told: dict[str, Any] = {
        "service": service,
        "parked": 2 if service == "scoring" else 0,
        "rejected": {"count": 1, "since": _ago(60)} if service == "audit" else None,
        "consumers": [{"consumer": "log", "source": "/centre/scoring", "position": 90}],
        "log": None,
    }
    if service in SOURCES:
        unsealed = {"count": 3, "since": _ago(40)}
        told["log"] = {"head": 100, "published": 95, "unsealed": unsealed, "unpublished": None}
    if service == "audit":
        told["sources"] = [{"source": "/centre/scoring", "seen": _ago(7)}]
        told["checkpoint"] = {
            "size": 50,
            "published": 48,
            "cosigned": None,
            "findings": 4,
            "cosigners": 1,
            "quorum": 2,
        }
    return told


@pytest.fixture
def services(services: Services) -> Services:
    services.tell = _standing
    return services


def _metrics(client: FlaskClient) -> dict[tuple[str, str], float]:
    """(name, what it is of) -> value."""
    told = client.get("/metrics")
    assert told.status_code == 200, told.text
    return {
        (sample.name, sample.labels.get("service") or sample.labels.get("source", "")): sample.value
        for family in text_string_to_metric_families(told.text)
        for sample in family.samples
    }


def test_the_door_is_healthy_whatever_is_behind_it(client: FlaskClient, services: Services) -> None:
    services.tell, services.answer = None, NoAnswer("all")
    assert client.get("/healthz").get_json() == {"healthy": True}
    assert not services.calls


def test_it_is_ready_when_all_services_answer(client: FlaskClient, services: Services) -> None:
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["services"]) == (200, dict.fromkeys(SERVICES, True))
    assert {context["role"] for *_, context in services.calls} == {"service"}


def test_it_is_not_when_one_does_not_and_says_which(client: FlaskClient, services: Services) -> None:
    services.tell = lambda service, method, message: (
        NoAnswer(service) if service == "scoring" else _standing(service, method, message)
    )
    said = client.get("/readyz")
    assert said.status_code == 503
    assert [name for name, well in said.get_json()["services"].items() if not well] == ["scoring"]


def test_the_metrics_tell_what_the_services_tell(client: FlaskClient) -> None:
    told = _metrics(client)
    assert told["jianding_up", "scoring"] == 1
    assert told["jianding_parked_events", "scoring"] == 2
    assert told["jianding_rejected_bodies", "audit"] == 1
    assert told["jianding_outbox_events", "scoring"] == 3
    assert 40 <= told["jianding_outbox_age_seconds", "scoring"] < 60
    assert told["jianding_relay_lag_events", "scoring"] == 0
    assert told["jianding_consumer_lag_events", "audit"] == 10
    assert 7 <= told["jianding_source_seen_seconds", "/centre/scoring"] < 27
    assert told["jianding_checkpoint_lag_entries", ""] == 2
    assert (told["jianding_witness_cosignatures", ""], told["jianding_witness_quorum", ""]) == (1, 2)
    assert told["jianding_audit_findings", ""] == 4


def test_a_service_that_is_silent_shows_as_down_and_as_nothing_else(
    client: FlaskClient, services: Services
) -> None:
    services.tell = lambda service, method, message: (
        NoAnswer(service) if service == "audit" else _standing(service, method, message)
    )
    told = _metrics(client)
    assert told["jianding_up", "audit"] == 0
    assert ("jianding_audit_entries", "") not in told


def test_requests_and_commands_are_counted_by_their_route(client: FlaskClient, services: Services) -> None:
    client.get("/nowhere/of/somebody")
    services.tell = lambda service, method, message: (
        _standing(service, method, message) if method == "standing" else {}
    )
    client.post(
        "/api/v1/registration/submit_application", json={}, headers={**BEARER, "Idempotency-Key": "a"}
    )
    text = client.get("/metrics").text
    assert 'jianding_http_requests_total{method="none",route="none",status="404"} 1.0' in text
    assert (
        'jianding_commands_total{command="submit_application",service="registration",status="200"} 1.0'
        in text
    )
    assert "somebody" not in text


def test_strangers_do_not_read_metrics(client: FlaskClient) -> None:
    assert client.get("/metrics", environ_overrides=STRANGER).status_code == 401
    assert client.get("/metrics", environ_overrides=STRANGER, headers=BEARER).status_code == 403


def test_a_stranger_lets_nobody_be_asked(client: FlaskClient, services: Services) -> None:
    assert client.get("/readyz", environ_overrides=STRANGER).status_code == 401
    assert not services.calls
    assert client.get("/readyz", environ_overrides=STRANGER, headers=BEARER).status_code == 200


def test_nobody_is_near_through_a_proxy_that_nobody_told_of_which_is_said_once(
    client: FlaskClient, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    assert [client.get(path, headers=forwarded).status_code for path in ("/readyz", "/metrics")] == [401, 401]
    assert not services.calls
    assert [record.levelname for record in caplog.records if "JIANDING_PROXIES" in record.message] == [
        "WARNING"
    ]


def test_many_looks_at_once_are_one_question_to_each_service(
    client: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_FRESH", 3600)

    def slowly(service: str, method: str, message: dict[str, Any]) -> Any:
        eventlet.sleep(0.01)  # so that all the others come meanwhile
        return _standing(service, method, message)

    services.tell = slowly
    app = client.application
    looks = [eventlet.spawn(lambda: app.test_client().get("/readyz").status_code) for _ in range(20)]
    assert {look.wait() for look in looks} == {200}
    assert len(services.calls) == len(SERVICES)
