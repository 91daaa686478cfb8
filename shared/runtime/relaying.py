"""Running relays: as a process of its own over RabbitMQ, or as a greenlet of the embedded node."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import Connection

from shared.bus.rabbit import BrokerGone, RabbitOutlet, Session
from shared.bus.relay import Relay
from shared.bus.window import Broken
from shared.kernel.clock import stamp, utc_now
from shared.runtime import databases
from shared.runtime.settings import Settings
from shared.security.keys import KeyLost, Signer, files
from shared.store import migrations, sealer
from shared.store.errors import PASSING, Restored
from shared.store.sealer import Sealer

log = logging.getLogger(__name__)

_STANDBY = 0.5  # seconds between attempts to become leader
_LONG = 10.0  # seconds that relaying has to have worked for the next loss to be told anew
_LOOK = 5.0  # seconds between looks at whoever holds the log back
_SLOW = 10.0  # seconds of somebody's open writing transaction after which it is worth a warning,
_STALL = 30.0  # and an alarm: idle ones are ended after 15 (store/migrations.py)


class SourceLog:
    """A service's log for its relay, on the relay's connection; its head is stated every `every` seconds."""

    def __init__(self, connection: Connection[Any], sealer_: Sealer, every: float = math.inf) -> None:
        self._connection = connection
        self._sealer = sealer_
        self._looked = -_LOOK
        self._every = every
        self._next = 0.0 if math.isfinite(every) else math.inf

    def seal(self) -> int:
        sealed = self._sealer.seal()
        self._beat()
        if not sealed:
            self._watch()
        return sealed

    def published(self) -> int:
        return sealer.published(self._connection)

    def sealed_after(self, position: int, limit: int) -> Sequence[tuple[int, bytes, bytes]]:
        return sealer.sealed_after(self._connection, position, limit)

    def mark_published(self, position: int) -> None:
        sealer.mark_published(self._connection, position)

    def _beat(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            self._sealer.beat(stamp(utc_now()))

    def _watch(self) -> None:
        if time.monotonic() - self._looked < _LOOK:
            return
        self._looked = time.monotonic()
        if (stalled := self._sealer.stalled_for()) > _SLOW:
            level = logging.ERROR if stalled > _STALL else logging.WARNING
            log.log(level, "a writing transaction has been open for %.0f s and holds back the log", stalled)


def connect(settings: Settings, admin: str, service: str) -> Connection[Any]:
    """A relay's connection to the service's database."""
    dsn = databases.as_role(settings, admin, service, migrations.relay_role(service))
    connection = psycopg.connect(dsn, autocommit=True)
    try:
        databases.refuse_restored(connection)
        databases.refuse_foreign(connection, settings, relay=True)
    except Exception:
        connection.close()
        raise
    return connection


def lead(
    settings: Settings, service: str, connection: Connection[Any], stop: Callable[[], bool]
) -> SourceLog | None:
    """Waits until this relay is the source's leader; None when told to stop before.

    KeyLost where heads were signed and the key is gone: those of another key would prove nothing.
    """
    folder, source = settings.secrets / "sources", settings.source(service)
    private, _ = files(folder, source)
    if not private.exists() and sealer.head(connection)[0]:
        raise KeyLost(str(private))
    leader = Sealer(connection, Signer.load(folder, source))
    while not leader.lead():
        if stop():
            return None
        time.sleep(_STANDBY)
    return SourceLog(connection, leader, settings.heartbeat_seconds)


def relay(settings: Settings, service: str, stop: Callable[[], bool]) -> None:
    """Waits for the database, then relays one source over RabbitMQ until `stop()`."""
    databases.wait_for_own(settings, service, migrations.relay_role(service), stop)
    over_rabbit(settings, settings.database_url, service, stop)


def over_rabbit(
    settings: Settings, admin: str, service: str, stop: Callable[[], bool] = lambda: False
) -> None:
    """Relays until told to stop, through lost brokers and databases; each obstacle is one line in the log."""
    pause, said = 0.2, ""
    while not stop():
        began = time.monotonic()
        try:
            with connect(settings, admin, service) as connection:
                source = lead(settings, service, connection, stop)
                if source is not None:
                    _publish(settings, service, source, stop)
        except (BrokerGone, Broken, *PASSING) as error:
            if time.monotonic() - began > _LONG:
                pause, said = 0.2, ""
            pause, last, said = min(pause * 2, 5.0), said, f"{type(error).__name__} {_said(error)}".strip()
            level = logging.WARNING if said != last else logging.INFO
            log.log(level, "relay of %s: %s; again in %.1f s, and so on", service, said, pause)
            time.sleep(pause)


def _publish(settings: Settings, service: str, source: SourceLog, stop: Callable[[], bool]) -> None:
    def start(outlet: RabbitOutlet) -> Callable[[], bool]:
        return Relay(source, outlet).step

    Session(settings.amqp_url, service, settings.window).run(start, stop)


def _said(error: BaseException) -> str:
    told = isinstance(error, BrokerGone | Broken | Restored)
    return str(error).splitlines()[0] if told and str(error) else ""
