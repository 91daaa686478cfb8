"""Trails: everything around somebody or something, and nothing else (R153, R154)."""

import re
from typing import Any

import pytest

from services.audit import trails
from shared.contracts.registration import PersonEnrolled
from shared.contracts.scoring import ScoreCorrected
from shared.kernel.actors import Role
from shared.kernel.clock import stamp, utc_now
from shared.kernel.ids import derived_id
from tests.integration.audit.witness import BATCH, NUMBER, SHI, Witness, tell
from tests.integration.store.office import STATION, somebody


def _types(witness: Witness, kind: str, id: str, **more: Any) -> list[str]:
    return [step["type"] for step in witness.ask(trails.trail, kind, id, **more)]


OF_A_CANDIDATE = ["StationReviewPassed", "CandidateRegistered", "ResultPublished", "CertificateIssued"]


@pytest.mark.parametrize("kind", ["candidate", "application"])
def test_a_candidates_trail_is_his_own(witness: Witness, kind: str) -> None:
    assert _types(witness, kind, derived_id(kind, "Hua")) == OF_A_CANDIDATE


@pytest.mark.parametrize(("kind", "id"), [("batch", BATCH), ("station", STATION)])
def test_a_batchs_and_a_stations_trail_is_everything_that_happened_there(
    witness: Witness, kind: str, id: str
) -> None:
    steps = witness.ask(trails.trail, kind, id)
    assert [step["index"] for step in steps] == list(range(18))


def test_an_examiners_trail_is_what_was_done_with_him_and_what_he_did(witness: Witness) -> None:
    as_officer = somebody("Shi", Role.CENTRE_OFFICER)
    assert as_officer.id == SHI.id
    about = {"candidate": derived_id("candidate", "Ning"), "document": "passport"}
    enrolled = PersonEnrolled(**about, identity_commitment="1f" * 32, photo_commitment="2f" * 32)
    witness.source("registration").say(enrolled, as_officer)
    witness.hear()
    types = _types(witness, "examiner", SHI.id)
    assert sorted(types) == sorted(["ExaminerAssigned", "ScoreSubmitted"] * 3 + ["PersonEnrolled"])
    assert sorted(_types(witness, "actor", SHI.id)) == sorted(["ScoreSubmitted"] * 3 + ["PersonEnrolled"])


def test_a_certificates_trail_is_that_of_its_application_from_the_first_review_on(empty: Witness) -> None:
    tell(empty, "Ling")
    empty.hear()
    assert _types(empty, "certificate", NUMBER) == OF_A_CANDIDATE


def test_a_trail_is_in_the_order_of_the_log_and_goes_on_where_a_page_ended(witness: Witness) -> None:
    whole = witness.ask(trails.trail, "batch", BATCH)
    first = witness.ask(trails.trail, "batch", BATCH, limit=7)
    rest = witness.ask(trails.trail, "batch", BATCH, after=first[-1]["index"])
    assert first + rest == whole


def test_a_step_says_who_did_what_when_where_and_because_of_what(witness: Witness) -> None:
    (step, *_) = witness.ask(trails.trail, "examiner", SHI.id)
    event = witness.source("scheduling").events()[0]
    assert step == {
        "index": 6,
        "time": event.attributes["time"],
        "recorded": event.attributes["recordedtime"],
        "received": step["received"],
        "type": "ExaminerAssigned",
        "actor": somebody("officer", Role.CENTRE_OFFICER).id,
        "role": "centre_officer",
        "body": "centre",
        "device": "",
        "source": "/centre/scheduling",
        "position": 1,
        "id": event.id,
        "command": event.attributes["commandid"],
        "causation": event.attributes["causationid"],
        "correlation": event.attributes["correlationid"],
        "data": event.attributes["data"],
        "before": None,
        "after": None,
        "evidence": {},
    }


def test_a_step_names_the_hashes_of_what_is_kept_elsewhere(witness: Witness) -> None:
    score, *_ = witness.ask(trails.trail, "sheet", "B-Hua")
    assert score["evidence"] == {"sheet_digest": ["0f" * 32]}


def test_a_correction_shows_what_was_before_and_what_is_after(witness: Witness) -> None:
    corrected = ScoreCorrected(
        sheet=derived_id("sheet", "Hua"),
        blind_code="B-Hua",
        batch=BATCH,
        station=STATION,
        part="theory",
        old=81,
        new=83,
        reason="adding up",
        proposer=SHI.id,
        approver=somebody("Meng", Role.SCORE_REVIEWER).id,
    )
    witness.source("scoring").say(corrected, somebody("Meng", Role.SCORE_REVIEWER))
    witness.hear()
    *_, step = witness.ask(trails.trail, "sheet", "B-Hua")
    assert (step["type"], step["before"], step["after"]) == ("ScoreCorrected", 81, 83)


def test_a_trail_as_of_a_moment_is_what_had_been_received_then(empty: Witness) -> None:
    tell(empty, "Ling")
    empty.hear()
    then = stamp(utc_now())
    tell(empty, "Hua")
    empty.hear()
    assert len(empty.ask(trails.trail, "batch", BATCH, as_of=then)) == 6
    assert empty.ask(trails.trail, "candidate", derived_id("candidate", "Hua"), as_of=then) == []
    assert len(empty.ask(trails.trail, "batch", BATCH, as_of=stamp(utc_now()))) == 12


def test_a_trail_of_some_types_or_of_one_actor(witness: Witness) -> None:
    wanted = ["ScoreSubmitted", "CertificateIssued"]
    assert set(_types(witness, "batch", BATCH, types=wanted)) == set(wanted)
    assert _types(witness, "batch", BATCH, actor=SHI.id) == ["ScoreSubmitted"] * 3
    assert _types(witness, "batch", BATCH, actor=SHI.id, types=["CertificateIssued"]) == []


def test_a_trail_from_one_moment_to_another_is_what_was_recorded_between(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trails, "_PAGE", 4)
    whole = witness.ask(trails.trail, "batch", BATCH)
    recorded = sorted(step["recorded"] for step in whole)
    since, until = recorded[3], recorded[11]
    wanted = [step for step in whole if since <= step["recorded"] < until]
    assert witness.ask(trails.trail, "batch", BATCH, since=since, until=until) == wanted
    first = witness.ask(trails.trail, "batch", BATCH, since=since, limit=5)
    rest = witness.ask(trails.trail, "batch", BATCH, since=since, after=first[-1]["index"])
    assert first + rest == [step for step in whole if step["recorded"] >= since]


def test_a_page_is_found_by_indexes_alone(witness: Witness) -> None:
    asked = {"kinds": ["batch"], "refs": [BATCH], "after": 3, "limit": 5}
    filters = {"types": None, "actor": SHI.id, "as_of": None}
    with witness.connection.transaction():
        witness.connection.execute("SET LOCAL enable_seqscan = off")  # small tables are read whole
        rows = witness.connection.execute("EXPLAIN " + trails._TRAIL, {**asked, **filters}).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert "subjects_pkey" in plan
    assert "entries_pkey" in plan
    assert not {"Seq Scan", "Hash", "Merge", "Aggregate"} & set(re.findall(r"Seq Scan|[A-Z]\w+", plan))


def test_who_is_unknown_has_no_trail(witness: Witness) -> None:
    assert {kind: witness.ask(trails.trail, kind, derived_id("nobody")) for kind in trails.KINDS} == {
        kind: [] for kind in trails.KINDS
    }
