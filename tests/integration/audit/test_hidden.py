"""A trail whose newest rows somebody has deleted does not look whole to whoever reads it."""

from pathlib import Path
from typing import Any

import pytest
from psycopg.rows import dict_row

from services.audit import hidden, signed
from shared.kernel.ids import derived_id
from tests.integration.audit.signatory import Signatory
from tests.integration.audit.witness import BATCH, NUMBER, Witness, tell

HUA = ("candidate", derived_id("candidate", "Hua"))


@pytest.fixture
def signatory(witness: Witness, tmp_path: Path) -> Signatory:
    """Of a log with 18 entries, all signed."""
    found = Signatory(witness, tmp_path / "var")
    assert found.sign()
    return found


def _read(signatory: Signatory, kind: str, id: str, **asked: Any) -> list[dict[str, Any]]:
    connection = signatory.audit.connection
    with connection.transaction(), connection.cursor(row_factory=dict_row) as rows:
        return hidden.trail(signatory.settings, rows, kind, id, **asked)


def _hidden(steps: list[dict[str, Any]]) -> list[int]:
    return [step["index"] for step in steps if step["hidden"]]


def _hide(signatory: Signatory, kind: str, id: str, count: int = 1) -> list[int]:
    """Deletes the newest rows; their indexes."""
    admin = signatory.audit.admin
    rows = admin.execute(
        "DELETE FROM subjects WHERE kind = %(kind)s AND ref = %(id)s AND index IN (SELECT index FROM subjects"
        " WHERE kind = %(kind)s AND ref = %(id)s ORDER BY index DESC LIMIT %(count)s) RETURNING index",
        {"kind": kind, "id": id, "count": count},
    ).fetchall()
    return sorted(index for (index,) in rows)


def _raised(signatory: Signatory) -> list[tuple[int, int]]:
    query = "SELECT first_index, last_index FROM findings WHERE kind = 'hidden-entries' ORDER BY id"
    return signatory.audit.admin.execute(query).fetchall()


@pytest.mark.parametrize("count", [1, 2])
def test_what_was_deleted_after_the_head_was_signed_is_shown_at_the_first_read(
    signatory: Signatory, count: int
) -> None:
    whole = _read(signatory, *HUA)
    assert _hidden(whole) == []
    assert signatory.sign()  # which answers what that read has asked
    gone = _hide(signatory, *HUA, count)
    steps = _read(signatory, *HUA)
    assert [step["id"] for step in steps] == [step["id"] for step in whole]
    assert _hidden(steps) == gone
    assert _raised(signatory) == [(gone[0], gone[-1])]


def test_of_somebody_for_whom_no_head_was_signed_the_read_behind_the_next_look_of_the_signer_shows_it(
    signatory: Signatory,
) -> None:
    (gone,) = _hide(signatory, *HUA)
    assert _hidden(_read(signatory, *HUA)) == []
    signatory.sign()
    assert signatory.findings() == [(gone, "the subject's rows do not come to its last entry")]
    assert _hidden(_read(signatory, *HUA)) == [gone]
    assert _hidden(_read(signatory, "batch", BATCH)) == [], "whose rows are all there"


def test_whoever_waits_for_the_signer_is_shown_it_at_once(signatory: Signatory) -> None:
    (gone,) = _hide(signatory, *HUA)
    hidden.expect(signatory.settings, signatory.audit.connection, *HUA, signatory.sign)
    assert _hidden(_read(signatory, *HUA)) == [gone]


def test_pages_and_filters_have_of_what_was_hidden_what_they_are_asked_for(signatory: Signatory) -> None:
    whole = _read(signatory, "batch", BATCH)
    signatory.sign()
    gone = _hide(signatory, "batch", BATCH, 3)
    assert gone == [15, 16, 17]
    assert _hidden(_read(signatory, "batch", BATCH, limit=5)) == []
    assert [step["index"] for step in _read(signatory, "batch", BATCH, after=13, limit=3)] == [14, 15, 16]
    assert _hidden(_read(signatory, "batch", BATCH, after=16)) == [17]
    assert _read(signatory, "batch", BATCH, types=["ScoreSubmitted"], after=14) == []
    issued = _read(signatory, "batch", BATCH, types=["CertificateIssued"], actor=whole[16]["actor"])
    assert _hidden(issued) == gone
    assert (
        _read(signatory, "batch", BATCH, types=["CertificateIssued"], as_of="2020-01-01T00:00:00.000000Z")
        == []
    )
    assert _hidden(_read(signatory, "batch", BATCH, until=whole[16]["recorded"])) == [15]


