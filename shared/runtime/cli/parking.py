"""Commands for what went wrong: parked events, and projections to be built anew."""

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from psycopg import Connection

from shared.contracts import SERVICES, SOURCES
from shared.runtime import delivery
from shared.runtime.cli.access import admin, connection
from shared.runtime.cli.output import Failed, Json, console, tell
from shared.runtime.definition import Definition, definition
from shared.runtime.executor import Executor
from shared.runtime.settings import settings
from shared.store import parking
from shared.store.inbox import Consumer

Place = Annotated[str, typer.Argument(help="As `parked list` shows it: SERVICE/CONSUMER/SOURCE/POSITION.")]
Why = Annotated[str, typer.Option("--why", help="The reason; it is kept with the event.")]


def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also what was replayed or skipped.")] = False,
    as_json: Json = False,
) -> None:
    """List the parked events of all services, oldest first within each consumer."""
    with admin(settings()) as dsn:
        rows = [
            {"place": _place(service, row), "service": service, **row}
            for service in SERVICES
            for row in _parked(dsn, service, everything)
        ]
    if as_json:
        tell({"parked": rows})
        return
    if not rows:
        console.print("nothing is parked / 没有搁置的事件")
        return
    for row in rows:
        console.print(row["place"], style="bold", markup=False, soft_wrap=True)
        line = f"    {row['type']} of {row['stream']}, {row['status']}: {row['reason']}"
        console.print(line, markup=False, soft_wrap=True)


def show(place: Place, as_json: Json = False) -> None:
    """Show one parked event: its envelope, its payload, why it was parked, and what was done about it."""
    service, consumer, source, position = _parts(place)
    with _database(service) as connected, _known(place):
        found = parking.show(connected, consumer, source, position)
    tell(found) if as_json else console.print_json(json.dumps(found, ensure_ascii=False))


def repair(
    place: Place,
    data: Annotated[str, typer.Option("--data", help="The payload to use instead, as a JSON object.")],
    why: Why,
) -> None:
    """Give the handler another payload at replay. The log keeps the original, and this repair."""
    service, consumer, source, position = _parts(place)
    try:
        payload = json.loads(data)
    except ValueError as error:
        raise Failed(f"--data is not JSON: {error}") from None
    if not isinstance(payload, dict):
        raise Failed("--data has to be a JSON object")
    with _database(service) as connected, _known(place):
        parking.repair(connected, consumer, source, position, payload, getpass.getuser(), why)
    console.print(f"repaired; `jianding parked replay {place}` hands it on")


def skip(place: Place, why: Why) -> None:
    """Let this consumer go on without the event; who and why is kept."""
    service, consumer, source, position = _parts(place)
    with _database(service) as connected, _known(place):
        parking.skip(connected, consumer, source, position, getpass.getuser(), why)
    console.print(f"skipped; `jianding parked replay {place}` hands on what waits behind it")


def replay(place: Place, as_json: Json = False) -> None:
    """Hand the parked events of this one's stream to their handler, in order, until one fails again."""
    service, name, source, position = _parts(place)
    with _database(service) as connected, _known(place):
        stream = parking.show(connected, name, source, position)["stream"]
        done, stopped_by = parking.replay(connected, _consumer(definition(service), name), source, stream)
    if as_json:
        tell({"replayed": done, "stopped_by": stopped_by})
    elif not stopped_by:
        console.print(f"replayed {done} of {stream}")
    if stopped_by:
        raise Failed(f"replayed {done} of {stream}, then: {stopped_by}")


def rebuild(
    projection: Annotated[str, typer.Argument(help="SERVICE/PROJECTION, such as registration/register.")],
    as_json: Json = False,
) -> None:
    """Build a projection anew from its log, beside the live one, and switch when it has caught up."""
    service, _, name = projection.partition("/")
    try:
        found = definition(service)
        built = found.projection(name)
    except LookupError:
        known = [f"{s}/{p.name}" for s in SERVICES for p in definition(s).projections]
        raise Failed(f"there is no projection {projection}; there are: {', '.join(known)}") from None
    current = settings()
    with _database(service) as connected:
        applied = delivery.rebuild(connected, found, built, current.source(service), _progress(as_json))
    tell({"projection": projection, "applied": applied}) if as_json else console.print(
        f"{projection} is built anew from {applied} events, and live"
    )


def _progress(quiet: bool) -> Any:
    return (lambda _: None) if quiet else lambda applied: console.print(f"{applied} events applied")


def _parked(dsn: str, service: str, everything: bool) -> list[dict[str, Any]]:
    with connection(settings(), dsn, service) as connected:
        return parking.parked(connected, everything=everything)


def _place(service: str, row: dict[str, Any]) -> str:
    return f"{service}/{row['consumer']}{row['source']}/{row['position']}"


def _parts(place: str) -> tuple[str, str, str, int]:
    parts = place.split("/")
    if len(parts) != 5 or parts[0] not in SERVICES or parts[3] not in SOURCES or not parts[4].isdigit():
        raise Failed(f"{place} is not a place; copy one from `jianding parked list`")
    service, consumer, body, source, position = parts
    return service, consumer, f"/{body}/{source}", int(position)


@contextmanager
def _database(service: str) -> Iterator[Connection[Any]]:
    current = settings()
    with admin(current) as dsn, connection(current, dsn, service) as connected:
        yield connected


@contextmanager
def _known(place: str) -> Iterator[None]:
    try:
        yield
    except parking.NotParked:
        raise Failed(f"nothing is parked at {place}; see `jianding parked list --all`") from None


def _consumer(found: Definition, name: str) -> Consumer:
    current = settings()
    executor = Executor(found, current.source(found.name)) if found.aggregates else None
    for consumer in delivery.consumers(found, executor, current.body):
        if consumer.name == name:
            return consumer
    raise Failed(f"{found.name} has no consumer {name} any more; skip the event, or rebuild the projection")
