"""A sample of `make tamper`: every class of mutations, each found where it is, and no false alarm."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.tamper import runs
from tests.tamper.deeds import KINDS, Chance, Deed, Expected, Kind, Seen, at, done, within
from tests.tamper.forging import first_torn, relinked, spelled, turned

ASKED = {
    "change": "row-content-changed",
    "delete": "row-deleted",
    "insert": "row-inserted-again",
    "swap": "rows-swapped",
    "truncate": "tail-cut-off",
    "replay": "row-replayed",
    "re-chain after change": "chain-rewritten",
    "backdate": "arrival-backdated",
    "forged actor": "actor-forged",
    "forged source": "source-forged",
    "split view": "split-view",
    "rollback from a backup": "backup-restored",
    "tile edit": "tile-bit",
    "checkpoint edit": "checkpoint-bit",
    "cosignature edit": "cosignature-bit",
    "policy edit": "policy-quorum-lowered",
    "key swap": "key-swapped",
    "subject-index omission": "subject-omitted",
    "plain trail omission": "newest-of-a-trail-hidden",
    "trail cut whole": "subject-head-cut-with-its-entries",
    "trail omission": "trail-entry-omitted",
    "column swap": "columns-swapped",
    "ALTER TYPE … USING": "type-altered-using",
    "disabled trigger": "triggers-disabled",
    "replica role": "replica-role",
    "row-level-security hiding": "rows-hidden-by-row-level-security",
    "offline file edit": "file-swapped",
    "another's event id": "id-of-another-event-taken",
    "change before it is signed": "new-entry-rewritten",
    "arrival moved before it is signed": "new-arrival-moved",
    "batch count edit": "batch-count-changed",
    "batch omission": "event-of-a-closed-batch-dropped",
    "batch addition": "event-added-to-a-closed-batch",
}

# each mutation of them is another one, and all that there are make up a full run
BITS = ("checkpoint-bit", "cosignature-bit", "policy-key-bit", "signer-memory-bit", "witness-memory-bit")


@pytest.mark.timeout(600)
def test_two_thousand_mutations_are_detected_and_an_untouched_log_raises_no_alarm(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.tamper", "--count", "2000", "--seed", "sample"],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["mutations"] == report["detected"] >= 2000
    assert report["false_alarms"] == 0
    assert report["untouched"] >= 200
    assert report["by_class"].keys() == KINDS.keys() >= set(ASKED.values())
    assert report["classes"] >= 25
    assert report["exact"] + report["ranged"] + report["unknowable"] == report["detected"]
    of_bits = [report["by_class"][name] for name in BITS]
    assert [each["distinct"] for each in of_bits] == [each["mutations"] for each in of_bits]


def test_shares_follow_from_the_count_and_every_class_has_some() -> None:
    numbers = runs.dealt(5000)
    assert numbers.keys() == KINDS.keys()
    assert all(number >= min(2, KINDS[name].most or 2) for name, number in numbers.items())
    assert sum(numbers.values()) >= 5000
    assert runs.dealt(10, ["entry-bit"]) == {"entry-bit": 10}


def test_nothing_is_done_twice_where_there_is_little_to_do() -> None:
    numbers = runs.dealt(100_000)
    few = {each.name: each.most for each in KINDS.values() if each.most}
    assert {name: numbers[name] for name in few} == few
    assert sum(numbers.values()) >= 100_000
    assert runs.dealt(10, ["signer-memory-lost"]) == {"signer-memory-lost": 1}


def test_bits_are_turned_one_after_the_other_and_each_once() -> None:
    chance, found = Chance(1), set()
    for chance.number in range(7, 7 + 32):
        found.add(turned(b"abcdef", chance, (1, 3), (4, 6)))
    assert len(found) == 32
    assert {(wrong[0], wrong[3]) for wrong in found} == {(ord("a"), ord("d"))}


# -- the judgement itself: it must be able to say no


def said(verdict: str, index: int | None = None) -> Seen:
    return Seen(verdict, index)


@pytest.mark.parametrize(
    ("expected", "met", "not_met"),
    [
        (at(Seen, "altered", 4), [said("altered", 4)], [said("altered", 5), said("altered")]),
        (at(Seen, "altered", 4), [said("altered", 4)], [said("verified", 4)]),
        (at(Seen, "altered", None), [said("altered")], [said("altered", 0), said("verified")]),
        (within(Seen, "altered", 2, 4), [said("altered", 2), said("altered", 4)], [said("altered", 5)]),
        (Expected(Seen, ("a", "b"), None, None), [said("a"), said("b")], [said("c"), said("a", 1)]),
    ],
)  # fmt: skip
def test_only_what_was_stated_before_counts(expected: Expected, met: list[Seen], not_met: list[Seen]) -> None:
    assert all(map(expected.met, met))
    assert not any(map(expected.met, not_met))


def test_a_mutation_that_nothing_notices_is_told() -> None:
    unnoticed = Deed([at(lambda: said("valid"), "tampered", 3)], what="nothing")
    tally = runs.Tally()
    runs._one(None, Kind("unnoticed", "", False, "", 1, lambda *_: unnoticed), 7, "seed", tally)  # type: ignore[arg-type]
    assert (tally.done, tally.detected) == (1, 0)
    assert tally.missed == ["unnoticed 7: ('tampered',) at 3 to 3, not Seen(verdict='valid', index=None)"]


def test_what_would_change_nothing_is_no_mutation() -> None:
    """Another one is chosen in its place; where none can be, that is an error and no mutation."""
    undone: list[bool] = []
    choices = iter([None, None, Deed([], lambda: undone.append(True))])
    chosen = Kind("", "", False, "", 1, lambda *_: next(choices))
    with done(chosen, None, Chance(1)):
        assert undone == []
    assert undone == [True]
    with (
        pytest.raises(AssertionError),
        done(Kind("", "", False, "", 1, lambda *_: None), None, Chance(1)),
    ):
        pass


def event(position: int, previous: str = "0" * 64, **more: object) -> bytes:
    said = {"source": "/centre/a", "position": position, "previoushash": previous, "refs": "", "actor": "x"}
    return spelled({**said, **more})


def test_the_oracle_of_chains_blames_whoever_was_changed() -> None:
    def chained(*changes: dict[str, object]) -> list[bytes]:
        found: list[bytes] = []
        for position, change in enumerate(changes, 1):
            previous = sha256(found[-1]).hexdigest() if found else "0" * 64
            found.append(event(position, previous, **change))
        return found

    honest = chained({}, {}, {})
    assert first_torn(honest) is None
    assert first_torn([honest[0], chained({}, {"actor": "y"})[1], honest[2]]) == 1
    assert first_torn([honest[0], event(2), honest[2]]) == 1
    assert first_torn([honest[1], honest[0], honest[2]]) == 0
    assert first_torn(honest[1:]) == 0
    assert first_torn([honest[0], honest[2]]) == 1


def test_links_made_anew_count_each_subject() -> None:
    leaves = relinked([(event(1), "t"), (event(2, refs="a:1"), "t"), (event(3, actor="a"), "t")])
    assert [leaf.partition(b"\n")[2] for leaf in leaves] == [
        b'{"links":[[1,-1]],"received":"t"}',
        b'{"links":[[1,-1],[2,0]],"received":"t"}',
        b'{"links":[[1,-1]],"received":"t"}',
    ]
