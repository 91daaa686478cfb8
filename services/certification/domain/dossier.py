"""证书档案: the evidence of one application's way, and the certificate that may follow from it (R132)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta, timezone
from hashlib import sha256

from services.certification.domain import numbers
from shared.contracts.certification import (
    CertificateApproved,
    CertificateIssued,
    DossierOpened,
    EvidenceFiled,
    ResultFiled,
)
from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.errors import DomainError, NotEntitled

REGISTERED, TICKETED, CHECKED_IN, DRAWN, SCORED, PUBLISHED = LINKS = (
    "registered",
    "ticketed",
    "checked_in",
    "drawn",
    "scored",
    "published",
)
_CHINESE = dict(zip(LINKS, ("报名", "准考证", "签到", "抽题", "成绩合成", "成绩公布"), strict=True))
_CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True, kw_only=True)
class OpenDossier(Command):
    """建立证书档案; `dossier` is the application."""

    dossier: str
    candidate: str
    batch: str
    station: str
    occupation: str
    catalogue: str
    level: int


@dataclass(frozen=True, kw_only=True)
class FileEvidence(Command):
    """证据入卷: the id and the hash of the event that makes one link of the chain."""

    dossier: str
    candidate: str
    batch: str
    link: str
    evidence: str
    evidence_hash: str


@dataclass(frozen=True, kw_only=True)
class FileResult(Command):
    """公布成绩入卷."""

    dossier: str
    candidate: str
    batch: str
    theory: int
    practical: int
    passed: bool


@dataclass(frozen=True, kw_only=True)
class ApproveCertificate(Command):
    """发证审核, at the centre."""

    dossier: str


@dataclass(frozen=True, kw_only=True)
class IssueCertificate(Command):
    """签发证书 under the number that its book gave."""

    dossier: str
    number: str


class DossierUnknown(DomainError):
    """没有这份证书档案；请核对申请编号。

    There is no such dossier; check the application's id.
    """

    field = "dossier"


class NotTheCentre(NotEntitled):
    """此事项由指导中心办理；请由中心人员办理。

    This is for the guidance centre to do; let somebody of the centre do it.
    """

    rule = "R001"
    field = "actor.body"


class ChainIsBroken(DomainError):
    """证据链不完整，不得发证；请查明缺失环节的办理情况。

    The chain of evidence is not whole, so no certificate may follow; find out what became of what is missing.
    """

    rule = "R132"
    field = "dossier"


class NotQualified(DomainError):
    """成绩未合格，不得发证；请核对公布的成绩。

    The candidate did not pass, so no certificate may follow; check the published result.
    """

    rule = "R134"
    field = "dossier"


class CertificateAlreadyApproved(DomainError):
    """该申请的证书已审核通过，不得重复办理；请查询原证书。

    The certificate of this application is approved already; look that one up.
    """

    rule = "R135"
    field = "dossier"


class CertificateNotApproved(DomainError):
    """该申请的证书尚未审核通过，不得签发；请先办理发证审核。

    The certificate of this application is not approved, so it cannot be issued; have it approved first.
    """

    rule = "R132"
    field = "dossier"


@dataclass(frozen=True)
class Dossier:
    """What a dossier's history amounts to; `certified` is the result as it was approved."""

    opened: DossierOpened | None = None
    links: Mapping[str, EvidenceFiled] = field(default_factory=dict)
    result: ResultFiled | None = None
    approved: CertificateApproved | None = None
    certified: ResultFiled | None = None
    issued: bool = False

    @property
    def missing(self) -> list[str]:
        return [link for link in LINKS if link not in self.links]


dossier: Aggregate[Dossier] = Aggregate("dossier", Dossier())


def digest(evidence: Iterable[EvidenceFiled]) -> str:
    """sha256 over a line `link evidence hash` for each link, sorted: anybody can recompute it."""
    triples = sorted((filed.link, filed.evidence, filed.evidence_hash) for filed in evidence)
    return sha256("\n".join(map(" ".join, triples)).encode()).hexdigest()


