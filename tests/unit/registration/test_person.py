"""A person is enrolled once."""

from datetime import UTC, datetime

from services.registration.domain.person import EnrolPerson, PersonExists, person
from shared.contracts.registration import PersonEnrolled
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


def test_exam_affairs_enrol_people():
    assert person.roles[EnrolPerson] == {Role.EXAM_AFFAIRS}


def test_a_person_is_enrolled_by_commitments_alone():
    scenario(person).when(ENROL).then(ENROLLED)


def test_a_person_is_enrolled_once():
    scenario(person).given(ENROLLED).when(ENROL).refused(PersonExists)


def test_a_persons_stream_is_named_by_the_candidate():
    assert person.stream(ENROL) == f"candidate-{COMMITTED['candidate']}"
