"""`jianding verify`: what was altered is kept apart from what is on its way; every own log is looked at."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from services.audit.log import recorder
from shared.runtime.cli import verifying
from shared.store import inbox
from shared.testing.command import Done, InProcess
from shared.testing.postgres import Cluster
from shared.testing.processes import environment
from shared.wire.envelope import read
from tests.integration.store.office import Office


@pytest.fixture
def office(databases: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Registration with 3 events that its relay has sealed; audit has heard the first 2."""
    monkeypatch.setattr(verifying, "_LAGS", 0)
    with ExitStack() as stack:
        office = Office(databases, stack, "registration", empty=False)
        for candidate in ("Ling", "Hua", "Ming"):
            office.submit(candidate, "batch")
        office.sealer().seal()
        _hear(office, 2)
        yield office


def _hear(office: Office, upto: int) -> None:
    bodies = [sealed for _, _, sealed in office.log()[:upto]]
    with office.cluster.connect("audit") as connection:
        inbox.apply(connection, recorder, office.source, [read(body) for body in bodies])


def _verify(office: Office, *words: str, **settings: str) -> Done:
    embedded = {"JIANDING_DATABASE_URL": ""}
    return InProcess({**environment(office.cluster), **embedded, **settings})("verify", *words)


def test_what_is_on_its_way_is_not_called_altered(office: Office) -> None:
    told = _verify(office, "--json")
    assert (told.code, told.last["verdict"], told.last["verified"]) == (3, "behind", False)
    assert (told.last["missing"], told.last["problems"]) == ({office.source: 1}, [])
    said = _verify(office)
    assert said.code == 3
    assert "1 events of /centre/registration are not in the log yet; run `jianding up`" in said.output
    assert "NOT VERIFIED" not in said.output


def test_what_has_arrived_is_verified_and_the_own_logs_were_compared(office: Office) -> None:
    _hear(office, 3)
    told = _verify(office, "--json")
    assert (told.code, told.last["verdict"], told.last["own_logs"]) == (0, "verified", "compared")
    assert "compared event by event" in _verify(office).output
    elsewhere = _verify(office, JIANDING_DATABASE_URL=office.cluster.admin)
    assert (elsewhere.code, "signed heads were compared" in elsewhere.output) == (0, True)


ALTERED = {
    "UPDATE log SET sealed = sealed || ' '::bytea WHERE position = 2": (
        "2 of its own log: its bytes were altered"
    ),
    "UPDATE log SET sealed = 'x', hash = sha256('x') WHERE position = 2": (
        "2 of its own log: it is another event in the audit log"
    ),
    "DELETE FROM log WHERE position = 1": "1 of its own log: it is missing",
    "DELETE FROM log WHERE position = 3": "3 of its own log: it is missing",
    "INSERT INTO log VALUES (4, sha256('x'), 'x')": "4 of its own log: no signed head speaks of it",
    "UPDATE log SET sealed = 'x', hash = sha256('x') WHERE position = 3": (
        "3 of its own log: its bytes are not those that its newest head was signed for"
    ),
}


def test_what_is_altered_in_a_sources_own_log_is_named_with_its_position(office: Office) -> None:
    office.admin.execute("SET session_replication_role = replica")
    before = office.log()
    for change, where in ALTERED.items():
        assert office.admin.execute(change).rowcount == 1
        told = _verify(office, "--json")
        office.admin.execute("DELETE FROM log")
        for row in before:
            office.admin.execute("INSERT INTO log VALUES (%s, %s, %s)", row)
        assert (told.code, told.last["verdict"]) == (1, "altered"), change
        (problem, *_) = [each for each in told.last["problems"] if where in each["problem"]]
        # audit has heard positions 1 and 2, at the indexes 0 and 1
        heard = int(where[0]) <= 2
        assert problem["index"] == (int(where[0]) - 1 if heard else None)
        assert (told.last["first"] is not None) == any(
            each["index"] is not None for each in told.last["problems"]
        )


def test_events_that_audit_had_and_has_no_more_are_not_on_their_way(office: Office) -> None:
    with office.cluster.connect("audit", "admin") as connection:
        connection.execute("SET session_replication_role = replica")
        for table in ("entries", "subjects"):
            connection.execute(f"DELETE FROM {table} WHERE index = 1")
        connection.execute("DELETE FROM tree_heads WHERE size = 2")
    told = _verify(office, "--json")
    assert (told.code, told.last["verdict"]) == (1, "altered")
    assert any("of 2 events that it had" in problem["problem"] for problem in told.last["problems"])


@pytest.mark.parametrize("command", ["verify", "doctor"])
def test_data_of_another_body_is_refused_before_it_is_touched(command: str, office: Office) -> None:
    theirs = {**environment(office.cluster), "JIANDING_DATABASE_URL": "", "JIANDING_BODY": "station-10012003"}
    done = InProcess(theirs)(command)
    assert done.code == 1
    assert "JIANDING_BODY" in done.output + done.errors
    assert "another" in done.output + done.errors
    assert list((office.cluster.settings.secrets / "sources").glob("station*")) == []


@pytest.mark.parametrize("bytes_", ["'{}'", "'x'", "(SELECT sealed FROM log WHERE position = 3)"])
def test_a_view_is_not_rebuilt_from_an_altered_log_and_one_line_says_what_to_do(
    bytes_: str, office: Office
) -> None:
    office.admin.execute("SET session_replication_role = replica")
    assert office.admin.execute(f"UPDATE log SET sealed = {bytes_} WHERE position = 2").rowcount == 1
    done = InProcess(environment(office.cluster))("rebuild", "registration/register")
    assert done.code == 1
    assert "日志被改动" in done.errors
    assert "jianding verify" in done.errors
    assert "Traceback" not in done.errors
