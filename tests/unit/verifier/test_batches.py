"""What sources state of closed batches, held against the entries of an export."""

from hashlib import sha256

import pytest

from tests.unit.verifier.making import Log, an_id
from tests.unit.verifier.spoiling import of_export

SCORING, SCHEDULING = "/centre/scoring", "/centre/scheduling"
STATING = ("registration", "scheduling", "scoring", "certification")
BATCH = an_id("batch", "closed")
LATER = "2026-04-16T01:31:00.123457Z"  # a microsecond more than a minute


class Batch:
    """A log of one batch: what each source says, what it states, and what an export of it comes to."""

    def __init__(self):
        self.log, self.hashes = Log(), []
        for _ in range(300):  # more than a file has
            self.say(SCORING)

    def say(self, source, type="ScoreSubmitted", refs=(f"batch:{BATCH}",), received=None, **changes):
        sealed = self.log.event(source, refs, "somebody", type=type, **changes)
        self.log.add(sealed, **({"received": received} if received else {}))
        if source == SCORING:
            self.hashes.append(sha256(sealed).digest())

    def stated(self, **instead):
        chain = bytes(32)
        for hash in self.hashes:
            chain = sha256(chain + hash).digest()
        count = len(self.hashes)
        said = {"events": count, "first_position": 1, "last_position": count, "upto": count}
        return {"batch": BATCH, **said, "chain_digest": chain.hex(), **instead}

    def seal(self, **instead):
        self.say(SCORING, "BatchSealed", data=self.stated(**instead))

    def found(self, tmp_path, workers=1):
        verdict = of_export(self.log.write(tmp_path / "log"), workers=workers)
        told = [(problem.index, problem.fault.code) for problem in verdict.told()[0]]
        return verdict.name, told


@pytest.fixture
def batch():
    return Batch()


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_stated_truly_is_valid(batch, tmp_path, workers):
    batch.seal()
    batch.say(SCORING, "TrailRead")
    batch.say(SCORING, refs=("candidate:another",))
    for _ in range(1500):  # so that several processes have to do with it
        batch.say(SCHEDULING)
    del batch.hashes[300:]
    batch.seal()
    assert batch.found(tmp_path, workers) == ("valid", [])


@pytest.mark.parametrize(
    "instead",
    [
        {"events": 299}, {"events": 301}, {"events": True}, {"events": None}, {"first_position": 2},
        {"last_position": 299}, {"chain_digest": "0" * 64}, {"chain_digest": None}, {"upto": -1},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_stated_falsely_is_named_where_it_is_said(batch, tmp_path, instead):
    batch.seal(**instead)
    name, told = batch.found(tmp_path)
    assert (name, told[0]) == ("tampered", (300, "batch_other"))


def test_what_comes_behind_the_count_is_late(batch, tmp_path):
    batch.seal(upto=5000)  # nobody counts what is to come
    batch.say(SCORING)
    batch.say(SCHEDULING)
    batch.say(SCORING, "AttemptRefused")
    batch.say(SCORING)
    assert batch.found(tmp_path) == ("tampered", [(301, "batch_late"), (304, "batch_late")])


def test_who_states_nothing_leaves_the_log_incomplete_once_a_minute_is_over(batch, tmp_path):
    batch.seal()
    batch.say(SCHEDULING, "BatchClosed")
    batch.say(SCORING, "BatchClosed")  # nobody but scheduling closes one
    assert batch.found(tmp_path / "soon")[0] != "incomplete"
    batch.say(SCHEDULING, refs=(), received=LATER)
    _, told = batch.found(tmp_path / "late")
    silent = [each for each in told if each[1] == "batch_silent"]
    assert silent == [(301, "batch_silent")] * (len(STATING) - 1)


def test_where_a_chain_is_broken_only_that_is_told(batch, tmp_path):
    """An entry of a place that its source has twice would be counted anywhere."""
    batch.seal(events=299)
    batch.say(SCORING, position=3)
    name, told = batch.found(tmp_path)
    assert (name, told) == ("tampered", [(301, "position")])


def test_of_a_log_with_a_hole_nobody_knows_what_is_in_a_batch(batch, tmp_path):
    batch.seal(events=299)
    folder = batch.log.write(tmp_path / "log")
    (folder / "tile/entries/000").unlink()
    verdict = of_export(folder)
    assert {problem.fault.code for problem in verdict.problems} == {"tile_missing"}
