"""Through the door of a real node: commands, pages, the feed, logins."""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.runtime.demo.people import fictional
from shared.testing.http import Said, Visitor
from shared.testing.processes import Processes
from shared.testing.rabbitmq.node import wait_until
from tests.integration.gateway.conftest import House

EXAMPLE = Path(__file__).parents[3] / "examples/subscriber_http.py"
REGISTRATION = "/api/v1/registration"
Token = Callable[[Role], str]
PEOPLE = iter(fictional(30, Random(7), new_id))  # no two with one document


def _application(candidate: str, batch: str) -> dict[str, object]:
    return {
        "application": new_id(),
        "candidate": candidate,
        "batch": batch,
        "station": "10012003",
        "occupation": "化工分析工",
        "catalogue": "1999",
        "level": 4,
        "kind": "society",
        "held_level": 5,
        "years_in_trade": 6,
        "education": "none",
        "evidence": ["e" * 64],
    }


def _enrol(visitor: Visitor, token: Token) -> str:
    fields = next(PEOPLE).enrolment()
    said = visitor.post(f"{REGISTRATION}/enrol_person", token(Role.EXAM_AFFAIRS), new_id(), **fields)
    assert said.status == 200, said.body
    return str(fields["candidate"])


def _submit(visitor: Visitor, token: Token, fields: dict[str, object], key: str) -> Said:
    path = f"{REGISTRATION}/submit_application"
    return visitor.post(path, token(Role.EXAM_AFFAIRS), key, **fields)


def test_the_same_key_gets_the_same_answer_and_nothing_happens_twice(visitor: Visitor, token: Token) -> None:
    fields = _application(_enrol(visitor, token), new_id())
    first, again = (_submit(visitor, token, fields, "form 17 of this clerk") for _ in range(2))
    assert first.status == 200, first.body
    assert [event["type"] for event in first.json["events"]] == ["ApplicationSubmitted"]
    assert again.json == first.json
    other = _submit(visitor, token, {**fields, "level": 3}, "form 17 of this clerk")
    assert (other.status, other.code) == (409, "CommandIdReused")


def test_what_a_rule_a_role_or_a_field_forbids_is_said_with_its_status(
    visitor: Visitor, token: Token
) -> None:
    fields = _application(new_id(), new_id())
    unknown = _submit(visitor, token, fields, new_id())
    assert (unknown.status, unknown.code) == (409, "PersonUnknown")
    wrong = _submit(visitor, token, {**fields, "level": 9}, new_id())
    assert (wrong.status, wrong.code, wrong.json["field"]) == (422, "InvalidInput", "level")
    examiner = visitor.post(f"{REGISTRATION}/submit_application", token(Role.EXAMINER), new_id(), **fields)
    assert (examiner.status, examiner.code) == (403, "RoleNotAllowed")
    nobody = visitor.post(f"{REGISTRATION}/submit_application", "", new_id(), **fields)
    assert (nobody.status, nobody.headers["Www-Authenticate"]) == (401, "Bearer")
    missing = visitor.get(f"{REGISTRATION}/application", token(Role.SUPERVISOR), application=new_id())
    assert (missing.status, missing.code) == (404, "NotThere")


def test_a_token_that_somebody_else_signed_opens_nothing(visitor: Visitor, token: Token) -> None:
    head, _, rest = token(Role.SUPERVISOR).partition(".")
    forged = f"{head}.{rest[:-8]}AAAAAAAA"
    said = visitor.get("/api/v1/audit/head", forged)
    assert (said.status, said.code) == (401, "TokenInvalid")


def test_pages_lead_through_a_roster_and_a_known_answer_is_not_sent_again(
    visitor: Visitor, token: Token
) -> None:
    batch, wanted = new_id(), set()
    for _ in range(3):
        fields = _application(_enrol(visitor, token), batch)
        assert _submit(visitor, token, fields, new_id()).status == 200
        wanted.add(fields["application"])
    supervisor = token(Role.SUPERVISOR)

    def whole() -> Said:
        return visitor.get(f"{REGISTRATION}/roster", supervisor, batch=batch)

    assert wait_until(lambda: len(whole().json) == len(wanted), 20)  # the tables follow the log
    first = visitor.get(f"{REGISTRATION}/roster", supervisor, batch=batch, limit=2)
    link = first.headers["Link"]
    second = visitor.get(link[1:].partition(">")[0], supervisor)
    assert {row["application"] for row in first.json + second.json} == wanted
    assert "Link" not in second.headers
    again = visitor.get(
        f"{REGISTRATION}/roster", supervisor, {"If-None-Match": whole().headers["ETag"]}, batch=batch
    )
    assert (again.status, again.body) == (304, b"")


def test_the_stream_brings_what_happens_and_goes_on_from_its_last_id(visitor: Visitor, token: Token) -> None:
    supervisor = token(Role.SUPERVISOR)
    after = visitor.get("/api/v1/audit/head", supervisor).json["size"] - 1
    lines = visitor.stream(f"/api/v1/events/stream?after={after}", supervisor)
    assert next(lines).startswith("retry:")
    _enrol(visitor, token)
    _enrol(visitor, token)
    first = [line for _ in range(8) if (line := next(lines)).startswith(("id:", "data:"))]
    lines.close()  # type: ignore[attr-defined]
    assert first[0] == f"id: {after + 1}"
    assert '"type":"PersonEnrolled"' in first[1]
    again = visitor.stream("/api/v1/events/stream", supervisor, {"Last-Event-ID": str(after + 1)})
    assert [next(again) for _ in range(4)][2] == f"id: {after + 2}"
    page = visitor.get("/api/v1/events", supervisor, after=after, limit=2)
    assert [row["position"] for row in page.json] == [after + 1, after + 2]


