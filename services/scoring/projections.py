"""What scoring remembers for its readers."""

from importlib.resources import files

from services.scoring.domain.passing import PRACTICAL, THEORY
from shared.contracts import scoring as said
from shared.kernel.reactions import Projection, Rows


def _sql(name: str) -> str:
    return files(__package__).joinpath(f"sql/{name}.sql").read_text(encoding="utf-8")


scores = Projection("scores", _sql("scores"), _sql("scores_indexes"))
desks = Projection("desks", _sql("desks"), _sql("desks_indexes"))
marks = Projection("marks", _sql("marks"))

_SHEET_STATUS = {
    said.ScoreSubmitted: "scored",
    said.CorrectionProposed: "correction_proposed",
    said.ScoreCorrected: "corrected",
}
_RESULT_STATUS = {
    said.ScoresReviewed: "reviewed",
    said.ResultPublished: "published",
}
_PART = {
    THEORY: "UPDATE results SET theory = %s WHERE application = %s",
    PRACTICAL: "UPDATE results SET practical = %s WHERE application = %s",
}


@scores.on(said.SheetOpened)
def on_sheet_opened(event: said.SheetOpened, rows: Rows) -> None:
    rows.execute(
        "INSERT INTO sheets (sheet, blind_code, batch, part, paper, examiners, status)"
        " VALUES (%s, %s, %s, %s, %s, %s, 'open')",
        (event.sheet, event.blind_code, event.batch, event.part, event.paper, list(event.examiners)),
    )


@scores.on(*_SHEET_STATUS)
def on_sheet_status_changed(event: said.ScoreSubmitted, rows: Rows) -> None:
    rows.execute("UPDATE sheets SET status = %s WHERE sheet = %s", (_SHEET_STATUS[type(event)], event.sheet))


@scores.on(said.ResultOpened)
def on_result_opened(event: said.ResultOpened, rows: Rows) -> None:
    rows.execute(
        "INSERT INTO results (application, candidate, batch, station, status)"
        " VALUES (%s, %s, %s, %s, 'open')",
        (event.application, event.candidate, event.batch, event.station),
    )


@scores.on(said.PartScored)
def on_part_scored(event: said.PartScored, rows: Rows) -> None:
    rows.execute(_PART[event.part], (event.score, event.application))


@scores.on(said.ScoresCombined)
def on_scores_combined(event: said.ScoresCombined, rows: Rows) -> None:
    rows.execute(
        "UPDATE results SET theory = %s, practical = %s, passed = %s, rule = %s, status = 'combined'"
        " WHERE application = %s",
        (event.theory, event.practical, event.passed, event.rule, event.application),
    )


@scores.on(*_RESULT_STATUS)
def on_result_status_changed(event: said.ScoresReviewed, rows: Rows) -> None:
    rows.execute(
        "UPDATE results SET status = %s WHERE application = %s",
        (_RESULT_STATUS[type(event)], event.application),
    )


@desks.on(said.SheetOpened)
def on_desk_opened(event: said.SheetOpened, rows: Rows) -> None:
    for examiner in event.examiners:
        rows.execute(
            "INSERT INTO desks (examiner, sheet, blind_code, batch, part, paper, status)"
            " VALUES (%s, %s, %s, %s, %s, %s, 'open') ON CONFLICT DO NOTHING",
            (examiner, event.sheet, event.blind_code, event.batch, event.part, event.paper),
        )


@desks.on(said.ScoreSubmitted)
def on_desk_scored(event: said.ScoreSubmitted, rows: Rows) -> None:
    rows.execute("UPDATE desks SET status = 'scored' WHERE sheet = %s", (event.sheet,))


@desks.on(said.SheetSigned)
def on_desk_signed(event: said.SheetSigned, rows: Rows) -> None:
    rows.execute("UPDATE desks SET signed = true WHERE sheet = %s", (event.sheet,))


@desks.on(said.CorrectionProposed)
def on_proposed(event: said.CorrectionProposed, rows: Rows) -> None:
    rows.execute("UPDATE desks SET status = 'correction_proposed' WHERE sheet = %s", (event.sheet,))
    rows.execute(
        "INSERT INTO proposals (sheet, batch, station, part, old, new, reason, proposer)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (sheet) DO UPDATE"
        " SET old = excluded.old, new = excluded.new, reason = excluded.reason, proposer = excluded.proposer",
        (
            event.sheet,
            event.batch,
            event.station,
            event.part,
            event.old,
            event.new,
            event.reason,
            event.proposer,
        ),
    )


@desks.on(said.ScoreCorrected)
def on_desk_corrected(event: said.ScoreCorrected, rows: Rows) -> None:
    rows.execute("UPDATE desks SET status = 'corrected' WHERE sheet = %s", (event.sheet,))
    rows.execute("DELETE FROM proposals WHERE sheet = %s", (event.sheet,))


@desks.on(said.SigningKeyRegistered)
def on_key_registered(event: said.SigningKeyRegistered, rows: Rows) -> None:
    rows.execute(
        "INSERT INTO keys (examiner, public_key) VALUES (%s, %s)"
        " ON CONFLICT (examiner) DO UPDATE SET public_key = excluded.public_key",
        (event.examiner, event.public_key),
    )


@marks.on(said.SheetOpened)
def on_mark_opened(event: said.SheetOpened, rows: Rows) -> None:
    rows.execute(
        "INSERT INTO marks (sheet, application, blind_code, batch, station, part, paper, panel, status)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'open')",
        (
            event.sheet,
            event.application,
            event.blind_code,
            event.batch,
            event.station,
            event.part,
            event.paper,
            list(event.examiners),
        ),
    )


@marks.on(said.ScoreSubmitted)
def on_mark_given(event: said.ScoreSubmitted, rows: Rows) -> None:
    rows.execute(
        "UPDATE marks SET status = 'scored', score = %s, examiner = %s, sheet_digest = %s WHERE sheet = %s",
        (event.score, event.examiner, event.sheet_digest, event.sheet),
    )


@marks.on(said.SheetSigned)
def on_mark_signed(event: said.SheetSigned, rows: Rows) -> None:
    rows.execute("UPDATE marks SET signed = true WHERE sheet = %s", (event.sheet,))


@marks.on_dated(said.CorrectionProposed)
def on_correction_proposed(event: said.CorrectionProposed, rows: Rows, at: str) -> None:
    """It takes the place of one that nobody approved."""
    rows.execute("UPDATE marks SET status = 'correction_proposed' WHERE sheet = %s", (event.sheet,))
    rows.execute("DELETE FROM corrections WHERE sheet = %s AND approver = ''", (event.sheet,))
    rows.execute(
        "INSERT INTO corrections (sheet, proposed_at, old, new, reason, proposer)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (event.sheet, at, event.old, event.new, event.reason, event.proposer),
    )


@marks.on(said.ScoreCorrected)
def on_mark_corrected(event: said.ScoreCorrected, rows: Rows) -> None:
    rows.execute(
        "UPDATE marks SET status = 'corrected', score = %s WHERE sheet = %s", (event.new, event.sheet)
    )
    rows.execute(
        "UPDATE corrections SET approver = %s WHERE sheet = %s AND approver = ''",
        (event.approver, event.sheet),
    )
