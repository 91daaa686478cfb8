"""What a source states of a closed batch, against what audit has of it (R172)."""

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from services.audit import seals, told, verification
from services.audit.log import Recorder
from services.audit.sources import Watch
from shared.contracts import registration, scheduling, scoring
from shared.kernel.actors import Actor, Role
from shared.kernel.clock import utc_now
from shared.kernel.ids import derived_id, new_id
from shared.runtime.delivery import FeedUnavailable
from shared.runtime.settings import settings
from shared.security.heads import Heartbeat
from shared.store import inbox
from shared.store.inbox import Consumer
from shared.wire.tally import Tally
from tests.integration.audit.witness import BATCH, SHI, Witness, tell
from tests.integration.store.office import STATION, somebody
from tests.integration.store.source import Source

SCORING = "/centre/scoring"
US = Actor("scoring", Role.SERVICE, "centre")
# six events of scoring have come, and all of them name the batch


def _unheard(service: str) -> Heartbeat | None:
    raise FeedUnavailable(service)


def _counted(source: Source) -> Tally:
    """What an honest source has of the batch."""
    tally = Tally()
    for event in source.events():
        tally = tally.counting(event.position, event.hash)
    return tally


def _seal(witness: Witness, tally: Tally, upto: int = 6, **instead: Any) -> None:
    stated: dict[str, Any] = {
        "batch": BATCH,
        "events": tally.events,
        "first_position": tally.first,
        "last_position": tally.last,
        "chain_digest": tally.chain.hex(),
        "upto": upto,
    }
    witness.source("scoring").say(scoring.BatchSealed(**stated | instead), US, f"seal-{len(instead)}-{upto}")


def _look(witness: Witness) -> list[tuple[Any, ...]]:
    """Audit hears everything and looks, twice: what it tells once, it does not tell again."""
    witness.hear()
    watch = Watch(settings(), lambda: nullcontext(witness.connection), _unheard, sources=["scoring"])
    watch.step()
    watch.step()
    return witness.admin.execute(
        "SELECT kind, first_position, last_position, first_index, last_index,"
        " (detail -> 'stated')::int, (detail -> 'has')::int FROM findings WHERE source = %s ORDER BY id",
        (SCORING,),
    ).fetchall()


def _contradicted(witness: Witness) -> list[tuple[int | None, str]]:
    """What verification says of the same, which knows nothing of what audit has looked at."""
    witness.hear()
    witness.admin.execute("TRUNCATE sealed_batches, findings")
    verdict = witness.verdict()
    assert verdict.problems == []
    assert verdict.verified is not bool(verdict.contradicted)
    return verdict.contradicted


