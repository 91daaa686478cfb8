"""How it stands with the log's sources and signatures, for whoever asks whether all is well."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import Connection

from services.audit import keyring, signed
from services.audit.domain.policy import two_thirds
from services.audit.memory import Memory
from shared.runtime.definition import Impossible
from shared.runtime.settings import Settings

_OLD = 180.0  # seconds; a log that nobody uses is cosigned every minute
_LOST = "restore it from a backup before anything else is signed"
_SIGNS = "`jianding up` (or `jianding signer`) signs; its log and `jianding audit findings` say what stops it"


_SEEN = "SELECT source, record #>> '{last,time}' FROM source_heads ORDER BY source"


def told(connection: Connection[Any], settings: Settings) -> dict[str, Any]:
    """`{sources: [{source, seen}], checkpoint: {size, published, cosigned, cosigners, quorum, findings}}`.

    `seen`: when the source has last stated its head, as a stamp; `cosigned`: in seconds since 1970; `quorum`:
    how many witnesses make one, None without a policy that can be read.
    """
    return {
        "sources": [{"source": source, "seen": seen} for source, seen in connection.execute(_SEEN)],
        "checkpoint": {**asdict(signed.standing(connection, settings)), "quorum": _quorum(settings)},
    }


def _quorum(settings: Settings) -> int | None:
    try:
        return keyring.policy(settings).least[0]
    except Impossible:
        return None


@dataclass(frozen=True)
class Concern:
    """Something about the signatures that is not well; `grave` if it cannot go on like this."""

    what: str
    found: str
    mend: str
    grave: bool = False


def concerns(connection: Connection[Any], settings: Settings, running: bool) -> Iterator[Concern]:
    """`running`: whether somebody should be signing at this moment."""
    if signed.newest(connection, settings.origin) is not None:
        yield from _lost(settings)
        yield from _policy(settings)
    standing = signed.standing(connection, settings)
    age = time.time() - (standing.cosigned or 0)
    if standing.size > standing.published and age > _OLD:
        found = f"{standing.size - standing.published} entries are in no published checkpoint"
        yield Concern("checkpoints of the audit log", found, _SIGNS)
    elif running and standing.size and age > _OLD:
        found = f"the newest cosignature is {age / 60:.0f} minutes old"
        yield Concern("checkpoints of the audit log", found, _SIGNS)
    if standing.findings:
        mend = "`jianding audit findings` lists them; each wants a person's judgement"
        yield Concern("findings of the audit log", f"{standing.findings} were raised", mend)


def _lost(settings: Settings) -> Iterator[Concern]:
    memory = Memory.of(settings.var / "signer", settings.origin).path
    for path in (settings.secrets / "signer" / "log.key", memory):
        # in the distributed edition both are the signer's alone, and its folders are not here at all
        if path.parent.exists() and not path.exists() and settings.embedded_postgres:
            yield Concern("signer of the audit log", f"{path} is missing", _LOST, grave=True)


def _policy(settings: Settings) -> Iterator[Concern]:
    try:
        policy = keyring.policy(settings)
    except Impossible as error:
        yield Concern("policy", str(error), "restore or mend it, or set JIANDING_POLICY to it", grave=True)
        return
    if not policy.keys(settings.origin):
        found = f"{settings.policy_file} has no key of {settings.origin}: nothing that it signs counts"
        yield Concern(
            "policy", found, "write its key there as `log VKEY`, or mend JIANDING_LOG_ORIGIN", grave=True
        )
    # also those that the quorum has been told to do without
    least, count = policy.least[0], len(policy.witnesses)
    if least < two_thirds(count):
        found = f"{least} of {count} witnesses are a quorum"
        mend = f"ask for at least {two_thirds(count)} of them in {settings.policy_file}"
        yield Concern("policy", found, mend)
