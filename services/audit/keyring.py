"""The keys of the log and of the witness beside it, and the policy file that names them.

`secrets/signer/log.key` holds 32 bytes for each key that signs: two while one takes the other's place.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from services.audit import files
from services.audit.domain.notes import LOG, WITNESS, Malformed, PrivateKey
from services.audit.domain.policy import LARGEST, Log, Policy, Witness, trusting
from shared.runtime.definition import Impossible
from shared.runtime.settings import Settings
from shared.security.keys import secret

_SEED = 32
_ABOUT = """# Whose signatures make a checkpoint of this audit log valid (c2sp.org/tlog-policy).
# For each witness of another body: a line `witness NAME VKEY URL`, its name in the group, and a
# threshold of at least 1 + 2n/3, rounded down.
"""


class PolicyMissing(Impossible):
    """没有信任策略文件；请先启动 jianding up，或将 JIANDING_POLICY 指向它。
    There is no policy file; start `jianding up` once, or set JIANDING_POLICY to it."""


class PolicyInvalid(Impossible):
    """信任策略文件有误，请更正。
    The policy file cannot be read; mend this line."""


class KeyMissing(Impossible):
    """日志已签署过检查点，但密钥文件不见了；请从备份恢复，不要另造密钥。
    The log has signed, but its key file is gone; restore it from a backup, and make no other."""


class RotationUnderWay(Impossible):
    """密钥已在更换中；请用 --finish 完成。
    A key is being changed already; `--finish` ends that."""


class NoRotation(Impossible):
    """没有进行中的密钥更换。
    No key is being changed; run it without --finish first."""


def log_keys(settings: Settings, *, make: bool = False) -> tuple[PrivateKey, ...]:
    """Those that sign for the log now, the older first; KeyMissing if there is none and none may be made."""
    path = _log_file(settings)
    if not path.exists() and not make:
        raise KeyMissing(str(path))
    content = secret(path)
    if not content or len(content) % _SEED:
        raise KeyMissing(f"{path} is not a key file")
    seeds = [content[at : at + _SEED] for at in range(0, len(content), _SEED)]
    return tuple(PrivateKey.seeded(settings.origin, LOG, seed) for seed in seeds)


def witness_key(path: Path, name: str) -> PrivateKey:
    """A witness's key from its file, made on first use."""
    return PrivateKey.seeded(name, WITNESS, secret(path)[:_SEED])


def own_witness(settings: Settings) -> Path:
    """The key file of the witness beside the log."""
    return settings.secrets / "witness" / "witness.key"


def policy(settings: Settings) -> Policy:
    """The policy as its file says it; PolicyMissing, PolicyInvalid."""
    try:
        with settings.policy_file.open("rb") as file:
            return Policy.parse(file.read(LARGEST + 1))
    except FileNotFoundError:
        raise PolicyMissing(str(settings.policy_file)) from None
    except Malformed as error:
        raise PolicyInvalid(f"{settings.policy_file}, {error}") from None


def prepare(settings: Settings) -> Policy:
    """The policy, written where it is missing: the log's own keys, and the witness beside it."""
    if not settings.policy_file.exists():
        logs = [Log(key.verifier) for key in log_keys(settings, make=True)]
        key = witness_key(own_witness(settings), settings.witness_name).verifier
        text = _ABOUT + trusting(logs, [Witness(settings.witness_name, key)]).text
        files.folder(settings.policy_file.parent)
        files.write(settings.policy_file, text.encode(errors="surrogateescape"), 0o644)
    return policy(settings)


def rotate(settings: Settings) -> PrivateKey:
    """A new key of the log, which from now on signs beside the old one, and is in the policy."""
    keys = log_keys(settings)
    if len(keys) > 1 and keys[-1].verifier in policy(settings).keys(settings.origin):
        raise RotationUnderWay(str(_log_file(settings)))
    if len(keys) == 1:  # otherwise an earlier attempt has come so far
        files.write(_log_file(settings), secret(_log_file(settings)) + os.urandom(_SEED))
        keys = log_keys(settings)
    _edit(settings, str(keys[0].verifier), lambda line: [line, f"log {keys[-1].verifier}"])
    return keys[-1]


def finish(settings: Settings, size: int) -> PrivateKey:
    """Ends a change of keys: the old one is destroyed, and the policy says up to which `size` it has signed.

    It does so in a comment, which other programs pass over: what was given out earlier stays what it was.
    """
    keys = log_keys(settings)
    if len(keys) == 1:
        raise NoRotation
    day = datetime.now(UTC).date().isoformat()
    for old in keys[:-1]:
        remembered = (
            f"# retired-log {old.verifier} {size} {day}" if size else f"# until {day}: log {old.verifier}"
        )
        _edit(settings, str(old.verifier), partial(_instead, [remembered]))
    files.write(_log_file(settings), secret(_log_file(settings))[-_SEED:])
    return keys[-1]


def _instead(lines: list[str], _line: str) -> list[str]:
    return lines


def _edit(settings: Settings, vkey: str, change: Callable[[str], list[str]]) -> None:
    """Changes the line of a log; what people have written around it stays."""
    lines: list[str] = []
    for line in settings.policy_file.read_bytes().decode(errors="surrogateescape").split("\n"):
        lines += change(line) if line.split()[:2] == ["log", vkey] else [line]
    content = "\n".join(lines).encode(errors="surrogateescape")
    Policy.parse(content)
    files.write(settings.policy_file, content, 0o644)


def _log_file(settings: Settings) -> Path:
    return settings.secrets / "signer" / "log.key"
