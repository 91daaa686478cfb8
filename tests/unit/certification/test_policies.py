"""What certification files, and how a certificate comes to its number."""

from typing import Any

import pytest

from services.certification.domain.book import AllocateNumber
from services.certification.domain.dossier import (
    LINKS,
    FileEvidence,
    FileResult,
    IssueCertificate,
    OpenDossier,
)
from services.certification.policies import policies
from shared.contracts.certification import CertificateApproved, CertificateNumberAllocated
from shared.contracts.registration import AdmissionTicketIssued, CandidateRegistered
from shared.contracts.scheduling import CandidateCheckedIn, PaperDrawn
from shared.contracts.scoring import ResultPublished, ScoresCombined
from shared.kernel.aggregates import Command
from shared.kernel.events import Event
from shared.kernel.ids import derived_id

APPLICATION, CANDIDATE, BATCH = (derived_id("test", each) for each in ("application", "candidate", "batch"))
STATION, BLIND, TICKET = "10012003", "B-7H2K9QXW4M", "23456789ABCDEFGH"
EVENT_ID, EVENT_HASH = derived_id("test", "event"), "cd" * 32

ABOUT: dict[str, Any] = {
    "application": APPLICATION,
    "candidate": CANDIDATE,
    "batch": BATCH,
    "station": STATION,
}
DOSSIER = {"dossier": APPLICATION, "candidate": CANDIDATE, "batch": BATCH}
TRADE: dict[str, Any] = {"occupation": "6-04-02-05", "catalogue": "1999", "level": 4}
SCORES: dict[str, Any] = {"theory": 72, "practical": 68, "passed": True}
AFTERNOON = "2026-04-16T06:00:00.000000Z"

REGISTERED = CandidateRegistered(**ABOUT, **TRADE, parts=("theory", "practical"), rule_version="2018-1")
PUBLISHED = ResultPublished(**ABOUT, **SCORES)
CHAIN = {
    "registered": REGISTERED,
    "ticketed": AdmissionTicketIssued(
        **ABOUT, ticket=TICKET, room="101", seat=7, theory_at=AFTERNOON, practical_at=AFTERNOON
    ),
    "checked_in": CandidateCheckedIn(
        **ABOUT, ticket=TICKET, room="101", blind_code=BLIND, checker=derived_id("test", "invigilator")
    ),
    "drawn": PaperDrawn(
        **ABOUT,
        room="101",
        blind_code=BLIND,
        paper="paper-03",
        pool_digest="00" * 32,
        lot="11" * 32,
        algorithm="draw-1",
        witness=derived_id("test", "invigilator"),
    ),
    "scored": ScoresCombined(**ABOUT, **SCORES, rule="theory>=60,practical>=60"),
    "published": PUBLISHED,
}


class Asked:
    """Our service as a policy sees it, writing down what it is asked."""

    event_id, event_hash = EVENT_ID, EVENT_HASH

    def __init__(self) -> None:
        self.commands: list[tuple[type[Command], dict[str, Any]]] = []

    def execute(self, command: type[Command], **fields: Any) -> None:
        self.commands.append((command, fields))


def asked_by(event: Event) -> list[tuple[type[Command], dict[str, Any]]]:
    asked = Asked()
    handler = policies.handler(type(event))
    assert handler is not None
    handler(event, asked)
    return asked.commands


@pytest.mark.parametrize("link", LINKS)
def test_every_link_is_filed_with_the_id_and_hash_of_its_event(link: str) -> None:
    filed = {**DOSSIER, "link": link, "evidence": EVENT_ID, "evidence_hash": EVENT_HASH}
    assert asked_by(CHAIN[link])[-1] == (FileEvidence, filed)


@pytest.mark.parametrize("link", ["ticketed", "checked_in", "drawn", "scored"])
def test_these_links_are_evidence_and_nothing_else(link: str) -> None:
    assert len(asked_by(CHAIN[link])) == 1


def test_a_registration_opens_the_dossier() -> None:
    assert asked_by(REGISTERED)[0] == (OpenDossier, {**DOSSIER, "station": STATION, **TRADE})


def test_a_publication_files_its_result() -> None:
    assert asked_by(PUBLISHED)[0] == (FileResult, {**DOSSIER, **SCORES})


def test_an_approved_certificate_gets_the_next_number_of_its_book() -> None:
    event = CertificateApproved(**ABOUT, level=4, year=2026, evidence_digest="ef" * 32)
    asked = {"application": APPLICATION, "batch": BATCH, "station": STATION, "level": 4, "year": 2026}
    assert asked_by(event) == [(AllocateNumber, {"book": "10012003-2026-4", **asked})]


def test_a_numbered_certificate_is_issued() -> None:
    event = CertificateNumberAllocated(
        book="10012003-2026-4", serial=1, number="2610012003400001", application=APPLICATION, batch=BATCH
    )
    assert asked_by(event) == [(IssueCertificate, {"dossier": APPLICATION, "number": "2610012003400001"})]
