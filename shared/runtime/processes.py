"""The distributed edition: services and relays as processes over RabbitMQ; and a call to either edition."""

import logging
import time
from collections.abc import Callable
from typing import Any

import eventlet
from kombu import Connection
from nameko.runners import ServiceRunner

from shared.bus.calls import NoAnswer, Outsider
from shared.contracts import SERVICES, SOURCES
from shared.runtime import databases
from shared.runtime.definition import DOOR, service_class
from shared.runtime.node import Node, configuration
from shared.runtime.settings import Settings
from shared.runtime.standing import arrived
from shared.runtime.web import address, listen
from shared.store import migrations

log = logging.getLogger(__name__)

_DELIVERY = 10.0  # seconds for what one command has added


def wait_for_broker(
    url: str, seconds: float = databases.PATIENCE, stop: Callable[[], bool] = lambda: False
) -> None:
    """Returns once RabbitMQ answers or `stop()`; one line says that it waits, TimeoutError ends that."""
    deadline, said = time.monotonic() + seconds, False
    while not stop():
        connection = Connection(url, connect_timeout=3)
        try:
            connection.connect()
        except (OSError, *connection.connection_errors) as error:
            if time.monotonic() > deadline:
                raise TimeoutError("RabbitMQ does not answer; see `jianding doctor`") from None
            if not said:
                log.warning("RabbitMQ does not answer yet (%s); waiting for it", type(error).__name__)
                said = True
            time.sleep(0.5)
        else:
            return
        finally:
            connection.release()


def serve(
    settings: Settings,
    service: str,
    ready: Callable[[str], None],
    on_signal: Callable[[Callable[[], Any]], None],
) -> bool:
    """Waits for the servers, then runs one service until a signal comes; False if it came before that.

    `ready` hears where the door listens; nothing, of another service.
    """
    stopping: list[bool] = []
    on_signal(lambda: stopping.append(True))
    door = listen(settings.http) if service == DOOR else None
    if door is None:
        databases.wait_for_own(settings, service, migrations.service_role(service), lambda: bool(stopping))
    wait_for_broker(settings.amqp_url, stop=lambda: bool(stopping))
    if stopping:
        return False
    runner = ServiceRunner(configuration(settings, settings.database_url, settings.amqp_url, door=door))
    runner.add_service(service_class(service))
    runner.start()
    on_signal(lambda: eventlet.spawn(runner.stop))  # a handler itself must not wait
    if stopping:
        runner.stop()
        return False
    ready(address(door) if door else "")
    runner.wait()
    return True


def call_embedded(
    settings: Settings, admin: str, service: str, method: str, data: dict[str, Any], message: dict[str, Any]
) -> Any:
    """Asks a service of the embedded edition, run for this one call.

    What a command has added is in the audit log when this returns, unless that takes long; a running node
    takes up whatever else follows from it.
    """
    if service == "audit":  # which asks the sources for their heads
        services: tuple[str, ...] = SERVICES
    else:
        services = (service, "audit") if is_command(message) else (service,)
    with Node(settings, admin, services=services, programs=False) as node:
        answer = node.call(service, method, data, **message)
        if service in SOURCES and is_command(message):
            deadline = time.monotonic() + _DELIVERY
            while not arrived(settings, admin, service) and time.monotonic() < deadline:
                eventlet.sleep(0.02)
    return answer


def is_command(message: dict[str, Any]) -> bool:
    """Whether a message asks for something to be decided; a question has no command_id."""
    return "command_id" in message


def call_over_rabbit(
    settings: Settings, service: str, method: str, data: dict[str, Any], message: dict[str, Any]
) -> Any:
    """Asks a running service over the broker."""
    from nameko.exceptions import RpcTimeout, UnknownService

    wait_for_broker(settings.amqp_url, 5)
    with Outsider(service, {"AMQP_URI": settings.amqp_url}, context_data=data, timeout=30) as methods:
        try:
            return getattr(methods, method)(**message)
        except (RpcTimeout, UnknownService):
            raise NoAnswer(f"{service} does not answer; is `jianding serve {service}` running?") from None
