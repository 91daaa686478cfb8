"""Whatever the document allows or forbids, the door answers as the document says, and nothing breaks.

A batch is played through the door first, so that there is something to answer: what it says of real people,
sheets and certificates is held against the document as well as what it refuses.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from psycopg.conninfo import make_conninfo
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.gateway.app import make_app
from services.gateway.backend import Backend
from shared.bus.calls import Refused
from shared.contracts import SERVICES
from shared.kernel.actors import Actor, Role
from shared.runtime.postgres import Postgres
from shared.runtime.settings import settings
from shared.testing.rabbitmq.node import wait_until
from tests.integration.gateway.conftest import House, body_of, somebody
from tests.integration.gateway.life import Life

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = "/api/v1/events/stream"
# what a consumer could not take: real events of the log, as if their handler had failed
PARK = """
INSERT INTO parked (consumer, source, position, stream, type, sealed, reason)
SELECT 'register', convert_from(sealed, 'UTF8')::json ->> 'source', position, 'application-' || position,
       convert_from(sealed, 'UTF8')::json ->> 'type', sealed, 'KeyError: of a test'
  FROM log WHERE convert_from(sealed, 'UTF8')::json ->> 'type' = 'CandidateRegistered'
 ORDER BY position LIMIT 2 RETURNING consumer, source, position
