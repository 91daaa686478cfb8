"""`parked` and `healthy`, for people and for programs: what waits, what was rejected, what was done."""

import orjson
import pytest

from services.audit.trails import KINDS
from shared.runtime.cli.trail import Kind
from shared.testing.command import InProcess
from shared.testing.postgres import Cluster
from shared.testing.processes import environment

SERVICE_OF = {"registration": "policies/centre/scoring", "scoring": "policies/centre/scheduling"}
WHY = ("--why", "the paper copy says so")


@pytest.fixture
def jianding(databases: Cluster) -> InProcess:
    """Over five empty databases."""
    return InProcess(environment(databases))


def _park(cluster: Cluster, service: str, position: int) -> str:
    consumer, source = SERVICE_OF[service].split("/", 1)
    with cluster.connect(service) as connection:
        connection.execute(
            "INSERT INTO parked (consumer, source, position, stream, type, sealed, reason)"
            " VALUES (%s, %s, %s, 'x-1', 'X', '{}', 'because')",
            (consumer, f"/{source}", position),
        )
    return f"{service}/{SERVICE_OF[service]}/{position}"


def _reject(cluster: Cluster, service: str, *bodies: bytes) -> None:
    with cluster.connect(service) as connection:
        for body in bodies:
            connection.execute(
                "INSERT INTO rejected (origin, body, reason) VALUES ('scheduling', %s, 'not JSON')", (body,)
            )


def test_the_list_of_what_is_parked_counts_what_was_rejected(jianding: InProcess, databases: Cluster) -> None:
    assert "rejected" not in jianding("parked", "list").output
    place = _park(databases, "registration", 7)
    _reject(databases, "registration", b"x")
    _reject(databases, "scoring", b"x", b"xyz")
    told = jianding("parked", "list", "--json").last
    assert [row["place"] for row in told["parked"]] == [place]
    assert told["rejected"] == {"registration": 1, "scoring": 2}
    said = jianding("parked", "list").output
    assert place in said
    assert "3 bodies" in said
    assert "jianding parked rejected" in said


def test_what_was_rejected_is_listed_with_origin_reason_and_time(
    jianding: InProcess, databases: Cluster
) -> None:
    assert "nothing" in jianding("parked", "rejected").output
    _reject(databases, "scoring", b"x", b"xyz")
    first, second = jianding("parked", "rejected", "--json").last["rejected"]
    assert (second["service"], second["id"] - first["id"], second["bytes"]) == ("scoring", 1, 3)
    assert (second["origin"], second["reason"]) == ("scheduling", "not JSON")
    assert second["received_at"].startswith("20")
    assert jianding("parked", "rejected", "--limit", "1", "--json").last["rejected"] == [second]
    said = jianding("parked", "rejected").output
    assert f"scoring {second['id']}" in said
    assert "not JSON" in said


def test_what_is_repaired_or_skipped_is_told_to_programs(jianding: InProcess, databases: Cluster) -> None:
    place = _park(databases, "registration", 7)
    repaired = jianding("parked", "repair", place, "--data", '{"level": 4}', *WHY, "--json")
    assert (repaired.code, repaired.last) == (0, {"place": place, "done": "repaired"})
    assert jianding("parked", "show", place, "--json").last["repaired"] == {"level": 4}
    skipped = jianding("parked", "skip", place, *WHY, "--json")
    assert (skipped.code, skipped.last) == (0, {"place": place, "done": "skipped"})
    assert jianding("parked", "list", "--json").last["parked"] == []


def test_the_payload_of_a_repair_may_come_from_standard_input(
    jianding: InProcess, databases: Cluster
) -> None:
    place = _park(databases, "registration", 7)
    assert jianding("parked", "repair", place, "--data", "-", *WHY).code == 0
    assert jianding("parked", "show", place, "--json").last["repaired"] == {}


def test_the_health_check_tells_programs_what_is_wrong(jianding: InProcess, databases: Cluster) -> None:
    well = jianding("healthy", "scoring", "--json")
    assert (well.code, well.last) == (0, {"healthy": True, "service": "scoring", "problem": ""})
    away = InProcess({**jianding.environment, "JIANDING_AMQP_URL": "amqp://127.0.0.1:1"})
    ill = away("healthy", "scoring", "--json")
    assert (ill.code, ill.last["healthy"]) == (1, False)
    assert "does not answer" in ill.last["problem"]


def test_a_trail_can_be_asked_for_everything_that_the_log_knows_by() -> None:
    assert tuple(Kind) == KINDS


def test_whoever_looks_at_a_parked_event_leaves_an_event(jianding: InProcess, databases: Cluster) -> None:
    place = _park(databases, "registration", 7)
    assert jianding("parked", "show", place, "--json").code == 0
    with databases.connect("registration") as connection:
        (draft,) = connection.execute("SELECT draft FROM events").fetchone() or (b"{}",)
    said = orjson.loads(draft)
    assert (said["type"], said["data"]["query"]) == ("SensitiveRead", "show_parked")


def test_looking_where_nothing_is_parked_leaves_none(jianding: InProcess, databases: Cluster) -> None:
    assert jianding("parked", "show", "registration/policies/centre/scoring/7").code != 0
    with databases.connect("registration") as connection:
        assert connection.execute("SELECT FROM events").fetchall() == []


def test_all_findings_are_listed_however_many_there_are(jianding: InProcess, databases: Cluster) -> None:
    with databases.connect("audit", "admin") as connection:
        connection.execute(
            "INSERT INTO findings (kind, source, first_position, detail)"
            " SELECT 'forged', '/centre/scoring', place, '{}' FROM generate_series(1, 2001) AS place"
        )
    found = jianding("audit", "findings", "--json").last["findings"]
    assert [each["first_position"] for each in found] == list(range(1, 2002))


def test_what_shows_a_finding_is_hashed_anew_before_it_is_shown(
    jianding: InProcess, databases: Cluster
) -> None:
    body = b"\x1b[2Jforged"
    with databases.connect("audit", "admin") as connection:
        connection.execute(
            "INSERT INTO evidence (source, body, reason) VALUES ('/centre/scoring', %b, 'no event')", (body,)
        )
        (id,) = connection.execute(
            "INSERT INTO findings (kind, source, detail) VALUES ('unreadable', '/centre/scoring',"
            " jsonb_build_object('evidence', encode(sha256(%b), 'hex'))) RETURNING id",
            (body,),
        ).fetchone() or (0,)
        shown = jianding("audit", "evidence", str(id))
        assert (shown.code, "\\x1b[2Jforged" in shown.output) == (0, True)
        assert jianding("audit", "evidence", str(id), "--json").last["kept"][0]["body"] == body.decode()
        looks = connection.execute(
            "SELECT count(*) FROM (SELECT convert_from(draft, 'UTF8')::json AS said FROM events) AS events"
            " WHERE said ->> 'type' = 'SensitiveRead' AND said -> 'data' ->> 'query' = 'evidence'"
        ).fetchone()
        assert looks == (2,)
        connection.execute("UPDATE evidence SET body = 'another'")
    assert jianding("audit", "evidence", str(id)).code != 0
    assert jianding("audit", "evidence", str(id + 1)).code != 0