def _indexes(witness: Witness) -> tuple[int, int]:
    row = witness.admin.execute(
        "SELECT min(index), max(index) FROM entries WHERE source = %s AND position <= 6", (SCORING,)
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_batch_of_which_audit_has_what_its_source_has_raises_nothing(witness: Witness) -> None:
    _seal(witness, _counted(witness.source("scoring")))
    assert _look(witness) == []
    row = witness.admin.execute("SELECT * FROM sealed_batches").fetchone()
    assert row == (SCORING, BATCH, 6)


def test_a_source_that_has_nothing_of_a_batch_raises_nothing(witness: Witness) -> None:
    _seal(witness, Tally(), batch=derived_id("batch", "another"))
    assert _look(witness) == []


def test_an_event_that_the_source_has_and_never_published_is_found(witness: Witness) -> None:
    held_back = _counted(witness.source("scoring")).counting(7, b"\x07" * 32)
    _seal(witness, held_back, upto=7)
    assert _look(witness) == [("short-batch", 1, 7, *_indexes(witness), 7, 6)]


def test_an_event_that_was_put_in_another_ones_place_is_found(witness: Witness) -> None:
    other = Tally()
    for event in witness.source("scoring").events():
        other = other.counting(event.position, bytes(32) if event.position == 3 else event.hash)
    _seal(witness, other)
    assert _look(witness) == [("other-batch", 1, 6, *_indexes(witness), 6, 6)]


def test_an_event_that_the_source_did_not_count_is_found(witness: Witness) -> None:
    fewer = Tally()
    for event in witness.source("scoring").events()[:-1]:
        fewer = fewer.counting(event.position, event.hash)
    _seal(witness, fewer)
    assert _look(witness) == [("other-batch", 1, 6, *_indexes(witness), 5, 6)]


def test_an_entry_that_audits_database_has_lost_is_found(witness: Witness) -> None:
    _seal(witness, _counted(witness.source("scoring")))
    witness.hear()
    (lost,) = witness.admin.execute(
        "SELECT index FROM entries WHERE source = %s AND position = 4", (SCORING,)
    ).fetchone() or (0,)
    witness.admin.execute("DELETE FROM subjects WHERE index = %s AND kind = 'batch'", (lost,))
    assert _look(witness) == [("short-batch", 1, 6, *_indexes(witness), 6, 5)]


@pytest.mark.parametrize("instead", [{"events": -6}, {"upto": -1}, {"chain_digest": "no hash"}], ids=str)
def test_a_statement_that_cannot_be_true_is_found(witness: Witness, instead: dict[str, Any]) -> None:
    _seal(witness, _counted(witness.source("scoring")), **instead)
    (found,) = _look(witness)
    assert found[0] == "other-batch"
    tell(witness, "Yan")
    assert [row[:3] for row in _look(witness)][1:] == [("late-in-batch", 8, 9)]


def test_a_source_cannot_count_what_is_to_come(witness: Witness) -> None:
    _seal(witness, _counted(witness.source("scoring")), upto=2**40)
    tell(witness, "Yan")
    assert [row[:3] for row in _look(witness)] == [("late-in-batch", 8, 9)]


def test_what_names_the_batch_behind_what_was_counted_is_found_with_its_range(witness: Witness) -> None:
    tally = _counted(witness.source("scoring"))
    tell(witness, "Yan")  # 7 and 8: sealed before the statement, and not counted
    _seal(witness, tally)
    assert [row[:3] for row in _look(witness)] == [("late-in-batch", 7, 8)]
    tell(witness, "Gu")
    tell(witness, "Lan")
    assert [row[:3] for row in _look(witness)] == [("late-in-batch", 7, 8), ("late-in-batch", 10, 13)]


def test_a_second_statement_does_not_excuse_what_was_late(witness: Witness) -> None:
    _seal(witness, _counted(witness.source("scoring")))
    tell(witness, "Yan")
    counted = _counted(witness.source("scoring"))
    _seal(witness, counted, upto=9)
    tell(witness, "Gu")
    found = [row[:3] for row in _look(witness)]
    assert found == [("late-in-batch", 8, 9), ("late-in-batch", 11, 12)]


def test_looking_at_a_closed_batch_and_trying_what_is_forbidden_is_not_late(witness: Witness) -> None:
    source = witness.source("scoring")
    _seal(witness, _counted(source))
    source.say(
        scoring.SensitiveRead(read="1", query="results", application="", batch=BATCH, rows=3), SHI, "read-1"
    )
    tried = {"attempt": "1", "command": "SubmitScore", "code": "DutyConflict", "stream": ""}
    source.say(scoring.AttemptRefused(**tried, batch=BATCH), SHI, "attempt-1")
    assert _look(witness) == []


def test_the_finding_is_an_event_of_the_batchs_own_trail(witness: Witness) -> None:
    _seal(witness, Tally())
    assert [row[0] for row in _look(witness)] == ["other-batch"]
    (said,) = witness.admin.execute(
        "SELECT convert_from(draft, 'UTF8')::jsonb FROM events WHERE stream LIKE 'finding-%'"
    ).fetchone() or ({},)
    assert said["type"] == "FindingRaised"
    assert said["refs"] == f"batch:{BATCH}"
    assert (said["data"]["first_position"], said["data"]["last_position"]) == (1, 6)


# -- verification, of a log that nobody has looked at


def test_verification_finds_nothing_in_batches_of_which_the_log_has_what_was_stated(witness: Witness) -> None:
    source = witness.source("scoring")
    _seal(witness, _counted(source))
    _seal(witness, Tally(), batch=derived_id("batch", "another"))
    source.say(
        scoring.SensitiveRead(read="1", query="results", application="", batch=BATCH, rows=3), SHI, "read-1"
    )
    assert _contradicted(witness) == []


@pytest.mark.parametrize(
    ("missing", "other", "what"),
    [
        (1, 0, "up to 6 it states 7 events of a batch, and the log has 6"),
        (0, 3, "its 6 events of a batch up to 6 are not those that it states"),
        (0, 6, "its 6 events of a batch up to 6 are not those that it states"),
    ],
)
def test_verification_names_the_statement_that_the_log_contradicts(
    witness: Witness, missing: int, other: int, what: str
) -> None:
    tally = Tally()
    for event in witness.source("scoring").events():
        tally = tally.counting(event.position, bytes(32) if event.position == other else event.hash)
    for _ in range(missing):
        tally = tally.counting(6, bytes(32))
    _seal(witness, tally)
    assert _contradicted(witness) == [(18, f"{SCORING}: {what}")]
    assert witness.verdict().first == 18


@pytest.mark.parametrize("instead", [{"events": -6}, {"upto": -1}, {"chain_digest": "no hash"}], ids=str)
def test_verification_names_a_statement_that_cannot_be_true(
    witness: Witness, instead: dict[str, Any]
) -> None:
    _seal(witness, _counted(witness.source("scoring")), **instead)
    assert _contradicted(witness) == [(18, f"{SCORING}: what it states of a closed batch cannot be true")]


def test_verification_names_each_entry_behind_the_first_statement(witness: Witness) -> None:
    source = witness.source("scoring")
    tally = _counted(source)
    tell(witness, "Yan")  # 7 and 8: sealed before the statement, and not counted
    _seal(witness, tally)
    tell(witness, "Gu")  # 10 and 11
    counted = _counted(source)
    _seal(witness, counted, upto=11)  # a second statement does not excuse them
    assert _contradicted(witness) == [
        (_index(witness, position), f"{SCORING}: it names a batch that was closed at position 6")
        for position in (7, 8, 10, 11)
    ]


@pytest.mark.parametrize("processes", [2, 3])
def test_verification_by_several_processes_counts_the_same(
    witness: Witness, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(verification, "_WORTHWHILE", 10)
    tally = _counted(witness.source("scoring"))
    tell(witness, "Yan")
    _seal(witness, tally.counting(7, bytes(32)), upto=7)
    witness.hear(at_a_time=2)
    info = witness.connection.info
    dsn = make_conninfo(info.dsn, password=info.password)
    found = verification.verify_at_once(dsn, witness.heads(), processes=processes)
    assert found == witness.verdict()
    late = f"{SCORING}: it names a batch that was closed at position 7"
    stated = f"{SCORING}: its 7 events of a batch up to 7 are not those that it states"
    assert found.contradicted == [(_index(witness, 8), late), (_index(witness, 9), stated)]
    assert [each["problem"] for each in found.as_data()["problems"]] == [late, stated]


def _index(witness: Witness, position: int) -> int | None:
    return told.index(witness.admin, SCORING, position)


def test_a_source_that_states_nothing_of_a_closed_batch_is_found_after_a_while(witness: Witness) -> None:
    closed = scheduling.BatchClosed(batch=BATCH, station=STATION)
    witness.source("scheduling").say(closed, somebody("officer", Role.CENTRE_OFFICER))
    witness.hear()

    def found(seconds: float) -> list[tuple[Any, ...]]:
        clock = lambda: utc_now() + timedelta(seconds=seconds)  # noqa: E731
        connect = lambda: nullcontext(witness.connection)  # noqa: E731
        services = ["scheduling", "scoring"]
        Watch(settings(), connect, _unheard, clock, services).step()
        return witness.admin.execute(
            "SELECT source, last_index FROM findings WHERE kind = 'unsealed-batch' ORDER BY source"
        ).fetchall()

    row = witness.admin.execute("SELECT index FROM entries WHERE type = 'BatchClosed'").fetchone()
    assert row is not None
    assert found(seconds=0) == []
    _seal(witness, _counted(witness.source("scoring")))
    witness.hear()
    missing = settings().missing_seconds
    assert found(seconds=missing + 5) == [("/centre/scheduling", row[0])]
    assert found(seconds=missing + 9) == [("/centre/scheduling", row[0])]


def test_verification_names_who_has_stated_nothing_of_a_batch_once_the_log_has_grown_for_long(
    witness: Witness,
) -> None:
    closed = scheduling.BatchClosed(batch=BATCH, station=STATION)
    witness.source("scheduling").say(closed, somebody("officer", Role.CENTRE_OFFICER))
    _seal(witness, _counted(witness.source("scoring")))
    witness.hear()
    (index,) = witness.admin.execute("SELECT index FROM entries WHERE type = 'BatchClosed'").fetchone() or ()
    assert witness.verdict().verified, "the log has not grown since"
    last = witness.source("registration")
    last.say(registration.PersonErased(candidate=new_id(), ground="purpose"), US)
    later = Recorder(lambda: utc_now() + timedelta(seconds=verification.GRACE + 5))
    consumer = Consumer("log", frozenset({"registration"}), later.append)
    inbox.apply(witness.connection, consumer, last.name, last.events())
    assert witness.verdict().contradicted == [
        (index, f"/centre/{service}: it has stated nothing of the batch that was closed here")
        for service in ("certification", "registration", "scheduling")
    ]


def test_what_was_told_of_some_batches_does_not_keep_the_next_one_back(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "_AT_ONCE", 1)
    batches = [derived_id("batch", str(number)) for number in range(3)]
    for batch in batches:
        closed = scheduling.BatchClosed(batch=batch, station=STATION)
        witness.source("scheduling").say(closed, somebody("officer", Role.CENTRE_OFFICER))
    witness.hear()
    later = utc_now() + timedelta(seconds=settings().missing_seconds + 5)
    watch = Watch(settings(), lambda: nullcontext(witness.connection), _unheard, lambda: later, ["scoring"])
    Watch(
        settings(), lambda: nullcontext(witness.connection), _unheard, lambda: later, ["scheduling"]
    ).step()  # which hears that they were closed
    told = [[found.batch for found in watch.step()] for _ in range(4)]
    assert told == [[batch] for batch in batches] + [[]]


def test_nobody_but_scheduling_closes_a_batch(witness: Witness) -> None:
    witness.hear()
    said = {**witness.source("scoring").events()[0].attributes, "type": "BatchClosed"}
    assert seals.look(witness.connection, SCORING, [said]) == []
    assert witness.admin.execute("SELECT FROM closed_batches").fetchall() == []
