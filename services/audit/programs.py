"""Running the signer and witnesses: as programs of their own, or inside the embedded node."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from services.audit import files, keyring, witnessing
from services.audit.domain.notes import Verifier
from services.audit.signer import Signer
from services.audit.witness import Trusted, Witness
from shared.runtime import databases
from shared.runtime.settings import Settings
from shared.store import migrations
from shared.store.errors import PASSING

log = logging.getLogger(__name__)

_SLICE = 0.2  # seconds after which whoever waits looks whether it shall stop
_LAST_ROUNDS = 3

Stop = Callable[[], bool]


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
    """One round, where no signer runs; False where one does, or there was nothing to sign."""
    with files.held(settings.var / "signer" / "lock") as ours, ExitStack() as stack:
        if not ours:
            return False
        signer = Signer(settings, _beside(settings, stack))
        with closing(connect(settings, admin)) as connection:
            return signer.step(connection)


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


def witness(key: Path, name: str, trusted: Trusted, folder: Path) -> Witness:
    """A witness of that name; its key is made on first use."""
    return Witness(keyring.witness_key(key, name), trusted, folder)


def serve_witness(host: str, port: int, served: Witness, ready: Callable[[str], Any]) -> None:
    """Answers until the process ends; `ready` is told the address."""
    with served.alone():
        socket = witnessing.listen(host, port)
        place = socket.getsockname()
        ready(f"{place[0]}:{place[1]}")
        witnessing.serve(socket, served)


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


def _rounds(settings: Settings, signer: Signer, connection: Connection[Any], stop: Stop) -> str:
    while not stop():
        signer.step(connection)
        _wait(settings.checkpoint_seconds, stop)
    for _ in range(_LAST_ROUNDS):  # for what has come to the log while everything else stopped
        if signer.step(connection):
            break
    return ""


def _wait(seconds: float, stop: Stop) -> None:
    end = time.monotonic() + seconds
    while not stop() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _SLICE))
