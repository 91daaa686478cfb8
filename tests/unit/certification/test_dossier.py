"""A certificate follows from a whole chain of evidence and a passed result, and from nothing else."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.certification.domain import dossier as domain
from services.certification.domain.dossier import (
    LINKS,
    ApproveCertificate,
    Dossier,
    FileEvidence,
    FileResult,
    IssueCertificate,
    OpenDossier,
    dossier,
)
from services.certification.domain.numbers import NoSchemeInForce
from shared.contracts.certification import (
    CertificateApproved,
    CertificateIssued,
    DossierOpened,
    EvidenceFiled,
    ResultFiled,
)
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.testing.scenario import Scenario, scenario

AT = datetime(2026, 4, 16, 1, 30, tzinfo=UTC)
SERVICE = Actor("certification", Role.SERVICE, "centre")
PROCESSOR = Actor(derived_id("test", "processor"), Role.CERTIFICATE_PROCESSOR, "centre")
APPLICATION, CANDIDATE, BATCH = (derived_id("test", each) for each in ("application", "candidate", "batch"))
STATION, NUMBER = "10012003", "2610012003400001"

ABOUT: dict[str, Any] = {"application": APPLICATION, "candidate": CANDIDATE, "batch": BATCH}
TRADE: dict[str, Any] = {
    "station": STATION,
    "occupation": "6-04-02-05",
    "catalogue": "1999",
    "level": 4,
}


def evidence(link: str, event: str = "first") -> EvidenceFiled:
    return EvidenceFiled(
        **ABOUT,
        link=link,
        evidence=derived_id("test", link, event),
        evidence_hash=sha256(f"{link} {event}".encode()).hexdigest(),
    )


OPENED = DossierOpened(**ABOUT, **TRADE)
CHAIN = [evidence(link) for link in LINKS]
PASSED = ResultFiled(**ABOUT, theory=72, practical=68, passed=True)
FAILED = ResultFiled(**ABOUT, theory=72, practical=58, passed=False)


def the(command: type[Any], by: Actor = SERVICE, **fields: Any) -> Any:
    return command(dossier=APPLICATION, by=by, at=AT, **fields)


def file(filed: EvidenceFiled) -> FileEvidence:
    return the(
        FileEvidence,
        candidate=CANDIDATE,
        batch=BATCH,
        link=filed.link,
        evidence=filed.evidence,
        evidence_hash=filed.evidence_hash,
    )


def file_result(filed: ResultFiled) -> FileResult:
    return the(
        FileResult,
        candidate=CANDIDATE,
        batch=BATCH,
        theory=filed.theory,
        practical=filed.practical,
        passed=filed.passed,
    )


def open_dossier() -> OpenDossier:
    return the(OpenDossier, candidate=CANDIDATE, batch=BATCH, **TRADE)


def approve(by: Actor = PROCESSOR, at: datetime = AT) -> ApproveCertificate:
    return replace(the(ApproveCertificate, by=by), at=at)


def issue() -> IssueCertificate:
    return the(IssueCertificate, number=NUMBER)


def approved(chain: list[EvidenceFiled] = CHAIN, year: int = 2026) -> CertificateApproved:
    return CertificateApproved(
        **ABOUT, station=STATION, level=4, year=year, evidence_digest=domain.digest(chain)
    )


def issued(theory: int = 72, practical: int = 68) -> CertificateIssued:
    digest = domain.digest(CHAIN)
    return CertificateIssued(
        number=NUMBER, **ABOUT, **TRADE, theory=theory, practical=practical, evidence_digest=digest
    )


def whole(result: ResultFiled = PASSED) -> Scenario:
    return scenario(dossier).given(OPENED, *CHAIN[:-1], result, CHAIN[-1])


def test_a_registered_candidate_has_a_dossier() -> None:
    scenario(dossier).when(open_dossier()).then(OPENED)


def test_opening_twice_changes_nothing() -> None:
    scenario(dossier).given(OPENED).when(open_dossier()).then_nothing()


@pytest.mark.parametrize("link", LINKS)
def test_each_link_is_filed(link: str) -> None:
    scenario(dossier).given(OPENED).when(file(evidence(link))).then(evidence(link))


def test_evidence_may_come_before_the_registration() -> None:
    scenario(dossier).when(file(evidence("checked_in"))).then(evidence("checked_in"))


def test_the_same_evidence_twice_changes_nothing() -> None:
    whole().when(file(evidence("drawn"))).then_nothing()


def test_newer_evidence_of_a_link_is_filed() -> None:
    whole().when(file(evidence("scored", "corrected"))).then(evidence("scored", "corrected"))


def test_a_published_result_is_filed() -> None:
    scenario(dossier).given(OPENED).when(file_result(PASSED)).then(PASSED)


def test_the_same_result_twice_changes_nothing() -> None:
    whole().when(file_result(PASSED)).then_nothing()


def test_a_result_that_changed_is_filed() -> None:
    whole(FAILED).when(file_result(PASSED)).then(PASSED)


def test_a_whole_chain_and_a_passed_result_are_approved() -> None:
    whole().when(approve()).then(approved())


def test_the_digest_is_that_of_the_sorted_links() -> None:
    lines = [
        f"{link} {derived_id('test', link, 'first')} {sha256(f'{link} first'.encode()).hexdigest()}"
        for link in ("checked_in", "drawn", "published", "registered", "scored", "ticketed")
    ]
    assert domain.digest(CHAIN) == sha256("\n".join(lines).encode()).hexdigest()


@given(st.permutations(CHAIN))
def test_the_digest_does_not_depend_on_the_order_of_arrival(chain: list[EvidenceFiled]) -> None:
    assert domain.digest(chain) == domain.digest(CHAIN)


@pytest.mark.parametrize("link", LINKS)
def test_one_missing_link_breaks_the_chain(link: str) -> None:
    rest = [filed for filed in CHAIN if filed.link != link]
    given = scenario(dossier).given(OPENED, PASSED, *rest)
    given.when(approve()).refused(domain.ChainIsBroken)


def test_a_broken_chain_names_what_is_missing() -> None:
    state = dossier.fold(Dossier(), [OPENED, CHAIN[0], CHAIN[1], CHAIN[3]])
    with pytest.raises(domain.ChainIsBroken) as refused:
        dossier.decide(approve(), state)
    problem = refused.value.problem()
    assert problem["en"].endswith("Missing: checked_in, scored, published.")
    assert problem["zh"].endswith("缺：签到、成绩合成、成绩公布。")
    assert problem["rule"] == "R132"


def test_evidence_without_a_registration_is_a_broken_chain() -> None:
    scenario(dossier).given(*CHAIN[1:], PASSED).when(approve()).refused(domain.ChainIsBroken)


def test_an_unknown_dossier_is_not_approved() -> None:
    scenario(dossier).when(approve()).refused(domain.DossierUnknown)


def test_who_failed_gets_no_certificate() -> None:
    whole(FAILED).when(approve()).refused(domain.NotQualified)


def test_a_chain_without_a_result_gets_no_certificate() -> None:
    scenario(dossier).given(OPENED, *CHAIN).when(approve()).refused(domain.NotQualified)


def test_a_certificate_is_approved_once() -> None:
    whole().given(approved()).when(approve()).refused(domain.CertificateAlreadyApproved)


def test_a_station_approves_no_certificate() -> None:
    by = replace(PROCESSOR, body=f"station-{STATION}")
    whole().when(approve(by)).refused(domain.NotTheCentre)


def test_scores_that_were_combined_anew_have_to_be_published_anew() -> None:
    again = evidence("scored", "corrected")
    whole().given(again).when(approve()).refused(domain.ChainIsBroken)


def test_a_result_that_is_published_anew_is_filed_anew_even_if_it_says_the_same() -> None:
    whole().given(evidence("scored", "corrected")).when(file_result(PASSED)).then(PASSED)


def test_the_newer_evidence_is_what_a_certificate_rests_on() -> None:
    again = [evidence("scored", "corrected"), evidence("published", "corrected")]
    result = replace(PASSED, practical=70)
    given = whole().given(again[0], result, again[1])
    given.when(approve()).then(approved([*CHAIN[:4], *again]))


@pytest.mark.parametrize(
    ("at", "year"),
    [
        (datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC), 2026),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), 2027),
    ],
)
def test_the_year_is_chinas(at: datetime, year: int) -> None:
    whole().when(approve(at=at)).then(approved(year=year))


def test_a_year_that_no_scheme_numbers_is_refused_before_the_approval() -> None:
    whole().when(approve(at=datetime(1999, 6, 1, tzinfo=UTC))).refused(NoSchemeInForce)


def test_a_numbered_certificate_is_issued() -> None:
    whole().given(approved()).when(issue()).then(issued())


def test_a_certificate_says_what_was_approved_even_if_the_result_changes_meanwhile() -> None:
    meanwhile = replace(PASSED, practical=61)
    whole().given(approved(), meanwhile).when(issue()).then(issued(practical=68))


def test_issuing_twice_changes_nothing() -> None:
    whole().given(approved(), issued()).when(issue()).then_nothing()


def test_what_was_not_approved_is_not_issued() -> None:
    whole().when(issue()).refused(domain.CertificateNotApproved)


def test_evidence_is_filed_after_the_certificate_too() -> None:
    again = evidence("scored", "corrected")
    whole().given(approved(), issued()).when(file(again)).then(again)


def test_no_order_of_arrival_withholds_a_certificate() -> None:
    """Registration and scheduling are not ordered among each other; scoring's own events are."""
    for first in permutations([OPENED, *CHAIN[:4]]):
        scenario(dossier).given(*first, CHAIN[4], PASSED, CHAIN[5]).when(approve()).then(approved())
        scenario(dossier).given(CHAIN[4], PASSED, CHAIN[5], *first).when(approve()).then(approved())


def test_each_step_belongs_to_one_role() -> None:
    assert dossier.roles == {
        OpenDossier: {Role.SERVICE},
        FileEvidence: {Role.SERVICE},
        FileResult: {Role.SERVICE},
        ApproveCertificate: {Role.CERTIFICATE_PROCESSOR},
        IssueCertificate: {Role.SERVICE},
    }
