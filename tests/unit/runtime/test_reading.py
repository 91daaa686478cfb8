"""Reads as events: what counts as one, and that looking at a batch is no duty in it."""

import orjson

from shared.contracts.scoring import ScoresReviewed, SensitiveRead
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.runtime.delivery import shown_duties
from shared.runtime.reading import told
from shared.wire.envelope import read
from tests.integration.store.source import Source

MENG = Actor(derived_id("Meng"), Role.SCORE_REVIEWER, "station-10012003")
DU = Actor(derived_id("Du"), Role.SUPERVISOR, "centre")
BATCH = derived_id("batch")
LOOKED = SensitiveRead(read=derived_id("read"), query="results", application="", batch=BATCH, rows=3)


def test_who_only_looks_at_a_batch_holds_no_duty_in_it() -> None:
    scoring = Source("scoring")
    reviewed = ScoresReviewed(application=derived_id("a"), batch=BATCH, station="10012003", reviewer=MENG.id)
    assert [duty.role for duty in shown_duties(read(scoring.say(reviewed, MENG)))] == ["score_reviewer"]
    assert list(shown_duties(read(scoring.say(LOOKED, MENG)))) == []


def test_ones_own_reads_are_nothing_that_was_read_and_those_of_others_are() -> None:
    scoring = Source("scoring")
    bodies = [scoring.say(LOOKED, by).decode() for by in (MENG, DU, DU)]
    assert (told(DU, bodies), told(MENG, bodies)) == (1, 2)
    assert orjson.loads(bodies[0])["refs"] == f"batch:{BATCH}"
