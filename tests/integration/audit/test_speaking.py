"""Audit speaks: looking at trails, and what it finds, are events of its own log."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest

from services.audit import findings
from services.audit.log import recorder
from services.audit.raising import raise_finding
from shared.bus.calls import Refused
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id, new_id
from shared.runtime import databases as roles
from shared.store import inbox, migrations
from shared.testing.calls import calling
from shared.testing.postgres import Cluster
from shared.testing.processes import Processes, environment
from shared.wire.envelope import digest, read
from tests.integration.audit.witness import Witness

SUPERVISOR = Actor(derived_id("Du"), Role.SUPERVISOR, "centre", device="terminal-7")
OTHER = Actor(derived_id("Jian"), Role.CENTRE_OFFICER, "centre")
CANDIDATE = Actor(derived_id("Lin"), Role.CANDIDATE, "station-10012003")


def said(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """What audit has committed of its own, in order."""
    rows = connection.execute("SELECT draft FROM events ORDER BY xid, seq").fetchall()
    return [orjson.loads(draft) for (draft,) in rows]


@pytest.fixture
def audit(witness: Witness, bus: str, cluster: Cluster, tmp_path: Path) -> Iterator[str]:
    """Audit and its relay at work on the log of the witness; the URL of their bus."""
    with Processes(tmp_path, environment(cluster, bus, catch_up_seconds=3600)) as processes:
        processes.run("serve", "audit")
        processes.run("relay", "audit")
        yield bus


def reached(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 30
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def subject(witness: Witness, kind: str) -> str:
    row = witness.connection.execute(
        "SELECT ref FROM subjects WHERE kind = %s ORDER BY index LIMIT 1", (kind,)
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_who_looks_at_a_trail_stands_in_it_with_what_he_asked_for(audit: str, witness: Witness) -> None:
    batch = subject(witness, "batch")
    with calling(audit, SUPERVISOR) as ask:
        shown = ask("audit", "trail", kind="batch", id=batch, limit=2, types=["ScoreSubmitted"])
        (look,) = said(witness.connection)
        assert (look["type"], look["refs"], look["actor"]) == ("TrailRead", f"batch:{batch}", SUPERVISOR.id)
        assert (look["data"]["rows"], look["data"]["types"]) == (len(shown), ["ScoreSubmitted"])
        assert look["device"] == "terminal-7"
        behind = {"kind": "batch", "id": batch, "after": 17}
        (step,) = reached(lambda: ask("audit", "trail", **behind))
    assert (step["type"], step["actor"], step["device"]) == ("TrailRead", SUPERVISOR.id, "terminal-7")
    assert (step["source"], step["index"]) == ("/centre/audit", 18)


def test_ones_own_looks_are_shown_and_make_no_further_ones_but_those_of_others_do(
    audit: str, witness: Witness
) -> None:
    batch = subject(witness, "batch")
    with calling(audit, SUPERVISOR) as ask, calling(audit, OTHER) as ask_too:
        last = ask("audit", "trail", kind="batch", id=batch)[-1]["index"]
        behind = {"kind": "batch", "id": batch, "after": last}
        (own,) = reached(lambda: ask("audit", "trail", **behind))
        assert ask("audit", "trail", **{**behind, "after": own["index"]}) == []
        assert len(said(witness.connection)) == 1
        assert ask_too("audit", "trail", **behind) == [own]
    assert [each["actor"] for each in said(witness.connection)] == [SUPERVISOR.id, OTHER.id]


def test_a_look_for_somebody_unknown_is_kept_without_what_was_typed(audit: str, witness: Witness) -> None:
    with calling(audit, SUPERVISOR) as ask:
        assert ask("audit", "trail", kind="candidate", id="虚构的名字", actor="虚构的人") == []
    (look,) = said(witness.connection)
    assert look["data"] | {"read": ""} == {
        "read": "", "trail": "candidate:", "after": -1, "as_of": "", "types": [], "doer": "", "since": "",
        "until": "", "rows": 0,
    }  # fmt: skip
    assert look["refs"] == ""


@pytest.mark.parametrize("call", ["trail", "entries", "findings", "verify", "events_after"])
def test_who_may_not_look_has_tried(call: str, audit: str, witness: Witness) -> None:
    batch = new_id()
    asked = {"trail": {"kind": "batch", "id": batch}, "events_after": {"position": 0}}.get(call, {})
    with calling(audit, CANDIDATE) as ask, pytest.raises(Refused, match="NotForThisRole"):
        ask("audit", call, **asked)
    (tried,) = said(witness.connection)
    assert (tried["type"], tried["actor"], tried["data"]["command"]) == ("AttemptRefused", CANDIDATE.id, call)
    assert tried["refs"] == (f"batch:{batch}" if call == "trail" else "")


def test_the_log_read_by_a_person_and_verified_is_in_audits_own_log(audit: str, witness: Witness) -> None:
    with calling(audit, SUPERVISOR) as ask:
        assert len(ask("audit", "entries")) == 18
    look = said(witness.connection)[-1]
    assert (look["type"], look["data"]["query"], look["data"]["rows"]) == ("SensitiveRead", "entries", 18)


def test_who_watches_the_log_grow_is_told_once_for_what_came_since(audit: str, witness: Witness) -> None:
    with calling(audit, SUPERVISOR) as ask:
        assert len(ask("audit", "newest", limit=5)) == 5
        (own,) = reached(lambda: ask("audit", "newest", after=17))
        assert ask("audit", "newest", limit=5)[0] == own
    (look,) = said(witness.connection)
    assert (look["data"]["query"], look["data"]["rows"]) == ("newest", 5)


def test_audits_own_log_can_be_followed_like_any_other(audit: str, witness: Witness) -> None:
    batch = subject(witness, "batch")
    with calling(audit, SUPERVISOR) as ask:
        ask("audit", "trail", kind="batch", id=batch)
        page = reached(
            lambda: [each for each in [ask("audit", "events_after", position=0)] if each["events"]]
        )
    first = read(page[0]["events"][0].encode())
    assert (first.source, first.position, first.type) == ("/centre/audit", 1, "TrailRead")


def _raised(connection: psycopg.Connection[Any], position: int = 3) -> None:
    where, detail = (position, position), b'{"reason":"for this test"}'
    raise_finding(connection, "centre", "fork", "/centre/scoring", where, (8, 8), detail)


def test_a_finding_is_said_in_the_transaction_that_raises_it_once_and_without_its_detail(
    witness: Witness,
) -> None:
    for _ in range(2):
        _raised(witness.connection)
    with pytest.raises(ZeroDivisionError), witness.connection.transaction():
        _raised(witness.connection, 4)
        raise ZeroDivisionError
    (found,) = said(witness.connection)
    assert (found["type"], found["actor"], found["role"]) == ("FindingRaised", "audit", "service")
    assert found["data"] | {"finding": ""} == {
        "finding": "", "kind": "fork", "about": "/centre/scoring", "first_position": 3, "last_position": 3,
        "first_index": 8, "last_index": 8, "evidence": "", "batch": "",
    }  # fmt: skip
    assert witness.connection.execute("SELECT count(*) FROM findings").fetchone() == (1,)


def test_a_row_that_somebody_wrote_beforehand_silences_nothing(witness: Witness) -> None:
    witness.admin.execute(
        "INSERT INTO findings (kind, source, first_position, last_position, first_index, last_index, detail)"
        " VALUES ('fork', '/centre/scoring', 3, 3, 8, 8, '{}')"
    )
    for _ in range(2):
        _raised(witness.connection)
    assert [each["data"]["kind"] for each in said(witness.connection)] == ["fork"]
    assert witness.connection.execute("SELECT count(*) FROM findings").fetchone() == (1,)


@pytest.mark.parametrize(
    "taken",
    [
        "INSERT INTO events (stream, version, draft) VALUES (%(stream)s, 1, 'no event')",
        "INSERT INTO events (stream, version, draft) VALUES"
        " (%(stream)s, 1, replace(convert_from(%(draft)s, 'UTF8'), '\"fork\"', '\"none\"')::bytea)",
        "INSERT INTO commands VALUES (%(id)s, '', '')",
    ],
)
def test_something_else_in_the_place_of_its_event_silences_nothing(witness: Witness, taken: str) -> None:
    with witness.connection.transaction(force_rollback=True):
        _raised(witness.connection)
        (found,) = said(witness.connection)
    id = found["data"]["finding"]
    place = {"stream": f"finding-{id}", "id": id, "draft": orjson.dumps(found)}
    witness.admin.execute(taken, place)
    for _ in range(2):
        _raised(witness.connection)
    drafts = witness.connection.execute("SELECT draft FROM events ORDER BY seq").fetchall()
    forks = [draft for (draft,) in drafts if b'"kind":"fork"' in bytes(draft)]
    assert len(forks) == 1


def test_a_row_that_somebody_deleted_comes_back_and_its_event_is_not_said_again(witness: Witness) -> None:
    _raised(witness.connection)
    witness.admin.execute("DELETE FROM findings")
    _raised(witness.connection)
    assert len(said(witness.connection)) == 1
    assert witness.connection.execute("SELECT count(*) FROM findings").fetchone() == (1,)


def test_what_is_said_names_the_evidence_and_altered_evidence_is_not_shown(witness: Witness) -> None:
    event = witness.source("scoring").events()[0]
    forged = orjson.dumps({**event.attributes, "body": "station-1"}, option=orjson.OPT_SORT_KEYS)
    inbox.apply(witness.connection, recorder, event.source, [read(forged)])
    (found,) = said(witness.connection)
    assert found["data"]["evidence"] == digest(forged).hex()
    (id,) = witness.connection.execute("SELECT id FROM findings").fetchone() or (0,)
    shown = witness.ask(findings.evidence, id)
    assert (shown["named"], [bytes(row["body"]) for row in shown["kept"]]) == (digest(forged).hex(), [forged])
    witness.admin.execute("UPDATE evidence SET body = 'another'")
    assert witness.ask(findings.evidence, id)["kept"] == []
    assert witness.ask(findings.evidence, id + 1) is None


def test_what_contradicts_the_log_is_said_as_well(witness: Witness) -> None:
    source = witness.source("scoring")
    event = source.events()[0]
    forged = orjson.dumps({**event.attributes, "body": "station-1"}, option=orjson.OPT_SORT_KEYS)
    inbox.apply(witness.connection, recorder, source.name, [read(forged)])
    (found,) = said(witness.connection)
    assert (found["data"]["kind"], found["data"]["first_position"]) == ("equivocation", 1)


def test_the_signer_may_say_what_it_finds_and_nothing_else(witness: Witness, cluster: Cluster) -> None:
    role = migrations.signer_role("audit")
    dsn = roles.as_role(cluster.settings, cluster.postgres.dsn, "audit", role)
    with closing(psycopg.connect(dsn, autocommit=True)) as connection:
        _raised(connection)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "SELECT append('x', 0, '{}', %s, '', '', '{}', '{}', '{}', '{}', '{}', '{}')", (new_id(),)
            )
    assert [each["type"] for each in said(witness.connection)] == ["FindingRaised"]
