"""A person is enrolled once."""

from datetime import UTC, datetime

from services.registration.domain.errors import PersonUnknown
from services.registration.domain.person import (
    EnrolPerson,
    ErasePerson,
    PersonErasedAlready,
    PersonExists,
    person,
)
from shared.contracts.registration import PersonEnrolled, PersonErased
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.testing.scenario import scenario

COMMITTED = {
    "candidate": derived_id("candidate"),
    "document": "resident_id",
    "identity_commitment": "1a" * 32,
    "photo_commitment": "2b" * 32,
}
AFFAIRS = Actor(derived_id("affairs"), Role.EXAM_AFFAIRS, "station-10012003")
ENROL = EnrolPerson(by=AFFAIRS, at=datetime(2026, 4, 1, tzinfo=UTC), **COMMITTED)
ENROLLED = PersonEnrolled(**COMMITTED)
OFFICER = Actor(derived_id("officer"), Role.CENTRE_OFFICER, "centre")
WHO = {"candidate": COMMITTED["candidate"], "ground": "consent_withdrawn"}
ERASE = ErasePerson(by=OFFICER, at=datetime(2026, 4, 2, tzinfo=UTC), **WHO)
ERASED = PersonErased(**WHO)


def test_exam_affairs_enrol_people():
    assert person.roles[EnrolPerson] == {Role.EXAM_AFFAIRS}


def test_a_person_is_enrolled_by_commitments_alone():
    scenario(person).when(ENROL).then(ENROLLED)


def test_a_person_is_enrolled_once():
    scenario(person).given(ENROLLED).when(ENROL).refused(PersonExists)


def test_a_persons_stream_is_named_by_the_candidate():
    assert person.stream(ENROL) == f"candidate-{COMMITTED['candidate']}"


def test_the_centre_erases_people():
    assert person.roles[ErasePerson] == {Role.CENTRE_OFFICER}


def test_a_person_is_erased_once_and_told_of_by_nothing_but_his_id():
    scenario(person).given(ENROLLED).when(ERASE).then(ERASED)
    scenario(person).given(ENROLLED, ERASED).when(ERASE).refused(PersonErasedAlready)


def test_nobody_is_erased_who_was_never_enrolled():
    scenario(person).when(ERASE).refused(PersonUnknown)


def test_an_erased_id_never_stands_for_anybody_again():
    scenario(person).given(ENROLLED, ERASED).when(ENROL).refused(PersonExists)
    assert person.fold(person.initial, [ENROLLED]).known
    assert not person.fold(person.initial, [ENROLLED, ERASED]).known
