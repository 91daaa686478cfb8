"""What registration remembers for its readers."""

from importlib.resources import files

from shared.contracts import registration as said
from shared.kernel.reactions import Projection, Rows

_sql = files(__package__).joinpath("sql")
register = Projection(
    "register",
    _sql.joinpath("register.sql").read_text(encoding="utf-8"),
    _sql.joinpath("register_indexes.sql").read_text(encoding="utf-8"),
)
accounts = Projection(
    "accounts",
    _sql.joinpath("accounts.sql").read_text(encoding="utf-8"),
    _sql.joinpath("accounts_indexes.sql").read_text(encoding="utf-8"),
)
staff = Projection("staff", _sql.joinpath("staff.sql").read_text(encoding="utf-8"))


@register.on(said.ApplicationSubmitted)
def on_application_submitted(event: said.ApplicationSubmitted, rows: Rows) -> None:
    rows.execute(
        "INSERT INTO applications (application, candidate, batch, station, occupation, level, status, kind,"
        " education, held_level, years_in_trade, evidence)"
        " VALUES (%s, %s, %s, %s, %s, %s, 'submitted', %s, %s, %s, %s, %s)",
        (
            event.application,
            event.candidate,
            event.batch,
            event.station,
            event.occupation,
            event.level,
            event.kind,
            event.education,
            event.held_level,
            event.years_in_trade,
            list(event.evidence),
        ),
    )


@register.on(said.StationReviewPassed)
def on_station_review_passed(event: said.StationReviewPassed, rows: Rows) -> None:
    rows.execute(
        "UPDATE applications SET status = 'station_passed', clause = %s, station_reviewer = %s"
        " WHERE application = %s",
        (event.clause, event.reviewer, event.application),
    )


@register.on(said.StationReviewRejected)
def on_station_review_rejected(event: said.StationReviewRejected, rows: Rows) -> None:
    rows.execute(
        "UPDATE applications SET status = 'rejected', reason = %s, station_reviewer = %s"
        " WHERE application = %s",
        (event.reason, event.reviewer, event.application),
    )


@register.on(said.CentreReviewPassed)
def on_centre_review_passed(event: said.CentreReviewPassed, rows: Rows) -> None:
    """The status follows with CandidateRegistered."""
    rows.execute(
        "UPDATE applications SET clause = %s, centre_reviewer = %s WHERE application = %s",
        (event.clause, event.reviewer, event.application),
    )


@register.on(said.CentreReviewRejected)
def on_centre_review_rejected(event: said.CentreReviewRejected, rows: Rows) -> None:
    rows.execute(
        "UPDATE applications SET status = 'rejected', reason = %s, centre_reviewer = %s"
        " WHERE application = %s",
        (event.reason, event.reviewer, event.application),
    )


@register.on(said.CandidateRegistered)
def on_candidate_registered(event: said.CandidateRegistered, rows: Rows) -> None:
    rows.execute("UPDATE applications SET status = 'registered' WHERE application = %s", (event.application,))


@register.on(said.ApplicationWithdrawn)
def on_application_withdrawn(event: said.ApplicationWithdrawn, rows: Rows) -> None:
    rows.execute(
        "UPDATE applications SET status = 'withdrawn', reason = %s WHERE application = %s",
        (event.reason, event.application),
    )


@register.on(said.AdmissionTicketIssued)
def on_admission_ticket_issued(event: said.AdmissionTicketIssued, rows: Rows) -> None:
    rows.execute(
        "UPDATE applications SET status = 'ticketed', ticket = %s, room = %s, seat = %s, theory_at = %s,"
        " practical_at = %s WHERE application = %s",
        (
            event.ticket,
            event.room,
            event.seat,
            event.theory_at,
            event.practical_at,
            event.application,
        ),
    )


@register.on(said.ApplicationConcluded)
def on_application_concluded(event: said.ApplicationConcluded, rows: Rows) -> None:
    rows.execute(
        "UPDATE applications SET status = 'concluded', outcome = %s WHERE application = %s",
        (event.outcome, event.application),
    )


@accounts.on(said.AccountOpened)
def on_account_opened(event: said.AccountOpened, rows: Rows) -> None:
    rows.execute("INSERT INTO accounts (account) VALUES (%s)", (event.account,))


@accounts.on(said.AppointmentGiven)
def on_appointment_given(event: said.AppointmentGiven, rows: Rows) -> None:
    rows.execute(
        "UPDATE accounts SET appointments = array_append(appointments, %s) WHERE account = %s",
        (f"{event.role}@{event.body}", event.account),
    )


@accounts.on(said.AppointmentEnded)
def on_appointment_ended(event: said.AppointmentEnded, rows: Rows) -> None:
    rows.execute(
        "UPDATE accounts SET appointments = array_remove(appointments, %s) WHERE account = %s",
        (f"{event.role}@{event.body}", event.account),
    )


@accounts.on(said.AccountClosed)
def on_account_closed(event: said.AccountClosed, rows: Rows) -> None:
    rows.execute("UPDATE accounts SET open = false, appointments = '{}' WHERE account = %s", (event.account,))


@accounts.on(said.AccountLocked)
def on_account_locked(event: said.AccountLocked, rows: Rows) -> None:
    if event.account:
        rows.execute("UPDATE accounts SET locked_until = %s WHERE account = %s", (event.until, event.account))


@staff.on(said.AppointmentGiven)
def on_appointed(event: said.AppointmentGiven, rows: Rows) -> None:
    rows.execute(
        "INSERT INTO appointments (account, role, body) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (event.account, event.role, event.body),
    )


@staff.on(said.AppointmentEnded)
def on_appointed_no_more(event: said.AppointmentEnded, rows: Rows) -> None:
    rows.execute(
        "DELETE FROM appointments WHERE account = %s AND role = %s AND body = %s",
        (event.account, event.role, event.body),
    )


@staff.on(said.AccountClosed)
def on_gone(event: said.AccountClosed, rows: Rows) -> None:
    rows.execute("DELETE FROM appointments WHERE account = %s", (event.account,))


@staff.on_dated(said.TrainingHeld)
def on_training_held(event: said.TrainingHeld, rows: Rows, happened: str) -> None:
    rows.execute(
        "INSERT INTO trainings (training, batch, station, occupation, trainer, trainees, hours, held_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            event.training,
            event.batch,
            event.station,
            event.occupation,
            event.trainer,
            len(event.trainees),
            event.hours,
            happened,
        ),
    )
