"""What certification does about others' events, and about its own."""

from services.certification.domain.book import AllocateNumber, book_of
from services.certification.domain.dossier import (
    CHECKED_IN,
    DRAWN,
    PUBLISHED,
    REGISTERED,
    SCORED,
    TICKETED,
    FileEvidence,
    FileResult,
    IssueCertificate,
    OpenDossier,
)
from shared.contracts.certification import CertificateApproved, CertificateNumberAllocated
from shared.contracts.registration import AdmissionTicketIssued, CandidateRegistered
from shared.contracts.scheduling import CandidateCheckedIn, PaperDrawn
from shared.contracts.scoring import ResultPublished, ScoresCombined
from shared.kernel.reactions import Policies, Us

policies = Policies()

Evidence = (
    CandidateRegistered
    | AdmissionTicketIssued
    | CandidateCheckedIn
    | PaperDrawn
    | ScoresCombined
    | ResultPublished
)
_LINK = {
    AdmissionTicketIssued: TICKETED,
    CandidateCheckedIn: CHECKED_IN,
    PaperDrawn: DRAWN,
    ScoresCombined: SCORED,
}


@policies.on(CandidateRegistered)
def on_candidate_registered(event: CandidateRegistered, us: Us) -> None:
    us.execute(
        OpenDossier,
        dossier=event.application,
        candidate=event.candidate,
        batch=event.batch,
        station=event.station,
        occupation=event.occupation,
        catalogue=event.catalogue,
        level=event.level,
    )
    _file(event, REGISTERED, us)


@policies.on(*_LINK)
def on_evidence(event: AdmissionTicketIssued, us: Us) -> None:
    _file(event, _LINK[type(event)], us)


@policies.on(ResultPublished)
def on_result_published(event: ResultPublished, us: Us) -> None:
    us.execute(
        FileResult,
        dossier=event.application,
        candidate=event.candidate,
        batch=event.batch,
        theory=event.theory,
        practical=event.practical,
        passed=event.passed,
    )
    _file(event, PUBLISHED, us)


@policies.on(CertificateApproved)
def on_certificate_approved(event: CertificateApproved, us: Us) -> None:
    us.execute(
        AllocateNumber,
        book=book_of(event.station, event.year, event.level),
        application=event.application,
        batch=event.batch,
        station=event.station,
        level=event.level,
        year=event.year,
    )


@policies.on(CertificateNumberAllocated)
def on_certificate_number_allocated(event: CertificateNumberAllocated, us: Us) -> None:
    us.execute(IssueCertificate, dossier=event.application, number=event.number)


def _file(event: Evidence, link: str, us: Us) -> None:
    us.execute(
        FileEvidence,
        dossier=event.application,
        candidate=event.candidate,
        batch=event.batch,
        link=link,
        evidence=us.event_id,
        evidence_hash=us.event_hash,
    )
