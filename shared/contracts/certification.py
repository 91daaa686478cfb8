"""What certification says: the evidence of a candidate's way, certificate numbers, certificates."""

from shared.contracts.attempts import Attempt
from shared.contracts.reads import Read
from shared.contracts.seals import Seal
from shared.kernel.events import Event, subject


class CertificationEvent(Event, service="certification"):
    """Base of certification's events."""


class AttemptRefused(Attempt, CertificationEvent):
    """越权操作被拒绝 (R015)."""


class SensitiveRead(Read, CertificationEvent):
    """敏感读取 (R163)."""


class BatchSealed(Seal, CertificationEvent):
    """批次封存计数 of this source (R172)."""


class DossierOpened(CertificationEvent):
    """证书档案建立 for a registered candidate: what his certificate would say (R132)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    occupation: str
    catalogue: str
    level: int


class EvidenceFiled(CertificationEvent):
    """证据入卷: one link of the chain application > ticket > check-in > draw > scores > result (R132)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    link: str
    evidence: str
    evidence_hash: str


class ResultFiled(CertificationEvent):
    """公布成绩入卷: what scoring published last (R129, R134)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    theory: int
    practical: int
    passed: bool


class CertificateApproved(CertificationEvent):
    """发证审核通过: the chain is whole and the candidate passed (R129, R132)."""

    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    level: int
    year: int
    evidence_digest: str


class CertificateNumberAllocated(CertificationEvent):
    """证书编号分配: gap-free within (scheme, station, year, level), never used again (R135)."""

    book: str
    serial: int
    number: str = subject("certificate")
    application: str = subject()
    batch: str = subject()


class CertificateIssued(CertificationEvent):
    """证书签发: 16-digit number and the digest of its evidence (R142, P8)."""

    number: str = subject("certificate")
    application: str = subject()
    candidate: str = subject()
    batch: str = subject()
    station: str = subject()
    occupation: str
    catalogue: str
    level: int
    theory: int
    practical: int
    evidence_digest: str