def test_open_streams_keep_nobody_waiting(visitor: Visitor, token: Token) -> None:
    supervisor = token(Role.SUPERVISOR)
    streams = [visitor.stream("/api/v1/events/stream", supervisor) for _ in range(20)]
    for stream in streams:
        assert next(stream).startswith("retry:")
    assert visitor.get("/api/v1/audit/head", supervisor).status == 200


def _account(visitor: Visitor, token: Token) -> tuple[str, str]:
    """A supervisor's: (name, password)."""
    name, password = f"fictional-{new_id()[-8:]}", f"no secret {new_id()}"
    opened = visitor.post(
        f"{REGISTRATION}/open_account",
        token(Role.ADMINISTRATOR),
        new_id(),
        account=new_id(),
        name=name,
        password=password,
        appointments=[{"role": "supervisor", "body": "centre"}],
    )
    assert opened.status == 200, opened.body
    return name, password


def test_somebody_logs_in_goes_on_and_leaves(visitor: Visitor, token: Token) -> None:
    name, password = _account(visitor, token)
    wrong = visitor.post(f"{REGISTRATION}/login", name=name, password="something else")
    assert (wrong.status, wrong.code) == (401, "WrongLogin")
    login = visitor.post(f"{REGISTRATION}/login", name=name, password=password)
    assert login.status == 200, login.body
    assert visitor.get("/api/v1/audit/head", login.json["access"]).status == 200
    renewed = visitor.post(f"{REGISTRATION}/refresh", refresh=login.json["refresh"])
    assert (renewed.status, renewed.json["role"]) == (200, "supervisor")
    assert visitor.post(f"{REGISTRATION}/logout", refresh=renewed.json["refresh"]).status == 200
    assert visitor.post(f"{REGISTRATION}/refresh", refresh=renewed.json["refresh"]).status == 401


def test_the_example_over_http_misses_nothing_while_it_is_away(
    house: House, visitor: Visitor, token: Token, tmp_path: Path
) -> None:
    name, password = _account(visitor, token)
    kept, end = tmp_path / "position", visitor.get("/api/v1/audit/head", token(Role.SUPERVISOR)).json["size"]
    kept.write_text(str(end - 1))
    people = []
    with Processes(tmp_path, {**os.environ, "JIANDING_PASSWORD": password}) as processes:
        for _ in range(2):
            people.append(_enrol(visitor, token))
            example = processes.program(EXAMPLE, house.address, name, kept, "PersonEnrolled")
            people.append(_enrol(visitor, token))
            example.await_line(people[-1])
            wait_until(lambda: int(kept.read_text()) >= int(example.last_line.split()[0]), 30)  # noqa: B023
            example.kill()
            assert [line.split()[1:] for line in example.said("PersonEnrolled")] == [
                ["PersonEnrolled", f"candidate-{person}"] for person in people[-2:]
            ]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/v1/docs"])
def test_what_needs_no_login_is_there(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status == 200


def test_the_metrics_of_a_real_node_name_every_service_and_the_log(visitor: Visitor) -> None:
    told = visitor.get("/metrics").body.decode()
    for name in ("jianding_consumer_lag_events", "jianding_outbox_age_seconds", "jianding_audit_entries"):
        assert f"{name}" in told
    assert 'jianding_up{service="audit"} 1.0' in told


def test_the_staff_of_another_station_are_shown_nothing_and_refused_what_they_name(
    house: House, visitor: Visitor, token: Token
) -> None:
    fields = _application(_enrol(visitor, token), new_id())
    assert _submit(visitor, token, fields, new_id()).status == 200
    other = house.mint.issue(Actor(new_id(), Role.STATION_DIRECTOR, "station-10012099"))
    after = visitor.get("/api/v1/audit/head", other).json["size"] - 1
    asked = {"batch": fields["batch"]}

    def shown(who: str) -> list[Any]:
        found: list[Any] = visitor.get(f"{REGISTRATION}/roster", who, **asked).json
        return found

    assert wait_until(lambda: len(shown(token(Role.STATION_DIRECTOR))) == 1, 20)
    assert shown(other) == []
    one = {"application": fields["application"]}
    assert visitor.get(f"{REGISTRATION}/application", other, **one).status == 404
    named = visitor.get(f"{REGISTRATION}/applications", other, station="10012003")
    assert (named.status, named.code) == (403, "NotOfThisStation")

    def recorded() -> list[Any]:
        rows = visitor.get("/api/v1/events", token(Role.SUPERVISOR), after=after, limit=500).json
        return [row["event"]["data"] for row in rows if row["event"]["body"] == "station-10012099"]

    assert wait_until(lambda: bool(recorded()), 20)
    (attempt,) = recorded()
    assert (attempt["command"], attempt["code"]) == ("applications", "NotOfThisStation")