def _take_out(signatory: Signatory, kind: str, id: str, *places: int) -> list[int]:
    """Deletes these rows, counted from the oldest; their indexes."""
    admin = signatory.audit.admin
    rows = admin.execute("SELECT index FROM subjects WHERE kind = %s AND ref = %s ORDER BY index", (kind, id))
    indexes = [index for (index,) in rows]
    gone = [indexes[place] for place in places]
    statement = "DELETE FROM subjects WHERE kind = %s AND ref = %s AND index = ANY (%s)"
    admin.execute(statement, (kind, id, gone))
    return gone


@pytest.mark.parametrize("places", [(0,), (1,), (1, 2), (0, 1, 3), (0, 2)])
def test_what_was_deleted_from_the_middle_is_shown_by_the_leaf_behind_it(
    signatory: Signatory, places: tuple[int, ...]
) -> None:
    whole = _read(signatory, "batch", BATCH)
    gone = _take_out(signatory, "batch", BATCH, *places)
    steps = _read(signatory, "batch", BATCH)
    assert [step["id"] for step in steps] == [step["id"] for step in whole]
    assert _hidden(steps) == gone
    assert _raised(signatory) == [(gone[0], gone[-1])]
    assert _hidden(_read(signatory, *HUA)) == [], "whose rows are all there"


def test_each_page_shows_what_is_missing_in_it(signatory: Signatory) -> None:
    whole = [step["index"] for step in _read(signatory, "batch", BATCH)]
    gone = _take_out(signatory, "batch", BATCH, 4, 5)
    pages, after = list[dict[str, Any]](), -1
    while page := _read(signatory, "batch", BATCH, after=after, limit=5):
        assert len(page) <= 5
        pages += page
        after = page[-1]["index"]
    assert [step["index"] for step in pages] == whole
    assert _hidden(pages) == gone
    (scored, *_) = [step for step in pages if step["type"] == "ScoreSubmitted"]
    assert _hidden(_read(signatory, "batch", BATCH, types=[scored["type"]])) == []


def test_a_trail_of_several_subjects_is_held_against_the_heads_of_all(signatory: Signatory) -> None:
    """That of a certificate is its application's too."""
    _read(signatory, "certificate", NUMBER)
    signatory.sign()
    (gone,) = _hide(signatory, "application", derived_id("application", "Ming"))
    shown = _hidden(_read(signatory, "certificate", NUMBER))
    assert shown == [], "the certificate's own row leads to it"
    assert _hidden(_read(signatory, "application", derived_id("application", "Ming"))) == []
    signatory.sign()
    assert _hidden(_read(signatory, "application", derived_id("application", "Ming"))) == [gone]


def test_a_head_that_nobody_signed_tells_nothing(signatory: Signatory) -> None:
    _read(signatory, *HUA)
    signatory.sign()
    signatory.audit.admin.execute(
        "UPDATE subject_questions SET notes = ARRAY[replace(notes[1], E'\\n18\\n4 16', E'\\n18\\n4 17')]"
    )
    _hide(signatory, *HUA)
    assert _hidden(_read(signatory, *HUA)) == []
    signatory.audit.admin.execute("UPDATE subject_questions SET notes = ARRAY['nonsense']")
    assert _hidden(_read(signatory, *HUA)) == []


def test_the_signer_is_asked_once_and_of_nobody_whom_the_log_does_not_know(signatory: Signatory) -> None:
    def asked() -> int:
        row = signatory.audit.admin.execute("SELECT count(*) FROM subject_questions").fetchone()
        return row[0] if row else 0

    assert _read(signatory, "candidate", "虚构的名字") == []
    assert asked() == 0
    for _ in range(3):
        _read(signatory, *HUA)
    signatory.sign()
    _read(signatory, *HUA)
    assert asked() == 1
    assert signed.is_asked(signatory.connection, signatory.settings.origin, [HUA])
    tell(signatory.audit, "Qing")
    signatory.audit.hear()
    signatory.sign()
    _read(signatory, *HUA)
    assert asked() == 2, "the log has grown, and he with it perhaps"
