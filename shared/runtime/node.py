"""The embedded node: five services, their relays and the bus in one process."""

import logging
from collections.abc import Iterable
from typing import Any

import eventlet
from eventlet.event import Event
from kombu import Connection
from nameko.extensions import DependencyProvider
from nameko.runners import ServiceRunner

from shared.bus import memory
from shared.bus.calls import Caller
from shared.bus.relay import Relay
from shared.contracts import SERVICES, SOURCES
from shared.runtime import databases, relaying
from shared.runtime.definition import DOOR, definition, service_class
from shared.runtime.settings import Settings
from shared.runtime.web import address, listen
from shared.store.errors import PASSING

log = logging.getLogger(__name__)


class _Calls(DependencyProvider):
    caller = Caller()


class Console:
    """The node's own client: calls the services as anybody would."""

    name = "console"
    calls = _Calls()


class _Bell:
    """Wakes a relay when something was committed, so that an idle node need not look."""

    def __init__(self) -> None:
        self._event = Event()

    def ring(self) -> None:
        if not self._event.ready():
            self._event.send(True)

    def wait(self, seconds: float) -> None:
        with eventlet.Timeout(seconds, False):
            self._event.wait()
        self._event = Event()


class Node:
    """`with Node(settings, admin) as node:` runs it; `node.call(...)` asks one of its services."""

    def __init__(
        self,
        settings: Settings,
        admin: str,
        services: Iterable[str] = SERVICES,
        programs: bool = True,
        door: bool = False,
    ) -> None:
        """`programs`: whether to run also what runs beside services, such as the signer of audit's log.

        `door`: whether to serve HTTP, at `address`.
        """
        self._settings, self._admin = settings, admin
        self._services = tuple(services)
        self._bells = {service: _Bell() for service in SOURCES}
        self._stopping = False
        self._relays: list[Any] = []
        self._with_programs, self._ending = programs, False
        self._programs: list[Any] = []
        self._door = listen(settings.http) if door else None

    def __enter__(self) -> "Node":
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def start(self) -> None:
        """Databases up to date, services and relays running."""
        for service in self._services:
            databases.prepare(self._settings, self._admin, service, definition(service).package)
        self._runner = ServiceRunner(
            configuration(
                self._settings, self._admin, memory.register(), self._committed, self._services, self._door
            )
        )
        for service in self._services:
            self._runner.add_service(service_class(service))
        self._runner.add_service(Console)
        if self._door is not None:
            self._runner.add_service(service_class(DOOR))
        self._runner.start()
        self._relays = [
            eventlet.spawn(self._relay, service) for service in self._services if service in SOURCES
        ]
        if self._with_programs:
            self._programs = [
                eventlet.spawn(run, self._settings, self._admin, lambda: self._ending)
                for service in self._services
                for run in definition(service).programs
            ]

    def stop(self) -> None:
        """Everything that was accepted is in the log; what is not yet applied will be, at the next start."""
        self._stopping = True
        for bell in self._bells.values():
            bell.ring()
        for relay in self._relays:
            relay.wait()
        self._runner.stop()
        self._ending = True  # last, so that what came to the log at the end is signed too
        for program in self._programs:
            program.wait()
        memory.reset()

    def call(self, service: str, method: str, data: dict[str, Any], /, **message: Any) -> Any:
        """A service's answer; Refused or NoAnswer otherwise. `data` is shared.bus.calls.context(actor)."""
        caller = self._runner.service_map[Console.name].shared_extensions[Caller]
        return caller.call(service, method, data, message)

    @property
    def address(self) -> str:
        """Where the door is, such as `http://127.0.0.1:8480`."""
        return address(self._door)

    def wait(self) -> None:
        """Returns when the services have stopped."""
        self._runner.wait()

    def _committed(self, service: str) -> None:
        if service in self._bells:
            self._bells[service].ring()

    def _relay(self, service: str) -> None:
        said = False
        while not self._stopping:
            try:
                with relaying.connect(self._settings, self._admin, service) as connection:
                    said = False
                    source = relaying.lead(self._settings, service, connection, lambda: self._stopping)
                    if source is not None:
                        self._publish(service, source)
            except PASSING as error:
                level = logging.INFO if said else logging.WARNING
                log.log(level, "relay of %s: %s; tries again until it works", service, type(error).__name__)
                said = True
                eventlet.sleep(0.5)

    def _publish(self, service: str, source: relaying.SourceLog) -> None:
        with Connection(memory.URI) as bus:
            relay = Relay(source, memory.MemoryOutlet(bus, service))
            while not self._stopping:
                if not relay.step():
                    # a commit behind an open transaction is sealed only when that one ends: look again
                    self._bells[service].wait(0.2)
                eventlet.sleep(0)


def configuration(
    settings: Settings,
    admin: str,
    url: str,
    committed: Any = None,
    services: Iterable[str] | None = None,
    door: Any = None,
) -> dict[str, Any]:
    """nameko's configuration, with ours for the chassis.

    `services`: all that can be asked, if known. `door`: the socket at which HTTP is served.
    """
    return {
        "AMQP_URI": url,
        "max_workers": settings.workers,
        "JIANDING": {
            "settings": settings,
            "admin": admin,
            "committed": committed,
            "services": services,
            "door": door,
        },
    }
