"""One candidate's exam: a seat, a ticket, the door, the paper."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.scheduling.domain import chance
from services.scheduling.domain.errors import OtherStation
from services.scheduling.domain.errors import sitting as errors
from services.scheduling.domain.sitting import (
    AssignSeat,
    CheckIn,
    DrawPaper,
    LinkTicket,
    MarkAbsent,
    sitting,
)
from shared.contracts.scheduling import (
    CandidateAbsent,
    CandidateCheckedIn,
    PaperDrawn,
    SeatAssigned,
    TicketLinked,
)
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.testing.scenario import scenario

APPLICATION, CANDIDATE, BATCH = derived_id("application"), derived_id("candidate"), derived_id("batch")
STATION, ROOM, TICKET = "10012003", "一号考场", "ABCDEFGH23456789"
PAPERS = tuple(sorted(derived_id("paper", str(number)) for number in range(5)))
DIGEST, LOT = chance.digest_of(PAPERS), "5a" * 32
PRACTICAL_AT = datetime(2026, 4, 16, 6, 0, tzinfo=UTC)
DOOR, DRAW = PRACTICAL_AT - timedelta(hours=5), PRACTICAL_AT - timedelta(minutes=20)

SERVICE = Actor("scheduling", Role.SERVICE, "centre")
INVIGILATOR = Actor(derived_id("invigilator"), Role.INVIGILATOR, f"station-{STATION}")
NEIGHBOUR = replace(INVIGILATOR, body="station-10012004")
WHO = {"application": APPLICATION, "candidate": CANDIDATE, "batch": BATCH}
WHERE = {"station": STATION, "room": ROOM}
EXAM = {
    "seat": 7,
    "theory_at": "2026-04-16T01:30:00.000000Z",
    "practical_at": "2026-04-16T06:00:00.000000Z",
    "papers": PAPERS,
    "pool_digest": DIGEST,
}

ASSIGN = AssignSeat(
    by=SERVICE, at=DOOR, sitting=APPLICATION, candidate=CANDIDATE, batch=BATCH, **WHERE, **EXAM
)
LINK = LinkTicket(by=SERVICE, at=DOOR, sitting=APPLICATION, ticket=TICKET)
ENTER = CheckIn(
    by=INVIGILATOR,
    at=DOOR,
    sitting=APPLICATION,
    ticket=TICKET,
    document_checked=True,
    photo_matches=True,
    blind_code="B-23456789AB",
)
MISS = MarkAbsent(by=INVIGILATOR, at=DOOR, sitting=APPLICATION)
TAKE = DrawPaper(by=INVIGILATOR, at=DRAW, sitting=APPLICATION, lot=LOT)

SEATED = SeatAssigned(**WHO, **WHERE, **EXAM)
LINKED = TicketLinked(**WHO, ticket=TICKET)
ENTERED = CandidateCheckedIn(**WHO, **WHERE, ticket=TICKET, blind_code="B-23456789AB", checker=INVIGILATOR.id)
MISSED = CandidateAbsent(**WHO, **WHERE)
DRAWN = PaperDrawn(
    **WHO,
    **WHERE,
    blind_code="B-23456789AB",
    paper=chance.drawn(PAPERS, DIGEST, LOT, APPLICATION),
    pool_digest=DIGEST,
    lot=LOT,
    algorithm="sha256-mod-1",
    witness=INVIGILATOR.id,
)

new = scenario(sitting)
seated = new.given(SEATED)
expected = seated.given(LINKED)
inside = expected.given(ENTERED)
absent = expected.given(MISSED)
done = inside.given(DRAWN)


@pytest.mark.parametrize(
    ("command", "role"),
    [
        (AssignSeat, Role.SERVICE),
        (LinkTicket, Role.SERVICE),
        (CheckIn, Role.INVIGILATOR),
        (MarkAbsent, Role.INVIGILATOR),
        (DrawPaper, Role.INVIGILATOR),
    ],
)
def test_each_step_belongs_to_one_role(command, role):
    assert sitting.roles[command] == {role}


def test_a_sitting_is_named_by_its_application():
    assert sitting.stream(ASSIGN) == f"sitting-{APPLICATION}"


def test_a_seat_is_assigned():
    new.when(ASSIGN).then(SEATED)


def test_a_seat_is_assigned_once():
    seated.when(replace(ASSIGN, seat=8)).refused(errors.SeatAlreadyAssigned)


def test_a_ticket_is_linked_to_the_seat():
    seated.when(LINK).then(LINKED)


def test_linking_the_same_ticket_again_changes_nothing():
    expected.when(LINK).then_nothing()


def test_a_seat_has_one_ticket():
    expected.when(replace(LINK, ticket="ZZZZZZZZ23456789")).refused(errors.TicketAlreadyLinked)


@pytest.mark.parametrize("command", [LINK, ENTER, MISS, TAKE])
def test_nothing_happens_without_a_seat(command):
    new.when(command).refused(errors.SittingUnknown)


@pytest.mark.parametrize("command", [ENTER, MISS, TAKE])
def test_another_station_has_no_say(command):
    inside.when(replace(command, by=NEIGHBOUR)).refused(OtherStation)


def test_the_right_person_with_the_right_ticket_is_checked_in():
    expected.when(ENTER).then(ENTERED)


def test_another_ticket_opens_no_door():
    expected.when(replace(ENTER, ticket="ZZZZZZZZ23456789")).refused(errors.TicketUnknown)


@pytest.mark.parametrize("ticket", [TICKET, ""])
def test_no_ticket_opens_the_door_before_one_is_issued(ticket):
    seated.when(replace(ENTER, ticket=ticket)).refused(errors.TicketUnknown)


def test_nobody_is_admitted_without_a_checked_document():
    expected.when(replace(ENTER, document_checked=False)).refused(errors.DocumentNotChecked)


def test_nobody_is_admitted_on_another_persons_photo():
    expected.when(replace(ENTER, photo_matches=False)).refused(errors.PhotoMismatch)


@pytest.mark.parametrize("history", [inside, done])
def test_a_candidate_is_checked_in_once(history):
    history.when(ENTER).refused(errors.AlreadyCheckedIn)


def test_who_is_marked_absent_is_not_admitted():
    absent.when(ENTER).refused(errors.AlreadyAbsent)


@pytest.mark.parametrize("history", [seated, expected])
def test_who_does_not_come_is_absent(history):
    history.when(MISS).then(MISSED)


@pytest.mark.parametrize("history", [inside, done])
def test_who_is_inside_is_not_absent(history):
    history.when(MISS).refused(errors.AlreadyCheckedIn)


def test_a_candidate_is_absent_once():
    absent.when(MISS).refused(errors.AlreadyAbsent)


@pytest.mark.parametrize("before", [timedelta(minutes=30), timedelta(minutes=20), timedelta(0)])
def test_a_candidate_draws_within_half_an_hour_before_the_practical_part(before):
    inside.when(replace(TAKE, at=PRACTICAL_AT - before)).then(DRAWN)


@pytest.mark.parametrize("before", [timedelta(minutes=30, microseconds=1), timedelta(microseconds=-1)])
def test_nobody_draws_earlier_or_later(before):
    inside.when(replace(TAKE, at=PRACTICAL_AT - before)).refused(errors.OutsideDrawWindow)


@pytest.mark.parametrize("history", [seated, expected, absent])
def test_only_who_is_inside_draws(history):
    history.when(TAKE).refused(errors.NotCheckedIn)


def test_there_is_no_second_draw():
    done.when(replace(TAKE, lot="a5" * 32)).refused(errors.PaperAlreadyDrawn)
