"""What scheduling does when it hears something."""

from datetime import UTC, datetime

from services.scheduling.domain import chance
from services.scheduling.domain.batch import Batch, EnrolCandidate, StrikeOffCandidate, batch
from services.scheduling.domain.sitting import AssignSeat, LinkTicket
from services.scheduling.policies import policies
from shared.contracts.registration import AdmissionTicketIssued, ApplicationWithdrawn, CandidateRegistered
from shared.contracts.scheduling import BatchApplied, CandidateEnrolled, PaperPoolSealed, SeatsAllocated
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id

BATCH, STATION = derived_id("batch"), "10012003"
PEOPLE = {derived_id("application", str(number)): derived_id("candidate", str(number)) for number in range(3)}
ANNE, BO, CHEN = PEOPLE
PAPERS = (derived_id("paper"),)
THEORY_AT, PRACTICAL_AT = "2026-04-16T01:30:00.000000Z", "2026-04-16T06:00:00.000000Z"
HISTORY = (
    BatchApplied(
        batch=BATCH,
        station=STATION,
        occupation="6-04-02-05",
        catalogue="1999",
        levels=(4,),
        planned=9,
        theory_at=THEORY_AT,
        practical_at=PRACTICAL_AT,
    ),
    *(CandidateEnrolled(batch=BATCH, application=one, candidate=PEOPLE[one], level=4) for one in PEOPLE),
    PaperPoolSealed(batch=BATCH, papers=PAPERS, pool_digest=chance.digest_of(PAPERS)),
)


class Here:
    """Our own service, with one batch in it; remembers what it was asked to do."""

    event_id = derived_id("event")
    event_hash = "00" * 32

    def __init__(self):
        self.asked = []

    def execute(self, command, **fields):
        by = Actor("scheduling", Role.SERVICE, "centre")
        self.asked.append(command(by=by, at=datetime(2026, 4, 1, tzinfo=UTC), **fields))

    def state(self, aggregate, id):
        assert (aggregate, id) == (batch, BATCH)
        return batch.fold(Batch(), HISTORY)


def asked_on(event):
    here = Here()
    policies.handler(type(event))(event, here)
    return here.asked


def test_a_registered_candidate_is_enrolled():
    registered = CandidateRegistered(
        application=ANNE,
        candidate=PEOPLE[ANNE],
        batch=BATCH,
        station=STATION,
        occupation="6-04-02-05",
        catalogue="1999",
        level=4,
        parts=("theory", "practical"),
        rule_version="2018-1",
    )
    (command,) = asked_on(registered)
    assert type(command) is EnrolCandidate
    assert (command.batch, command.application, command.candidate) == (BATCH, ANNE, PEOPLE[ANNE])
    assert (command.station, command.occupation, command.catalogue, command.level) == (
        STATION,
        "6-04-02-05",
        "1999",
        4,
    )


def test_who_withdraws_is_struck_off():
    withdrawn = ApplicationWithdrawn(
        application=ANNE, candidate=PEOPLE[ANNE], batch=BATCH, station=STATION, reason="本人要求"
    )
    (command,) = asked_on(withdrawn)
    assert type(command) is StrikeOffCandidate
    assert (command.batch, command.application) == (BATCH, ANNE)


def test_each_place_of_an_allocated_room_becomes_a_candidates_seat():
    room = SeatsAllocated(
        batch=BATCH,
        station=STATION,
        room="二号考场",
        seed="seed",
        algorithm="sha256-order-1",
        applications=(CHEN, ANNE),
    )
    commands = asked_on(room)
    assert [type(command) for command in commands] == [AssignSeat, AssignSeat]
    assert [(command.seat, command.sitting, command.candidate) for command in commands] == [
        (1, CHEN, PEOPLE[CHEN]),
        (2, ANNE, PEOPLE[ANNE]),
    ]
    assert {
        (command.room, command.theory_at, command.practical_at, command.papers) for command in commands
    } == {("二号考场", THEORY_AT, PRACTICAL_AT, PAPERS)}


def test_an_issued_ticket_is_linked_to_its_seat():
    ticket = AdmissionTicketIssued(
        application=BO,
        candidate=PEOPLE[BO],
        batch=BATCH,
        station=STATION,
        ticket="ABCDEFGH23456789",
        room="二号考场",
        seat=1,
        theory_at=THEORY_AT,
        practical_at=PRACTICAL_AT,
    )
    (command,) = asked_on(ticket)
    assert type(command) is LinkTicket
    assert (command.sitting, command.ticket) == (BO, "ABCDEFGH23456789")
