"""The checker sees every kind of untruth, and none where there is none."""

import gc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from shared.testing.rabbitmq.node import wait_until
from tests.faults import history
from tests.faults.deck import Tally
from tests.faults.stage import Stage
from tests.faults.theatre import Theatre

# nameko's client forgets the sockets of connections that broke
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

_COMMANDS = 150

_ENROLS = "position('CandidateEnrolled' IN convert_from({}, 'UTF8')) > 0"
_ANOTHER_ID = (
    'convert_to(regexp_replace(convert_from({}, \'UTF8\'), \'"id":"[^"]*"\','
    " '\"id\":\"00000000-0000-7000-8000-000000000000\"'), 'UTF8')"
)
# what is untrue: the kind of finding, what it is about, whose database, and how it becomes untrue
_LIES = {
    "an event is not in the log": (
        "lost",
        "registration: appended and sealed",
        "registration",
        "DELETE FROM log WHERE position = (SELECT max(position) FROM log)",
    ),
    "a reaction is not in the log": (
        "lost",
        "on the roster",
        "scheduling",
        "DELETE FROM events WHERE position('CandidateEnrolled' IN convert_from(draft, 'UTF8')) > 0;"
        "DELETE FROM log WHERE position('CandidateEnrolled' IN convert_from(sealed, 'UTF8')) > 0",
    ),
    "audit has an event less": ("lost", "audit: index", "audit", "DELETE FROM entries WHERE index = 3"),
    "something is parked": (
        "lost",
        "audit: set aside",
        "audit",
        "INSERT INTO parked VALUES ('log', '/centre/scoring', 1, 'stream', 'type', '', 'reason')",
    ),
    "an event is in the log twice": (
        "duplicated",
        "registration: appended and sealed",
        "registration",
        "INSERT INTO log SELECT max(position) + 1, min(hash), min(sealed) FROM log",
    ),
    "two events of a stream changed places": (
        "reordered",
        "registration: version of",
        "registration",
        "WITH placed AS"
        " (SELECT position, sealed, convert_from(sealed, 'UTF8')::json->>'subject' AS stream FROM log),"
        " two AS (SELECT a.position AS one, b.position AS other, a.sealed AS first, b.sealed AS second"
        " FROM placed a JOIN placed b ON a.stream = b.stream AND a.position < b.position LIMIT 1)"
        " UPDATE log SET sealed = CASE position WHEN one THEN second ELSE first END"
        " FROM two WHERE position IN (one, other)",
    ),
    "an event was altered": (
        "divergent",
        "registration: position 5",
        "registration",
        "UPDATE log SET sealed = sealed || ' '::bytea WHERE position = 5",
    ),
    "a row of a projection is missing": (
        "divergent",
        "register",
        "registration",
        "DELETE FROM register_{live}.applications"
        " WHERE ctid = (SELECT min(ctid) FROM register_{live}.applications)",
    ),
    "a candidate is enrolled twice": (
        "duplicated",
        "on the roster",
        "scheduling",
        f"WITH one AS (SELECT draft FROM events WHERE {_ENROLS.format('draft')} LIMIT 1)"
        " INSERT INTO events (stream, version, draft)"
        f" SELECT 'again', 1, {_ANOTHER_ID.format('draft')} FROM one;"
        f"WITH one AS (SELECT hash, sealed FROM log WHERE {_ENROLS.format('sealed')} LIMIT 1)"
        " INSERT INTO log SELECT (SELECT max(position) + 1 FROM log), hash,"
        f" {_ANOTHER_ID.format('sealed')} FROM one",
    ),
    "two entries of audit changed places": (
        "divergent",
        "audit: tree",
        "audit",
        "UPDATE entries SET index = 1000000 WHERE index = 3; UPDATE entries SET index = 3 WHERE index = 4;"
        "UPDATE entries SET index = 4 WHERE index = 1000000",
    ),
    "when audit heard of an event was altered": (
        "divergent",
        "audit: tree",
        "audit",
        "UPDATE entries SET leaf = set_byte(leaf, length(leaf) - 1, 0) WHERE index = 3",
    ),
    "what audit heard was altered": (
        "divergent",
        "audit: position of",
        "audit",
        "UPDATE entries SET leaf = set_byte(leaf, 2, 0) WHERE index = 3",
    ),
    "audit has signed another root": (
        "divergent",
        "audit: tree",
        "audit",
        "UPDATE signed_checkpoints SET root = sha256(root)",
    ),
    "audit has no head of its last entries": (
        "lost",
        "audit: no tree head",
        "audit",
        "DELETE FROM tree_heads WHERE size = (SELECT max(size) FROM tree_heads)",
    ),
    "audit accuses a source": (
        "divergent",
        "audit accuses",
        "audit",
        "INSERT INTO findings (kind, source, detail) VALUES ('equivocation', '/centre/registration', '{}')",
    ),
    "a head is signed by nobody": (
        "divergent",
        "registration: nobody has signed",
        "registration",
        "UPDATE heads SET signature = set_byte(signature, 0, get_byte(signature, 0) # 1)",
    ),
    "a head is not the log's": (
        "divergent",
        "registration: the signed head",
        "registration",
        "UPDATE heads SET hash = sha256(hash)",
    ),
    "no head is of the whole log": (
        "lost",
        "registration: no head",
        "registration",
        "DELETE FROM heads WHERE position = (SELECT max(position) FROM heads)",
    ),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Something was accepted and something refused, and nothing is on its way any more."""
    folder = tmp_path_factory.mktemp("theatre")
    with Theatre(folder).open() as theatre, Stage(theatre, "stage", folder, Tally()).open() as stage:
        with stage.clients.work():
            assert wait_until(lambda: len(stage.clients.asked) > _COMMANDS and attempts(stage), 60)
        with stage.still():
            yield stage
    gc.collect()  # while what the mark says still holds


def attempts(stage: Stage) -> list[int]:
    """The places of the commands that somebody was not entitled to."""
    return [
        place
        for place, command in enumerate(list(stage.clients.asked))
        if {"DutyConflict", "SecondPersonNeeded"} & {refusal["code"] for refusal in command.refused}
    ]


def kinds(findings: list[history.Finding]) -> set[str]:
    return {finding.kind for finding in findings}


def test_there_is_nothing_to_find_where_nothing_was_altered(stage: Stage) -> None:
    assert stage.check() == []
    assert any(command.answered for command in stage.clients.asked)
    assert any(command.refused for command in stage.clients.asked)


@pytest.mark.parametrize("lie", _LIES)
def test_the_checker_sees_that(lie: str, stage: Stage) -> None:
    kind, what, where, statement = _LIES[lie]

    def connect(service: str) -> psycopg.Connection[Any]:
        connection = stage.admin(service)  # which never commits
        if service == where:
            connection.execute("SET session_replication_role = replica")
            row = connection.execute("SELECT live FROM projections WHERE name = 'register'").fetchone()
            connection.execute(statement.replace("{live}", str(row[0]) if row else ""))
        return connection

    found = history.check(stage.clients.asked, connect, stage.keys)
    assert [each for each in found if each.kind == kind and each.what.startswith(what)], found


def test_the_checker_sees_that_an_acceptance_was_a_lie(stage: Stage) -> None:
    asked = list(stage.clients.asked)
    place = next(place for place, command in enumerate(asked) if command.refused)
    asked[place] = replace(asked[place], answers=asked[0].answered, refusals=[])
    assert "lost" in kinds(history.check(asked, stage.admin, stage.keys))


def test_the_checker_sees_that_a_refusal_was_a_lie(stage: Stage) -> None:
    first, *others = stage.clients.asked
    lie = replace(first, answers=[], refusals=[{"code": "BatchExists"}])
    assert kinds(history.check([lie, *others], stage.admin, stage.keys)) == {"divergent"}


def test_the_checker_sees_that_a_client_was_told_two_things(stage: Stage) -> None:
    asked = list(stage.clients.asked)
    place = next(place for place, command in enumerate(asked) if command.answered)
    answer = asked[place].answered[0]
    asked[place] = replace(asked[place], answers=[answer, {**answer, "version": answer["version"] + 1}])
    (found,) = history.check(asked, stage.admin, stage.keys)
    assert (found.kind, found.what[:14]) == ("divergent", "told two thing")


@pytest.mark.parametrize(
    ("code", "kinds_found"), [("Interrupted", set()), ("NotAwaitingThis", {"divergent"})]
)
def test_an_attempt_is_left_without_being_told_only_where_the_client_was_in_doubt(
    code: str, kinds_found: set[str], stage: Stage
) -> None:
    asked = list(stage.clients.asked)
    place = attempts(stage)[0]
    asked[place] = replace(asked[place], refusals=[{"code": code}, {"code": "NotAwaitingThis"}])
    assert kinds(history.check(asked, stage.admin, stage.keys)) == kinds_found


def test_a_projection_that_a_rebuild_would_make_otherwise_is_found(stage: Stage) -> None:
    with stage.admin("scheduling") as connection:
        row = connection.execute("SELECT live FROM projections WHERE name = 'board'").fetchone()
        assert row is not None
        connection.execute(f"UPDATE board_{row[0]}.sittings SET status = 'seated'")
    assert kinds(stage.rebuilt()) == {"divergent"}
    assert stage.rebuilt() == []
