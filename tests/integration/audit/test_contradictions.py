"""What contradicts the log is kept as evidence and told; what repeats it is neither."""

from pathlib import Path
from time import time
from typing import Any

import pytest

from services.audit import export, log, told, trails
from services.audit.log import recorder
from services.audit.verifier import export as exported
from services.audit.verifier import policy
from services.audit.verifier.verdict import Verdict
from shared.contracts import SOURCES
from shared.runtime.delivery import Reception
from shared.store import inbox
from shared.wire.canonical import canonical
from shared.wire.envelope import Sealed, digest, read, seal
from tests.integration.audit.signatory import Signatory
from tests.integration.audit.witness import Witness, tell
from tests.integration.store.source import Source


def _evidence(witness: Witness) -> list[Any]:
    rows = witness.connection.execute(
        "SELECT source, position, index, body, reason FROM evidence ORDER BY id"
    ).fetchall()
    return [(source, position, index, bytes(body), reason) for source, position, index, body, reason in rows]


def _findings(witness: Witness) -> list[Any]:
    return witness.connection.execute(
        "SELECT kind, source, first_position, last_position, first_index, last_index FROM findings"
        " ORDER BY id"
    ).fetchall()


def _another(event: Sealed, previous: bytes | None = None) -> Sealed:
    """The same place, said otherwise."""
    said = {**event.attributes, "body": "station-1"}
    return read(seal(canonical(said), event.position, event.previous if previous is None else previous))


def _reception(witness: Witness, feed: dict[str, list[bytes]]) -> Reception:
    return Reception(
        [recorder],
        lambda: _Lent(witness.connection),
        lambda service, position, limit: feed.get(service, [])[position : position + limit],
        {service: f"/centre/{service}" for service in SOURCES},
        1.0,
    )


