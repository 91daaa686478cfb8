"""鉴定申请: submitted, reviewed twice by different people, registered, ticketed, concluded."""

from dataclasses import dataclass, replace

from services.registration.domain import eligibility
from services.registration.domain.errors import (
    ApplicationAlreadyOpen,
    ApplicationExists,
    ApplicationUnknown,
    ConditionsNotMet,
    NotAwaitingThis,
    NotTheCentre,
    OtherStation,
    SecondPersonNeeded,
)
from shared.contracts.registration import (
    AdmissionTicketIssued,
    ApplicationConcluded,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    CandidateRegistered,
    CentreReviewPassed,
    CentreReviewRejected,
    StationReviewPassed,
    StationReviewRejected,
)
from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Aggregate, Command, Facts

CENTRE = "centre"
PARTS = ("theory", "practical")


@dataclass(frozen=True, kw_only=True)
class SubmitApplication(Command):
    """提交申请 for one person, trade and level in a batch; `evidence`: digests of the copies (R022-R025)."""

    application: str
    candidate: str
    batch: str
    station: str
    occupation: str
    catalogue: str
    level: int
    kind: str
    held_level: int
    years_in_trade: int
    education: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PassStationReview(Command):
    """初审通过."""

    application: str


@dataclass(frozen=True, kw_only=True)
class RejectAtStation(Command):
    """初审不通过."""

    application: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PassCentreReview(Command):
    """复核通过, which registers the candidate."""

    application: str


@dataclass(frozen=True, kw_only=True)
class RejectAtCentre(Command):
    """复核不通过."""

    application: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class IssueAdmissionTicket(Command):
    """签发准考证 for an assigned seat; `ticket` is drawn at random by the caller."""

    application: str
    ticket: str
    room: str
    seat: int
    theory_at: str
    practical_at: str


@dataclass(frozen=True, kw_only=True)
class WithdrawApplication(Command):
    """撤回申请."""

    application: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ConcludeApplication(Command):
    """办结: the result is out, the candidate was absent, or the batch had no place (scheduling's code)."""

    application: str
    outcome: str


@dataclass(frozen=True)
class Application:
    """What an application's history amounts to."""

    status: str = "new"
    submitted: ApplicationSubmitted | None = None
    station_reviewer: str = ""
    ticket: str = ""

    @property
    def facts(self) -> ApplicationSubmitted:
        if self.submitted is None:
            raise ApplicationUnknown
        return self.submitted


OPEN = frozenset({"submitted", "station_passed", "registered", "ticketed"})
NEEDS_NO_TICKET = frozenset({"ticketed", "withdrawn", "concluded"})


def claims(state: Application) -> set[str]:
    """While open: this person, trade and level belong to this application alone (R036)."""
    if state.status not in OPEN:
        return set()
    facts = state.facts
    return {f"{facts.candidate}/{facts.occupation}/{facts.level}"}


application = Aggregate("application", Application(), claims=claims, taken=ApplicationAlreadyOpen)


@application.decides(Role.EXAM_AFFAIRS)
def submit(command: SubmitApplication, state: Application) -> Facts:
    if state.status != "new":
        raise ApplicationExists
    _same_station(command.by, command.station)
    return [
        ApplicationSubmitted(
            application=command.application,
            candidate=command.candidate,
            batch=command.batch,
            station=command.station,
            occupation=command.occupation,
            catalogue=command.catalogue,
            level=command.level,
            kind=command.kind,
            held_level=command.held_level,
            years_in_trade=command.years_in_trade,
            education=command.education,
            evidence=command.evidence,
        )
    ]


@application.decides(Role.STATION_REVIEWER)
def pass_at_station(command: PassStationReview, state: Application) -> Facts:
    _awaits("submitted", state)
    _same_station(command.by, state.facts.station)
    return [
        StationReviewPassed(
            **_about(state), reviewer=command.by.id, rule_version=eligibility.CURRENT, clause=_clause(state)
        )
    ]


@application.decides(Role.STATION_REVIEWER)
def reject_at_station(command: RejectAtStation, state: Application) -> Facts:
    _awaits("submitted", state)
    _same_station(command.by, state.facts.station)
    return [StationReviewRejected(**_about(state), reviewer=command.by.id, reason=command.reason)]


