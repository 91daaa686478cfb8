"""What registration does when it hears something."""

from datetime import UTC, datetime

import pytest

from services.registration.domain.application import ConcludeApplication, IssueAdmissionTicket
from services.registration.policies import policies
from shared.contracts.scheduling import CandidateAbsent, EnrolmentRefused, SeatAssigned
from shared.contracts.scoring import ResultPublished
from shared.kernel.actors import Actor, Role
from shared.kernel.events import Event
from shared.kernel.ids import derived_id

ANNE, CANDIDATE, BATCH = derived_id("application"), derived_id("candidate"), derived_id("batch")
SEEN = {"application": ANNE, "candidate": CANDIDATE, "batch": BATCH}


class Here:
    """Our own service; remembers what it was asked to do."""

    event_id = derived_id("event")
    event_hash = "00" * 32

    def __init__(self):
        self.asked = []

    def execute(self, command, **fields):
        by = Actor("registration", Role.SERVICE, "centre")
        self.asked.append(command(by=by, at=datetime(2026, 4, 1, tzinfo=UTC), **fields))


def asked_on(event: Event):
    here = Here()
    policies.handler(type(event))(event, here)
    (command,) = here.asked
    return command


def published(*, passed: bool):
    theory = 60 if passed else 59
    return ResultPublished(**SEEN, station="10012003", theory=theory, practical=90, passed=passed)


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (published(passed=True), "passed"),
        (published(passed=False), "failed"),
        (CandidateAbsent(**SEEN, station="10012003", room="一号考场"), "absent"),
        (EnrolmentRefused(**SEEN, code="BatchIsFull"), "BatchIsFull"),
    ],
)
def test_an_application_ends_with_what_became_of_it(event, outcome):
    command = asked_on(event)
    assert type(command) is ConcludeApplication
    assert (command.application, command.outcome) == (ANNE, outcome)


def test_a_seat_brings_a_ticket():
    seat = SeatAssigned(
        **SEEN,
        station="10012003",
        room="一号考场",
        seat=7,
        theory_at="2026-04-16T01:30:00.000000Z",
        practical_at="2026-04-16T06:00:00.000000Z",
        papers=(derived_id("paper"),),
        pool_digest="00" * 32,
    )
    command = asked_on(seat)
    assert type(command) is IssueAdmissionTicket
    assert (command.application, command.room, command.seat) == (ANNE, "一号考场", 7)
    assert (command.theory_at, command.practical_at) == (seat.theory_at, seat.practical_at)
    assert command.ticket != asked_on(seat).ticket