"""
RUNNING = "SELECT FROM checks WHERE ended_at IS NULL"
CHECK = "INSERT INTO checks (asked_by, whole) VALUES ('somebody', 1) RETURNING id"  # a log that takes long
NOBODY = Actor("", Role.EXAMINER, "")
FINDING = """
INSERT INTO findings (kind, source, first_position, detail)
VALUES ('of-a-test', '/centre/scoring', 1, '{"since": "2026-04-16"}')
"""
NEVER = {
    "registration.login_by_oidc",  # needs a provider: tests/integration/registration
    # audit has no projections; and nothing is parked but at registration, where the same calls are answered
    "audit.projections",
    "audit.rebuild",
    *(f"{service}.rejected" for service in SERVICES),  # no stranger has spoken on this bus
    *(
        f"{service}.{call}"
        for service in SERVICES
        if service != "registration"
        for call in ("parked", "show_parked", "repair_parked", "skip_parked", "replay_parked")
    ),
}


def _document() -> dict[str, Any]:
    app = make_app(Backend(lambda *_: None), settings())
    found: dict[str, Any] = app.test_client().get("/api/v1/openapi.json").get_json()
    return found


config = SchemathesisConfig.from_dict(
    # every boundary of every field would be 3,400 requests, and minutes
    {"phases": {"coverage": {"enabled": False}, "fuzzing": {"enabled": True}}, "seed": 1}
)
schema = schemathesis.openapi.from_dict(_document(), config=config).exclude(path=ENDLESS)
operations = {each.ok().definition.raw["operationId"]: each.ok() for each in schema.get_all_operations()}


class Answers:
    """Asks the door, holds each answer against the document, and notes what was answered with something."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.full: dict[str, int] = defaultdict(int)

    def ask(self, name: str, actor: Actor, fields: dict[str, Any], key: str) -> Any:
        """As a service answers; Refused for a problem."""
        operation = operations[name]
        parts = {"query": fields} if operation.method == "get" else {"body": fields}
        headers = {"Idempotency-Key": key} if key else {}
        case = operation.Case(**parts, headers=headers, media_type="application/json")
        token = self._house.mint.issue(actor) if actor.id else ""
        return self.checked(case, token)

    def checked(self, case: schemathesis.Case, token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = case.call(base_url=self._house.address, headers=headers, timeout=30)
        case.validate_response(answer, checks=CHECKS)
        found = answer.json() if answer.content else None
        if answer.status_code >= 400:
            raise Refused(found)
        self.full[case.operation.definition.raw["operationId"]] += found not in (None, [])
        return found


@pytest.fixture(scope="module")
def answers(house: House) -> Answers:
    return Answers(house)


@pytest.fixture(scope="module")
def life(answers: Answers) -> Life:
    return Life(answers.ask)


@dataclass(frozen=True)
class Staff:
    """Whoever may: asks everything in the first role that may ask it, about what there is."""

    house: House
    answers: Answers
    life: Life

    def ask(self, call: str, /, **fields: Any) -> Any:
        operation = operations[call]
        if operation.method == "get":
            asked = {each.name for each in operation.query if each.is_required}
            fields = {name: value for name, value in {**self.life.fields, **fields}.items() if name in asked}
        roles = operation.definition.raw["x-roles"]
        return self.answers.ask(call, _somebody(roles[0]) if roles else NOBODY, fields, "")

    def questions(self) -> None:
        of_event = {"id": self.life.fields["event"]}
        more = {
            "audit.entry": of_event,
            "audit.together": of_event,
            "scoring.signing_key": {"examiner": self.life.examiner_with_key},
            "scheduling.agenda": {"stage": "closed"},
            "scoring.results_in": {"status": "combined"},
        }
        for name, operation in operations.items():
            if operation.method == "get":
                self.ask(name, **more.get(name, {}))

    def errands(self) -> None:
        self.ask("registration.applications_named", name=self.life.fields["name"])
        self.ask("registration.enrolled_as", **self.life.document)
        self.ask("registration.identity", application=self.life.fields["application"])
        self.ask("certification.check", **{name: self.life.fields[name] for name in ("number", "name")})
        self.ask("audit.bundle", kind="batch", id=self.life.fields["batch"])
        self.ask("audit.start_check")
        for service in SERVICES:
            for built in self.ask(f"{service}.projections"):
                self.ask(f"{service}.rebuild", projection=built["projection"])

    def cancelling(self) -> None:
        with _database(self.house, "audit") as connection:
            wait_until(lambda: not connection.execute(RUNNING).fetchall(), 20)
            row = connection.execute(CHECK).fetchone()
            assert row is not None
            self.ask("audit.cancel_check", id=row[0])
            connection.execute("UPDATE checks SET ended_at = now() WHERE id = %s", row)

    def parked(self) -> None:
        with _database(self.house, "registration") as connection:
            rows = connection.execute(PARK).fetchall()
        places = [dict(zip(("consumer", "source", "position"), row, strict=True)) for row in rows]
        for service in SERVICES:
            self.ask(f"{service}.parked")
        data = json.dumps(self.ask("registration.show_parked", **places[0])["event"]["data"])
        self.ask("registration.repair_parked", **places[0], data=data, why="of a test")
        self.ask("registration.show_parked", **places[0])
        self.ask("registration.replay_parked", **places[0])
        self.ask("registration.skip_parked", **places[1], why="of a test")


def _somebody(role: str) -> Actor:
    return Actor(somebody(Role(role)), Role(role), body_of(Role(role)))


@contextmanager
def _database(house: House, service: str) -> Iterator[psycopg.Connection[Any]]:
    current = replace(settings(), var=house.var, secrets=house.var / "secrets", database_url="")
    dsn = make_conninfo(Postgres(current).dsn, dbname=f"jianding_{service}")
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def test_whatever_may_be_asked_is_answered_of_a_played_batch_as_the_document_says(
    house: House, answers: Answers, life: Life
) -> None:
    staff = Staff(house, answers, life)
    with _database(house, "audit") as connection:
        connection.execute(FINDING)
    staff.parked()
    staff.errands()
    staff.cancelling()
    staff.questions()
    assert {name for name in operations if not answers.full[name]} == NEVER
    assert len(operations) - len(NEVER) > 100  # of some 130


@schema.parametrize()
@hypothesis_settings(
    max_examples=2,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_nothing_breaks_and_nothing_is_answered_that_the_document_does_not_say(
    case: schemathesis.Case, house: House, answers: Answers, life: Life
) -> None:
    roles = case.operation.definition.raw["x-roles"]
    token = house.token(Role(roles[0])) if roles else ""
    for known in ({}, life.fields):  # of anything, and of what there is
        for part in (case.query, case.body):
            if isinstance(part, dict):
                part |= {name: value for name, value in known.items() if name in part}
        with suppress(Refused):
            answers.checked(case, token)
