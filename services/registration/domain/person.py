"""人员: enrolled once. The log knows an opaque id and salted commitments; the vault knows the rest."""

from dataclasses import dataclass, replace

from shared.contracts.registration import PersonEnrolled
from shared.kernel.actors import Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.errors import DomainError


@dataclass(frozen=True, kw_only=True)
class EnrolPerson(Command):
    """人员建档. What identifies him has gone to the vault already; only commitments arrive here (R207)."""

    candidate: str
    document: str
    identity_commitment: str
    photo_commitment: str


class PersonExists(DomainError):
    """该人员编号已建档；请直接使用，或为另一人使用新的编号。

    This person id is enrolled already; use it, or take a new id for another person.
    """

    field = "candidate"


@dataclass(frozen=True)
class Person:
    """Whether this id stands for somebody."""

    enrolled: bool = False


person: Aggregate[Person] = Aggregate("candidate", Person())


@person.decides(Role.EXAM_AFFAIRS)
def enrol(command: EnrolPerson, state: Person) -> Facts:
    if state.enrolled:
        raise PersonExists
    return [
        PersonEnrolled(
            candidate=command.candidate,
            document=command.document,
            identity_commitment=command.identity_commitment,
            photo_commitment=command.photo_commitment,
        )
    ]


@person.evolves
def enrolled(_event: PersonEnrolled, state: Person) -> Person:
    return replace(state, enrolled=True)
