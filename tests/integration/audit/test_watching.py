"""The log as it grows, and its verification as a task: begun once, seen by all, ended by whoever wants."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.audit import checking, trails, watching
from services.audit.checking import CheckEnded, CheckRunning
from services.audit.verification import Verdict
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id, new_id
from shared.runtime import reading
from shared.runtime.settings import settings
from tests.integration.audit.witness import BATCH, Witness, tell

SUPERVISOR = derived_id("person", "supervisor")
BY = Actor(SUPERVISOR, Role.SUPERVISOR, "centre")


class Workshop:
    """The parts of a service that a task needs."""

    def __init__(self, witness: Witness) -> None:
        self._witness, self.settings = witness, settings()

    def connect(self) -> Any:
        return self._witness.visit()

    def committed(self) -> None:
        """Nobody waits for it here."""


@pytest.fixture
def begun(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> int:
    """A task that has begun, and tells of its progress at every step."""
    monkeypatch.setattr(checking, "_TOLD", 0)
    return checking.begin(witness.connection, SUPERVISOR)


def _verified_by(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    def verdict(_: Any, progress: Any) -> Verdict:
        found = witness.verdict()
        progress(found.size)
        return found

    monkeypatch.setattr(checking, "verdict", verdict)


def test_a_task_tells_how_far_it_is_and_what_it_found(
    witness: Witness, begun: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (running,) = witness.ask(checking.shown)
    assert (running["id"], running["running"], running["whole"], running["done"]) == (begun, True, 18, 0)
    _verified_by(witness, monkeypatch)
    checking.run(Workshop(witness), begun, BY)  # type: ignore[arg-type]
    (ended,) = witness.ask(checking.shown)
    assert (ended["running"], ended["done"], ended["verdict"]["verified"]) == (False, 18, True)
    (said,) = [json.loads(draft) for (draft,) in witness.admin.execute("SELECT draft FROM events")]
    assert (said["type"], said["actor"], said["data"]["size"]) == ("LogVerified", SUPERVISOR, 18)


def test_a_task_names_the_first_bad_entry(
    witness: Witness, begun: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness.admin.execute("UPDATE entries SET actor = 'somebody else' WHERE index = 7")
    _verified_by(witness, monkeypatch)
    checking.run(Workshop(witness), begun, BY)  # type: ignore[arg-type]
    (ended,) = witness.ask(checking.shown)
    assert (ended["verdict"]["verified"], ended["verdict"]["first"]) == (False, 7)


def test_of_two_that_begin_in_the_same_instant_the_second_sees_the_first(witness: Witness) -> None:
    with witness.visit() as first, witness.visit() as second, ThreadPoolExecutor(1) as pool:
        with first.transaction():
            checking.begin(first, SUPERVISOR)
            late = pool.submit(checking.begin, second, SUPERVISOR)
            with pytest.raises(TimeoutError):
                late.result(timeout=0.5)
        with pytest.raises(CheckRunning):
            late.result(timeout=10)


def test_there_is_one_task_at_a_time_and_whoever_cancels_ends_it(
    witness: Witness, begun: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CheckRunning):
        checking.begin(witness.connection, SUPERVISOR)
    checking.cancel(witness.connection, begun)
    _verified_by(witness, monkeypatch)
    checking.run(Workshop(witness), begun, BY)  # type: ignore[arg-type]
    (ended,) = witness.ask(checking.shown)
    assert (ended["running"], ended["cancelled"], ended["verdict"]) == (False, True, None)
    with pytest.raises(CheckEnded):
        checking.cancel(witness.connection, begun)
    assert checking.begin(witness.connection, SUPERVISOR) > begun


def test_a_task_whose_process_is_gone_holds_nobody_up(witness: Witness, begun: int) -> None:
    witness.admin.execute("UPDATE checks SET touched_at = now() - interval '1 minute'")
    assert not witness.ask(checking.shown)[0]["running"]
    assert checking.begin(witness.connection, SUPERVISOR) > begun


def test_the_newest_entries_come_first_and_only_those_behind_an_index(witness: Witness) -> None:
    assert [each["index"] for each in witness.ask(watching.newest, 14)] == [17, 16, 15]
    assert [each["index"] for each in witness.ask(watching.newest, limit=2)] == [17, 16]


def test_what_somebody_looked_at_is_told_newest_first_and_page_by_page(witness: Witness) -> None:
    scoring, other = witness.sources[2], Actor(derived_id("person", "other"), Role.SUPERVISOR, "centre")
    for rows, by in ((1, BY), (2, BY), (9, other), (3, BY)):
        scoring.say(reading.read_of("scoring", new_id(), "results", {"batch": BATCH}, rows), by)
    witness.hear()
    newest, second = witness.ask(watching.looks, SUPERVISOR, limit=2)
    (third,) = witness.ask(watching.looks, SUPERVISOR, second["index"])
    assert [each["data"]["rows"] for each in (newest, second, third)] == [3, 2, 1]


def test_an_entry_is_found_by_its_event_and_with_it_what_belongs_together(witness: Witness) -> None:
    step = witness.ask(trails.trail, "batch", BATCH)[3]
    assert witness.ask(watching.entry, step["id"]) == step
    together = witness.ask(watching.together, step["correlation"], step["index"])
    assert step in together
    assert all(step["correlation"] in (each["correlation"], each["causation"]) for each in together)
    assert witness.ask(watching.entry, derived_id("nobody")) is None


def test_the_pace_of_the_last_minutes_is_what_came_in_them(witness: Witness) -> None:
    witness.admin.execute(
        "UPDATE entries SET received_at = date_trunc('minute', now()) - interval '150 seconds'"
        " WHERE index < 11"
    )
    witness.admin.execute("UPDATE entries SET received_at = now() WHERE index >= 11")
    tell(witness, "Xin")
    counts = [each["events"] for each in witness.ask(watching.pace, minutes=5)]
    assert sum(counts) == 18
    assert counts[-4:] == [11, 0, 0, 7]


def test_the_pace_of_an_empty_log_is_nothing(empty: Witness) -> None:
    assert {each["events"] for each in empty.ask(watching.pace, minutes=5)} == {0}


def test_what_is_only_on_its_way_is_called_behind(
    witness: Witness, begun: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(witness, "Qing")  # and audit has not heard of it
    _verified_by(witness, monkeypatch)
    checking.run(Workshop(witness), begun, BY)  # type: ignore[arg-type]
    (ended,) = witness.ask(checking.shown)
    assert (ended["verdict"]["verdict"], ended["verdict"]["verified"]) == ("behind", False)
    (said,) = [json.loads(draft) for (draft,) in witness.admin.execute("SELECT draft FROM events")]
    assert said["data"]["verdict"] == "behind"
    witness.admin.execute("UPDATE entries SET actor = 'somebody else' WHERE index = 7")
    assert witness.verdict().word == "altered"
