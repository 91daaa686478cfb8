"""A sample of the long run: writers, relays, broker and audit are killed, and audit finds nothing."""

import json
import random
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults import history
from tests.faults.endurance import KINDS, is_bad, kills, kind
from tests.faults.history import Asked
from tests.faults.journal import Journal, read

_EVENTS, _WRITERS = 3_000, 4


def test_everybody_dies_at_even_shares_of_the_way() -> None:
    dealt = kills(200_000, 8, random.Random("seed"))
    assert dealt == kills(200_000, 8, random.Random("seed")) != kills(200_000, 8, random.Random("other"))
    counted = Counter(map(kind, dealt))
    assert counted == {
        "writer": 80, "relay": 40, "serve": 20, "audit": 40, "signer": 10, "witness": 10, "broker": 8
    }  # fmt: skip


@pytest.mark.parametrize("events", [1, _EVENTS, 200_000])
def test_no_kind_of_program_is_spared(events: int) -> None:
    assert set(map(kind, kills(events, _WRITERS, random.Random("seed")))) == set(KINDS)


def test_a_run_that_spares_a_kind_of_program_has_failed() -> None:
    good = {**dict.fromkeys((*history.KINDS, "findings", "ended"), 0), "verified": True, "events": 5}
    assert not is_bad({**good, "spared": []}, 5)
    assert is_bad({**good, "spared": ["witness"]}, 5)


def test_a_writer_that_died_asks_again_what_it_was_not_told(tmp_path: Path) -> None:
    path = tmp_path / "writer.jsonl"
    with closing(Journal(path)) as journal:
        for command in ("first", "second"):
            journal.ask(Asked("registration", "withdraw_application", command, {}, {}))
            if command == "first":
                journal.told({"events": []})
    with closing(Journal(path)) as again:
        assert again.open == Asked("registration", "withdraw_application", "second", {}, {}, [None])
        again.refused({"code": "ApplicationUnknown"})
    with closing(Journal(path)) as last:
        assert last.open is None
    assert [command.told for command in read(path)] == [True, True]


@pytest.mark.parametrize("line", ['{"told": {"events"', '{"asked": ["registration", "withdr'])
def test_a_line_that_a_death_has_torn_says_nothing(line: str, tmp_path: Path) -> None:
    path = tmp_path / "writer.jsonl"
    with closing(Journal(path)) as journal:
        journal.ask(Asked("registration", "withdraw_application", "first", {}, {}))
    with path.open("a") as file:
        file.write(line)
    with closing(Journal(path)) as again:
        assert again.open is not None
        again.told({"events": []})
    assert [command.answers for command in read(path)] == [[None, {"events": []}]]


@pytest.mark.timeout(300)
def test_audit_finds_nothing_after_kills_of_everybody(project: Path) -> None:
    run = subprocess.run(
        [
            *(sys.executable, "-m", "tests.faults.endurance", "--minutes", "4"),
            *("--events", str(_EVENTS), "--writers", str(_WRITERS)),
        ],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads(run.stdout.splitlines()[-1])
    assert report["events"] >= _EVENTS
    assert report["kills"].keys() == set(KINDS)
    assert report["verified"]
    assert [report[what] for what in ("findings", "lost", "duplicated", "reordered", "divergent")] == [0] * 5