@application.decides(Role.CENTRE_REVIEWER)
def pass_at_centre(command: PassCentreReview, state: Application) -> Facts:
    _awaits("station_passed", state)
    _another_at_the_centre(command.by, state)
    facts = state.facts
    return [
        CentreReviewPassed(
            **_about(state), reviewer=command.by.id, rule_version=eligibility.CURRENT, clause=_clause(state)
        ),
        CandidateRegistered(
            **_about(state),
            occupation=facts.occupation,
            catalogue=facts.catalogue,
            level=facts.level,
            parts=PARTS,
            rule_version=eligibility.CURRENT,
        ),
    ]


@application.decides(Role.CENTRE_REVIEWER)
def reject_at_centre(command: RejectAtCentre, state: Application) -> Facts:
    _awaits("station_passed", state)
    _another_at_the_centre(command.by, state)
    return [CentreReviewRejected(**_about(state), reviewer=command.by.id, reason=command.reason)]


@application.decides(Role.SERVICE)
def issue_ticket(command: IssueAdmissionTicket, state: Application) -> Facts:
    """Nothing follows once he has a ticket, or needs none: a seat may be assigned while he withdraws."""
    if state.status in NEEDS_NO_TICKET:
        return []
    _awaits("registered", state)
    return [
        AdmissionTicketIssued(
            **_about(state),
            ticket=command.ticket,
            room=command.room,
            seat=command.seat,
            theory_at=command.theory_at,
            practical_at=command.practical_at,
        )
    ]


@application.decides(Role.EXAM_AFFAIRS)
def withdraw(command: WithdrawApplication, state: Application) -> Facts:
    if state.status not in OPEN - {"ticketed"}:  # whoever has a ticket and stays away is absent
        raise NotAwaitingThis
    _same_station(command.by, state.facts.station)
    return [ApplicationWithdrawn(**_about(state), reason=command.reason)]


@application.decides(Role.SERVICE)
def conclude(command: ConcludeApplication, state: Application) -> Facts:
    if state.status not in OPEN:
        return []
    return [ApplicationConcluded(**_about(state), outcome=command.outcome)]


@application.evolves
def submitted(event: ApplicationSubmitted, state: Application) -> Application:
    return replace(state, status="submitted", submitted=event)


@application.evolves
def station_passed(event: StationReviewPassed, state: Application) -> Application:
    return replace(state, status="station_passed", station_reviewer=event.reviewer)


@application.evolves
def station_rejected(_event: StationReviewRejected, state: Application) -> Application:
    return replace(state, status="rejected")


@application.evolves
def centre_rejected(_event: CentreReviewRejected, state: Application) -> Application:
    return replace(state, status="rejected")


@application.evolves
def registered(_event: CandidateRegistered, state: Application) -> Application:
    return replace(state, status="registered")


@application.evolves
def ticketed(event: AdmissionTicketIssued, state: Application) -> Application:
    return replace(state, status="ticketed", ticket=event.ticket)


@application.evolves
def withdrawn(_event: ApplicationWithdrawn, state: Application) -> Application:
    return replace(state, status="withdrawn")


@application.evolves
def concluded(_event: ApplicationConcluded, state: Application) -> Application:
    return replace(state, status="concluded")


def _about(state: Application) -> dict[str, str]:
    facts = state.facts
    return {
        "application": facts.application,
        "candidate": facts.candidate,
        "batch": facts.batch,
        "station": facts.station,
    }


def _awaits(status: str, state: Application) -> None:
    if state.submitted is None:
        raise ApplicationUnknown
    if state.status != status:
        raise NotAwaitingThis


def _clause(state: Application) -> str:
    facts = state.facts
    clause = eligibility.satisfied(
        facts.level, held_level=facts.held_level, years=facts.years_in_trade, education=facts.education
    )
    if clause is None:
        raise ConditionsNotMet
    return clause


def _same_station(by: Actor, station: str) -> None:
    if by.body != f"station-{station}":
        raise OtherStation


def _another_at_the_centre(by: Actor, state: Application) -> None:
    if by.body != CENTRE:
        raise NotTheCentre
    if by.id == state.station_reviewer:
        raise SecondPersonNeeded