class _Lent:
    """A connection that is not closed after use."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __enter__(self) -> Any:
        return self._connection

    def __exit__(self, *_: object) -> None:
        pass


OTHER_BYTES = "other bytes at a known position"
FOLLOWS_ANOTHER = "follows another event than the one at the position before"


def test_repetitions_are_silent(witness: Witness) -> None:
    witness.hear()
    witness.hear(at_a_time=1)
    for source in witness.sources:
        log.compare(witness.connection, source.events())
    log.compare(witness.connection, [])
    assert (_evidence(witness), _findings(witness)) == ([], [])


def test_other_bytes_at_a_known_position_are_kept_and_told_once(witness: Witness) -> None:
    source = witness.source("scoring")
    said = _another(source.events()[2])
    for _ in range(3):
        inbox.apply(witness.connection, recorder, source.name, [said, *source.events()])
    assert _evidence(witness) == [(source.name, 3, 11, said.raw, OTHER_BYTES)]
    assert _findings(witness) == [("equivocation", source.name, 3, 3, 11, 11)]
    assert witness.problems() == []


def test_two_events_for_one_position_in_one_batch_are_told(empty: Witness) -> None:
    tell(empty, "Ling")
    source = empty.source("registration")
    first, second = source.events()
    inbox.apply(empty.connection, recorder, source.name, [first, _another(first), second])
    assert empty.sealed() == source.bodies
    assert _findings(empty) == [("equivocation", source.name, 1, 1, 0, 0)]


def test_a_finding_has_a_digest_of_the_evidence_and_no_personal_data(witness: Witness) -> None:
    said = _another(witness.source("scoring").events()[0])
    log.compare(witness.connection, [said])
    (row,) = witness.connection.execute("SELECT detail FROM findings").fetchall()
    assert row[0] == {"evidence": digest(said.raw).hex(), "reason": OTHER_BYTES}


def test_what_the_bus_brings_is_believed_less_than_the_feed_and_both_are_told(witness: Witness) -> None:
    source = witness.source("scoring")
    tell(witness, "Qing")
    true = source.events()[6]
    forged = _another(true, previous=bytes(32))
    _reception(witness, {"scoring": source.bodies}).receive("scoring", [forged.raw])
    assert [raw for raw in witness.sealed() if read(raw).source == source.name] == source.bodies
    assert [row[3:] for row in _evidence(witness)] == [(forged.raw, OTHER_BYTES)]
    assert _findings(witness) == [("equivocation", source.name, 7, 7, 18, 18)]


def test_a_source_whose_feed_contradicts_the_log_is_told_and_is_not_followed(witness: Witness) -> None:
    source = witness.source("scoring")
    rewritten = [*source.bodies[:-1], _another(source.events()[-1]).raw]
    tell(witness, "Qing")
    after = seal(canonical(dict(source.events()[6].attributes)), 7, digest(rewritten[-1]))
    reception = _reception(witness, {each.service: each.bodies for each in witness.sources})
    reception._feed = lambda service, position, limit: (
        [*rewritten, after][position:] if service == "scoring" else []
    )
    assert reception.catch_up() == 0
    assert reception.catch_up() == 0
    assert _evidence(witness) == [(source.name, 7, 14, after, FOLLOWS_ANOTHER)]
    assert _findings(witness) == [("equivocation", source.name, 6, 6, 14, 14)]


def test_what_the_bus_brought_behind_a_gap_is_compared_with_what_the_feed_has(witness: Witness) -> None:
    source = witness.source("scoring")
    tell(witness, "Qing")
    said = _another(source.events()[7])
    _reception(witness, {"scoring": source.bodies}).receive("scoring", [said.raw])
    assert _findings(witness) == [("equivocation", source.name, 8, 8, 19, 19)]


@pytest.mark.parametrize("parked", ["parked", "skipped"])
def test_what_contradicts_a_parked_event_is_told_too(witness: Witness, parked: str) -> None:
    source = witness.source("scoring")
    tell(witness, "Qing")
    event = source.events()[6]
    with witness.connection.transaction():
        inbox.park(witness.connection, recorder.name, event, "for this test")
        witness.connection.execute("UPDATE parked SET status = %s", (parked,))
        inbox.advance(witness.connection, recorder.name, event)
    inbox.apply(witness.connection, recorder, source.name, [event, _another(event)])
    assert _findings(witness) == [("equivocation", source.name, 7, 7, None, None)]


def test_each_body_that_contradicts_the_log_is_told(witness: Witness) -> None:
    source, of_another = witness.source("scoring"), witness.source("scheduling").bodies
    reception = _reception(witness, {})
    reception.receive("scoring", [of_another[0], b"\x00 no event"])
    reception.receive("scoring", [of_another[1], b"\x01 no event either", of_another[0]])
    first = _another(source.events()[2])
    second = read(seal(canonical({**first.attributes, "body": "station-2"}), 3, first.previous))
    log.compare(witness.connection, [first, second, first])
    kinds = [kind for kind, *_ in _findings(witness)]
    assert kinds == ["forged", "unreadable", "forged", "unreadable", "equivocation", "equivocation"]
    assert len(_evidence(witness)) == 6


def test_a_forged_and_an_unreadable_body_are_kept_and_told(witness: Witness) -> None:
    of_another = witness.source("scheduling").bodies[0]
    reception = _reception(witness, {})
    for _ in range(2):
        reception.receive("scoring", [of_another, b"\x00 no event"])
    assert _evidence(witness) == [
        ("/centre/scoring", 1, None, of_another, "the source is not the one of this exchange"),
        ("/centre/scoring", None, None, b"\x00 no event", "the body is not JSON"),
    ]
    assert _findings(witness) == [
        ("forged", "/centre/scoring", None, None, None, None),
        ("unreadable", "/centre/scoring", None, None, None, None),
    ]


# -- what cannot be recorded


def _taking_an_id(witness: Witness) -> tuple[Source, Sealed]:
    """Scoring's seventh event has the id of its first, and an eighth follows; (scoring, the seventh)."""
    source = witness.source("scoring")
    tell(witness, "Qing")
    first, seventh, eighth = (dict(source.events()[place].attributes) for place in (0, 6, 7))
    source.bodies[6:] = [seal(canonical({**seventh, "id": first["id"]}), 7, digest(source.bodies[5]))]
    source.bodies.append(seal(canonical(eighth), 8, digest(source.bodies[6])))
    return source, source.events()[6]


