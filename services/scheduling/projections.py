"""What scheduling remembers for its readers."""

from importlib.resources import files

from shared.contracts import scheduling as said
from shared.kernel.reactions import Projection, Rows


def _sql(name: str) -> str:
    return files(__package__).joinpath(f"sql/{name}.sql").read_text(encoding="utf-8")


board = Projection("board", _sql("board"), _sql("board_indexes"))
panels = Projection("panels", _sql("panels"))

_STATUS = {
    said.CandidateCheckedIn: "checked_in",
    said.CandidateAbsent: "absent",
}


@board.on(said.BatchApplied)
def on_batch_applied(event: said.BatchApplied, rows: Rows) -> None:
    rows.execute(
        "INSERT INTO batches"
        " (batch, station, occupation, catalogue, levels, planned, theory_at, practical_at, stage)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'applied')",
        (
            event.batch,
            event.station,
            event.occupation,
            event.catalogue,
            list(event.levels),
            event.planned,
            event.theory_at,
            event.practical_at,
        ),
    )


@board.on(said.TaskNoticeIssued)
def on_task_notice_issued(event: said.TaskNoticeIssued, rows: Rows) -> None:
    rows.execute(
        "UPDATE batches SET stage = 'noticed', notice = %s WHERE batch = %s", (event.notice, event.batch)
    )


@board.on(said.PaperPoolSealed)
def on_paper_pool_sealed(event: said.PaperPoolSealed, rows: Rows) -> None:
    rows.execute("UPDATE batches SET stage = 'supplied' WHERE batch = %s", (event.batch,))


@board.on(said.SeatsAllocated)
def on_seats_allocated(event: said.SeatsAllocated, rows: Rows) -> None:
    rows.execute("UPDATE batches SET stage = 'seated' WHERE batch = %s", (event.batch,))


@board.on(said.BatchClosed)
def on_batch_closed(event: said.BatchClosed, rows: Rows) -> None:
    rows.execute("UPDATE batches SET stage = 'closed' WHERE batch = %s", (event.batch,))


@board.on(said.CandidateEnrolled)
def on_candidate_enrolled(event: said.CandidateEnrolled, rows: Rows) -> None:
    rows.execute(
        "INSERT INTO sittings (application, candidate, batch, level, status)"
        " VALUES (%s, %s, %s, %s, 'enrolled')",
        (event.application, event.candidate, event.batch, event.level),
    )


@board.on(said.CandidateStruckOff)
def on_candidate_struck_off(event: said.CandidateStruckOff, rows: Rows) -> None:
    rows.execute("DELETE FROM sittings WHERE application = %s", (event.application,))


@board.on(said.SeatAssigned)
def on_seat_assigned(event: said.SeatAssigned, rows: Rows) -> None:
    rows.execute(
        "UPDATE sittings SET status = 'seated', room = %s, seat = %s WHERE application = %s",
        (event.room, event.seat, event.application),
    )


@board.on(said.TicketLinked)
def on_ticket_linked(event: said.TicketLinked, rows: Rows) -> None:
    rows.execute(
        "UPDATE sittings SET status = 'ticketed', ticket = %s WHERE application = %s",
        (event.ticket, event.application),
    )


@board.on(*_STATUS)
def on_status_changed(event: said.CandidateCheckedIn, rows: Rows) -> None:
    rows.execute(
        "UPDATE sittings SET status = %s WHERE application = %s", (_STATUS[type(event)], event.application)
    )


@board.on(said.PaperDrawn)
def on_paper_drawn(event: said.PaperDrawn, rows: Rows) -> None:
    rows.execute(
        "UPDATE sittings SET status = 'drawn', paper = %s WHERE application = %s",
        (event.paper, event.application),
    )


@panels.on(said.ExaminerAssigned)
def on_examiner_assigned(event: said.ExaminerAssigned, rows: Rows) -> None:
    rows.execute(
        "INSERT INTO panels (batch, examiner, part, head) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (event.batch, event.examiner, event.part, event.head),
    )
