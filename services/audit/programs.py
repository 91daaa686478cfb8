"""Running the signer and witnesses: as programs of their own, or inside the embedded node."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

import eventlet
import psycopg
from psycopg import Connection

from services.audit import files, keyring, witnessing
from services.audit.domain.notes import LOG, Malformed, PrivateKey, Verifier
from services.audit.memory import Memory
from services.audit.signer import Signer
from services.audit.witness import Witness
from shared.runtime import databases
from shared.runtime.definition import Impossible
from shared.runtime.settings import Settings
from shared.store import migrations
from shared.store.errors import PASSING

log = logging.getLogger(__name__)

_SLICE = 0.2  # seconds after which whoever waits looks whether it shall stop
_LAST_ROUNDS = 3

Stop = Callable[[], bool]


class WitnessUnset(Impossible):
    """见证人无法按此启动；请更正名称、地址或日志公钥（NAME+ID+KEY）。
    The witness cannot start like this; mend its name, its address, or the log's public key (NAME+ID+KEY)."""


def connect(settings: Settings, admin: str) -> Connection[Any]:
    """The signer's connection to audit's database."""
    dsn = databases.as_role(settings, admin, "audit", migrations.signer_role("audit"))
    connection = psycopg.connect(dsn, autocommit=True)
    try:
        databases.refuse_restored(connection)
    except Exception:
        connection.close()
        raise
    return connection


def sign(settings: Settings, admin: str, stop: Stop, near: Witness | None = None) -> None:
    """Signs the log until `stop()`, and then once more; stands by while another process signs it."""
    while not stop():
        with files.held(settings.var / "signer" / "lock") as ours:
            if ours:
                _sign(settings, admin, stop, near)
        _wait(1.0, stop)


def sign_now(settings: Settings, admin: str) -> bool:
    """All that there is, where no signer runs; False where one does, or there was nothing to sign."""
    with files.held(settings.var / "signer" / "lock") as ours, ExitStack() as stack:
        if not ours:
            return False
        signer = Signer(settings, _beside(settings, stack))
        with closing(connect(settings, admin)) as connection:
            while not (published := signer.step(connection)) and signer.behind:
                log.info("signing goes on")
            return published


def beside(settings: Settings, admin: str, stop: Stop) -> None:
    """The signer of the embedded node, with a witness under its own key; tells why if it cannot go on."""
    try:
        with ExitStack() as stack:
            sign(settings, admin, stop, _beside(settings, stack))
    except Exception as error:
        # the log itself goes on, and `jianding doctor` says that nobody signs it
        log.error("the audit log is not signed: %s %s", type(error).__name__, error)


def _beside(settings: Settings, stack: ExitStack) -> Witness:
    keyring.prepare(settings)
    key = keyring.witness_key(keyring.own_witness(settings), settings.witness_name)
    witness = Witness(key, lambda: keys_of(settings), settings.var / "witness")
    stack.enter_context(witness.alone())
    return witness


def keys_of(settings: Settings) -> Mapping[str, Sequence[Verifier]]:
    """The keys of every log in the policy, by origin."""
    return by_origin(log.key for log in keyring.policy(settings).logs)


def by_origin(keys: Any) -> Mapping[str, Sequence[Verifier]]:
    """Public keys of logs by the log that they are of."""
    found: dict[str, list[Verifier]] = {}
    for key in keys:
        found.setdefault(key.name, []).append(key)
    return found


def serve_witness(
    settings: Settings,
    listen: tuple[str, int],
    name: str,
    logs: Sequence[str],
    ready: Callable[[str, str], Any],
    wait: Callable[[], Any],
) -> None:
    """A witness over HTTP until `wait` returns; `ready` is told its address and its public key.

    `logs`: public keys of the logs that it cosigns; if there are none, those of the policy. WitnessUnset says
    what cannot be used.
    """
    trusted = by_origin(map(_log, logs)) if logs else None
    if trusted is None:
        keyring.policy(settings)
    try:
        key = keyring.witness_key(keyring.own_witness(settings), name or settings.witness_name)
        socket = witnessing.listen(*listen)
    except (Malformed, OSError, OverflowError) as error:
        raise WitnessUnset(f"{name} {listen[0]}:{listen[1]}: {error}") from None
    served = Witness(key, lambda: trusted or keys_of(settings), settings.var / "witness")
    with served.alone():
        server = eventlet.spawn(witnessing.serve, socket, served)
        host, port = socket.getsockname()[:2]
        ready(f"{host}:{port}", str(served.verifier))
        wait()
        server.kill()


def _log(vkey: str) -> Verifier:
    try:
        found = Verifier.parse(vkey)
    except Malformed as error:
        raise WitnessUnset(f"--log {vkey}: {error}") from None
    if found.type != LOG:
        raise WitnessUnset(f"--log {vkey}: a witness's key")
    return found


def _sign(settings: Settings, admin: str, stop: Stop, near: Witness | None) -> None:
    signer, said = Signer(settings, near, pause=lambda: time.sleep(0)), ""
    while not stop():
        try:
            with closing(connect(settings, admin)) as connection:
                said = _rounds(settings, signer, connection, stop)
        except PASSING as error:
            if said != (said := type(error).__name__):
                log.warning("signer: %s; tries again until it works", said)
            _wait(1.0, stop)
        except (Impossible, OSError) as error:
            # a policy in the middle of being edited, a full disk: nothing is signed until that is mended
            if said != (said := f"{type(error).__name__} {error}"):
                log.error("the audit log is not signed: %s", said)
            _wait(5.0, stop)


def _rounds(settings: Settings, signer: Signer, connection: Connection[Any], stop: Stop) -> str:
    while not stop():
        signer.step(connection)
        _wait(0 if signer.behind else settings.checkpoint_seconds, stop)
    for _ in range(_LAST_ROUNDS):  # for what has come to the log while everything else stopped
        if signer.step(connection):
            break
    return ""


def _wait(seconds: float, stop: Stop) -> None:
    end = time.monotonic() + seconds
    while not stop() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _SLICE))


def finish(settings: Settings) -> PrivateKey:
    """Ends a change of the log's key; what the former one has signed last is in the signer's memory."""
    held = Memory.of(settings.var / "signer", settings.origin).load()
    return keyring.finish(settings, held.size if held else 0)