@dossier.decides(Role.SERVICE)
def open_dossier(command: OpenDossier, state: Dossier) -> Facts:
    if state.opened is not None:
        return []
    return [
        DossierOpened(
            application=command.dossier,
            candidate=command.candidate,
            batch=command.batch,
            station=command.station,
            occupation=command.occupation,
            catalogue=command.catalogue,
            level=command.level,
        )
    ]


@dossier.decides(Role.SERVICE)
def file_evidence(command: FileEvidence, state: Dossier) -> Facts:
    """In any order: the services that say what happened are not ordered among each other."""
    filed = EvidenceFiled(
        application=command.dossier,
        candidate=command.candidate,
        batch=command.batch,
        link=command.link,
        evidence=command.evidence,
        evidence_hash=command.evidence_hash,
    )
    return [] if state.links.get(command.link) == filed else [filed]


@dossier.decides(Role.SERVICE)
def file_result(command: FileResult, state: Dossier) -> Facts:
    filed = ResultFiled(
        application=command.dossier,
        candidate=command.candidate,
        batch=command.batch,
        theory=command.theory,
        practical=command.practical,
        passed=command.passed,
    )
    return [] if state.result == filed else [filed]


@dossier.decides(Role.CERTIFICATE_PROCESSOR)
def approve(command: ApproveCertificate, state: Dossier) -> Facts:
    _centre(command.by)
    result = _qualified(state)
    opened = state.opened
    assert opened is not None
    year = command.at.astimezone(_CHINA).year
    numbers.in_force(year)
    return [
        CertificateApproved(
            application=result.application,
            candidate=result.candidate,
            batch=result.batch,
            station=opened.station,
            level=opened.level,
            year=year,
            evidence_digest=digest(state.links.values()),
        )
    ]


@dossier.decides(Role.SERVICE)
def issue(command: IssueCertificate, state: Dossier) -> Facts:
    if state.issued:
        return []
    opened, approved, certified = state.opened, state.approved, state.certified
    if opened is None or approved is None or certified is None:
        raise CertificateNotApproved
    return [
        CertificateIssued(
            number=command.number,
            application=opened.application,
            candidate=opened.candidate,
            batch=opened.batch,
            station=opened.station,
            occupation=opened.occupation,
            catalogue=opened.catalogue,
            level=opened.level,
            theory=certified.theory,
            practical=certified.practical,
            evidence_digest=approved.evidence_digest,
        )
    ]


@dossier.evolves
def opened(event: DossierOpened, state: Dossier) -> Dossier:
    return replace(state, opened=event)


@dossier.evolves
def evidence_filed(event: EvidenceFiled, state: Dossier) -> Dossier:
    links = {**state.links, event.link: event}
    if event.link != SCORED:
        return replace(state, links=links)
    links.pop(PUBLISHED, None)  # what was combined anew is not published yet
    return replace(state, links=links, result=None)


@dossier.evolves
def result_filed(event: ResultFiled, state: Dossier) -> Dossier:
    return replace(state, result=event)


@dossier.evolves
def approved(event: CertificateApproved, state: Dossier) -> Dossier:
    return replace(state, approved=event, certified=state.result)


@dossier.evolves
def issued(_event: CertificateIssued, state: Dossier) -> Dossier:
    return replace(state, issued=True)


def _qualified(state: Dossier) -> ResultFiled:
    if state.approved is not None:
        raise CertificateAlreadyApproved
    if not state.links:
        raise DossierUnknown
    if missing := state.missing:
        raise ChainIsBroken(
            zh=f"缺：{'、'.join(_CHINESE[link] for link in missing)}。", en=f"Missing: {', '.join(missing)}."
        )
    if state.result is None or not state.result.passed:
        raise NotQualified
    return state.result


def _centre(by: Actor) -> None:
    if by.body != "centre":
        raise NotTheCentre
