"""Trails: everything around somebody or something, and nothing else (R153, R154)."""

from typing import Any

import pytest

from services.audit import trails
from shared.contracts.registration import PersonEnrolled
from shared.kernel.actors import Role
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
        "source": "/centre/scheduling",
        "position": 1,
        "id": event.id,
        "causation": event.attributes["causationid"],
        "correlation": event.attributes["correlationid"],
        "data": event.attributes["data"],
    }


def test_who_is_unknown_has_no_trail(witness: Witness) -> None:
    assert {kind: witness.ask(trails.trail, kind, derived_id("nobody")) for kind in trails.KINDS} == {
        kind: [] for kind in trails.KINDS
    }
