"""What registration does about others' events."""

from services.registration.domain.application import ConcludeApplication, IssueAdmissionTicket
from shared.contracts.scheduling import CandidateAbsent, EnrolmentRefused, SeatAssigned
from shared.contracts.scoring import ResultPublished
from shared.kernel.ids import ticket_number
from shared.kernel.reactions import Policies, Us

policies = Policies()


@policies.on(EnrolmentRefused)
def on_enrolment_refused(event: EnrolmentRefused, us: Us) -> None:
    """The batch has no place for him: he may apply for another."""
    us.execute(ConcludeApplication, application=event.application, outcome=event.code)


@policies.on(SeatAssigned)
def on_seat_assigned(event: SeatAssigned, us: Us) -> None:
    """A seat follows the centre's notice, so the ticket may be issued now (R032, R061)."""
    us.execute(
        IssueAdmissionTicket,
        application=event.application,
        ticket=ticket_number(),
        room=event.room,
        seat=event.seat,
        theory_at=event.theory_at,
        practical_at=event.practical_at,
    )


@policies.on(ResultPublished)
def on_result_published(event: ResultPublished, us: Us) -> None:
    us.execute(
        ConcludeApplication, application=event.application, outcome="passed" if event.passed else "failed"
    )


@policies.on(CandidateAbsent)
def on_candidate_absent(event: CandidateAbsent, us: Us) -> None:
    us.execute(ConcludeApplication, application=event.application, outcome="absent")
