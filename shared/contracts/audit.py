"""What audit says: who looked at trails, who verified, what left the house, what somebody has to look at."""

from collections.abc import Iterator

from shared.contracts.attempts import Attempt
from shared.contracts.reads import Read
from shared.kernel.events import Data, Event, language, subject


class AuditEvent(Event, service="audit"):
    """Base of audit's events."""


class AttemptRefused(Attempt, AuditEvent):
    """越权操作被拒绝 (R015)."""


class SensitiveRead(Read, AuditEvent):
    """敏感读取 of the log itself (R163)."""


class TrailRead(AuditEvent):
    """追溯查询: whose trail, behind which index, with which filters, and how many rows (R154, R163).

    `trail` is `kind:id`, without the id where the log knew no such subject: what was typed may be anything.
    """

    read: str
    trail: str
    after: int
    as_of: str
    types: tuple[str, ...]
    doer: str
    since: str
    until: str
    rows: int

    def refs(self) -> Iterator[tuple[str, str]]:
        """What was looked at: the look-up stands in its trail."""
        return _subject(self.trail)


class BundleMade(AuditEvent):
    """自证追溯包导出: whose trail left the house, at which size of the log; sha256 of its canonical JSON."""

    bundle: str
    trail: str
    size: int
    events: int
    bundle_digest: str

    def refs(self) -> Iterator[tuple[str, str]]:
        """What the trail is about."""
        return _subject(self.trail)


class LogExported(AuditEvent):
    """日志导出: the whole log up to a published checkpoint left the house."""

    export: str
    size: int
    root: str


class LogVerified(AuditEvent):
    """日志核验: verified, behind, unwitnessed or altered, over `size` entries; `first`: the first bad one."""

    verification: str
    verdict: str
    size: int
    root: str
    problems: int
    first: int | None


class FindingRaised(AuditEvent, version=2):
    """审计发现: what kind, about which source, log or witness, and where; its detail stays here (R155).

    `evidence` is the sha256 of what shows it, in hex; empty where nothing but the log does.
    """

    finding: str
    kind: str
    about: str
    first_position: int | None
    last_position: int | None
    first_index: int | None
    last_index: int | None
    evidence: str
    batch: str = subject()


@language("audit").upcast("FindingRaised", 1)
def _without_evidence(data: Data) -> Data:
    return {**data, "evidence": ""}


def _subject(trail: str) -> Iterator[tuple[str, str]]:
    kind, _, id = trail.partition(":")
    if id:
        yield kind, id