def test_an_event_with_the_id_of_another_one_has_an_entry_that_stands_in_for_it(witness: Witness) -> None:
    source, seventh = _taking_an_id(witness)
    for _ in range(2):
        witness.hear()
    index = witness.connection.execute(
        "SELECT index FROM entries WHERE source = %s AND position = 7", (source.name,)
    ).fetchone()
    assert index is not None
    assert witness.verdict().verified
    assert list(told.hashes(witness.connection, source.name)) == [
        (place, digest(body)) for place, body in enumerate(source.bodies, 1)
    ]
    assert [row[:4] for row in _evidence(witness)] == [(source.name, 7, *index, seventh.raw)]
    assert _findings(witness) == [("unrecordable", source.name, 7, 7, *index, *index)]
    assert witness.connection.execute("SELECT count(*) FROM parked").fetchone() == (0,)


def test_what_stands_in_for_an_event_is_in_the_trails_of_its_subjects(witness: Witness) -> None:
    _, seventh = _taking_an_id(witness)
    witness.hear()
    for kind, id in seventh.refs:
        types = [step["type"] for step in witness.ask(trails.trail, kind, id)]
        assert types.count("EventUnrecordable") == 1


def test_who_verifies_an_export_is_told_of_what_could_not_be_recorded(
    witness: Witness, tmp_path: Path
) -> None:
    _taking_an_id(witness)
    witness.hear()
    signatory = Signatory(witness, tmp_path / "var")
    assert signatory.sign()
    export.export(witness.connection, signatory.settings, tmp_path / "out")
    verdict = Verdict()
    exported.verify(
        tmp_path / "out", policy.parse((tmp_path / "out/policy").read_bytes()), verdict, time(), workers=1
    )
    (place,) = [row[4] for row in _findings(witness)]
    assert (verdict.name, verdict.problems) == ("valid", [])
    assert [(note.code, note.values) for note in verdict.notes if note.code != "no_witness"] == [
        ("unrecordable", {"count": 1, "index": place})
    ]


def test_another_event_in_the_place_of_one_that_could_not_be_recorded_contradicts_it(
    witness: Witness,
) -> None:
    _, seventh = _taking_an_id(witness)
    witness.hear()
    log.compare(witness.connection, [_another(seventh)])
    assert [row[0] for row in _findings(witness)] == ["unrecordable", "equivocation"]


def test_where_even_the_stand_in_is_refused_the_event_is_parked_and_told(witness: Witness) -> None:
    source, seventh = _taking_an_id(witness)
    witness.admin.execute(
        "INSERT INTO entries SELECT 1000000, source, 7, gen_random_uuid(), type, actor, role, received_at,"
        " leaf FROM entries WHERE source = %s AND position = 1",
        (source.name,),
    )
    witness.hear()
    assert _findings(witness) == [("unrecordable", source.name, 7, 7, None, None)]
    assert [row[3] for row in _evidence(witness)] == [seventh.raw]
    assert witness.connection.execute("SELECT position FROM parked").fetchall() == [(7,)]


@pytest.mark.parametrize("wrong", [{"id": "NOT-A-UUID"}, {"refs": f"room:{'a' * 3000}"}])
def test_what_no_entry_could_hold_is_told_and_the_true_event_comes_from_the_feed(
    witness: Witness, wrong: dict[str, str]
) -> None:
    source = witness.source("scoring")
    tell(witness, "Qing")
    forged = seal(canonical({**source.events()[6].attributes, **wrong}), 7, digest(source.bodies[5]))
    _reception(witness, {"scoring": source.bodies}).receive("scoring", [forged, source.bodies[7]])
    assert [raw for raw in witness.sealed() if read(raw).source == source.name] == source.bodies
    assert _findings(witness) == [("unreadable", source.name, None, None, None, None)]
    assert [row[3] for row in _evidence(witness)] == [forged]


def test_a_source_whose_own_feed_has_no_event_at_a_position_is_told_and_waited_for_there(
    witness: Witness,
) -> None:
    source = witness.source("scoring")
    tell(witness, "Qing")
    forged = seal(canonical({**source.events()[7].attributes, "id": "X"}), 8, digest(source.bodies[6]))
    reception = _reception(witness, {"scoring": [*source.bodies[:7], forged]})
    assert [reception.catch_up(), reception.catch_up()] == [0, 0]
    assert [raw for raw in witness.sealed() if read(raw).source == source.name] == source.bodies[:7]
    assert _findings(witness) == [("unreadable", source.name, 8, 8, None, None)]
    reception._feed = lambda service, position, limit: (
        source.bodies[position:] if service == "scoring" else []
    )
    assert reception.catch_up() == 1
    assert [raw for raw in witness.sealed() if read(raw).source == source.name] == source.bodies
