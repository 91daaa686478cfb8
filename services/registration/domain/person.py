"""人员: enrolled once, erased once. The log knows an opaque id and commitments; the vault knows the rest."""

from dataclasses import dataclass, replace

from services.registration.domain.errors import PersonUnknown
from shared.contracts.registration import PersonEnrolled, PersonErased
from shared.kernel.actors import Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.errors import DomainError

GROUNDS = ("purpose_ended", "retention_ended", "consent_withdrawn", "processing_unlawful", "other_law")
"""The five of PIPL art. 47 that oblige to erase (P24)."""


@dataclass(frozen=True, kw_only=True)
class EnrolPerson(Command):
    """人员建档. What identifies him has gone to the vault already; only commitments arrive here (R207)."""

    candidate: str
    document: str
    identity_commitment: str
    photo_commitment: str


@dataclass(frozen=True, kw_only=True)
class ErasePerson(Command):
    """删除个人信息, on one of the grounds of PIPL art. 47; his key in the vault goes with it (R207)."""

    candidate: str
    ground: str


class PersonExists(DomainError):
    """该人员编号已建档；请直接使用，或为另一人使用新的编号。

    This person id is enrolled already; use it, or take a new id for another person.
    """

    field = "candidate"


class PersonErasedAlready(DomainError):
    """该人员的个人信息已删除，无法恢复；无需再办。

    The personal data of this id was erased already and cannot be had back; nothing is left to do.
    """

    rule = "R207"
    field = "candidate"


@dataclass(frozen=True)
class Person:
    """Whether this id stands for somebody, or once did: an erased id never stands for somebody else."""

    enrolled: bool = False
    erased: bool = False

    @property
    def known(self) -> bool:
        """Whether it stands for somebody now."""
        return self.enrolled and not self.erased


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


@person.decides(Role.CENTRE_OFFICER)
def erase(command: ErasePerson, state: Person) -> Facts:
    if not state.enrolled:
        raise PersonUnknown
    if state.erased:
        raise PersonErasedAlready
    return [PersonErased(candidate=command.candidate, ground=command.ground)]


@person.evolves
def erased(_event: PersonErased, state: Person) -> Person:
    return replace(state, erased=True)
