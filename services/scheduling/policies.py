"""What scheduling does about others' events, and about its own."""

from services.scheduling.domain.batch import EnrolCandidate, StrikeOffCandidate, batch
from services.scheduling.domain.sitting import AssignSeat, LinkTicket
from shared.contracts.registration import AdmissionTicketIssued, ApplicationWithdrawn, CandidateRegistered
from shared.contracts.scheduling import SeatsAllocated
from shared.kernel.reactions import Policies, Us

policies = Policies()


@policies.on(CandidateRegistered)
def on_candidate_registered(event: CandidateRegistered, us: Us) -> None:
    us.execute(
        EnrolCandidate,
        batch=event.batch,
        application=event.application,
        candidate=event.candidate,
        station=event.station,
        occupation=event.occupation,
        catalogue=event.catalogue,
        level=event.level,
    )


@policies.on(ApplicationWithdrawn)
def on_application_withdrawn(event: ApplicationWithdrawn, us: Us) -> None:
    us.execute(StrikeOffCandidate, batch=event.batch, application=event.application)


@policies.on(SeatsAllocated)
def on_seats_allocated(event: SeatsAllocated, us: Us) -> None:
    """Each place becomes one candidate's own, so that his exam day needs no other stream (R046)."""
    state = us.state(batch, event.batch)
    for seat, application in enumerate(event.applications, start=1):
        us.execute(
            AssignSeat,
            sitting=application,
            candidate=state.candidates[application],
            batch=event.batch,
            station=event.station,
            room=event.room,
            seat=seat,
            theory_at=state.facts.theory_at,
            practical_at=state.facts.practical_at,
            papers=state.sealed.papers,
            pool_digest=state.sealed.pool_digest,
        )


@policies.on(AdmissionTicketIssued)
def on_admission_ticket_issued(event: AdmissionTicketIssued, us: Us) -> None:
    us.execute(LinkTicket, sitting=event.application, ticket=event.ticket)
