"""Commands for what went wrong: parked events, and projections to be built anew."""

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any

import typer
from psycopg import Connection

from shared.contracts import SERVICES, SOURCES
from shared.runtime import delivery, reading, rebuilding
from shared.runtime.cli.access import account, admin, connection
from shared.runtime.cli.output import Failed, Json, console, tell
from shared.runtime.cli.typed import fields, printable
from shared.runtime.definition import Definition, definition
from shared.runtime.executor import Executor
from shared.runtime.settings import settings
from shared.store import parking, standing
from shared.store.inbox import Consumer
from shared.wire.canonical import NotCanonical, canonical

Place = Annotated[
    str,
    typer.Argument(help="As `parked list` shows it: SERVICE/CONSUMER/SOURCE/POSITION.", callback=printable),
]
Why = Annotated[str, typer.Option("--why", help="The reason; it is kept with the event.", callback=printable)]
_LONGEST_POSITION = 18  # digits; a position is a bigint


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
        rejected = {service: count for service in SERVICES if (count := _rejected_count(dsn, service))}
    if as_json:
        tell({"parked": rows, "rejected": rejected})
        return
    if not rows:
        console.print("nothing is parked / 没有搁置的事件")
    for row in rows:
        console.print(row["place"], style="bold", markup=False, soft_wrap=True)
        line = f"    {row['type']} of {row['stream']}, {row['status']}: {row['reason']}"
        console.print(line, markup=False, soft_wrap=True)
    if count := sum(rejected.values()):
        console.print(
            f"{count} bodies from the bus were no events; `jianding parked rejected` lists them"
            f" / 另有 {count} 条来自总线的内容不是事件",
            soft_wrap=True,
        )


def rejected(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many of each service.")] = 100,
    as_json: Json = False,
) -> None:
    """List the bodies from the bus that were no events, oldest first. 列出总线上不是事件的内容。

    They are kept as they came, in the table `rejected` of the service's database.
    """
    with admin(settings()) as dsn:
        rows = [{"service": service, **row} for service in SERVICES for row in _rejected(dsn, service, limit)]
    if as_json:
        tell({"rejected": rows})
        return
    if not rows:
        console.print("nothing was rejected / 没有被拒收的内容")
    for row in rows:
        line = f"{row['service']} {row['id']}  {row['received_at']}  {row['origin']}, {row['bytes']} bytes"
        console.print(line, style="bold", markup=False, soft_wrap=True)
        console.print(f"    {row['reason']}", markup=False, soft_wrap=True)


def show(place: Place, as_json: Json = False) -> None:
    """Show one parked event: its envelope, its payload, why it was parked, and what was done about it.

    It may hold what not everybody may know: that you have seen it stands in the audit log.
    查看一条搁置的事件；查看行为记入审计日志。
    """
    service, consumer, source, position = _parts(place)
    current = settings()
    with _database(service) as connected, _known(place):
        ask = partial(parking.show, connected, consumer, source, position)
        said = reading.sensitive(service, "show_parked")
        found = reading.witnessed(connected, current.source(service), account(current), ask, {}, said)
    tell(found) if as_json else console.print_json(json.dumps(found, ensure_ascii=False))


def repair(
    place: Place,
    data: Annotated[
        str, typer.Option("--data", help="The payload to use instead, as a JSON object; `-` reads it.")
    ],
    why: Why,
    as_json: Json = False,
) -> None:
    """Give the handler another payload at replay. The log keeps the original, and this repair."""
    service, consumer, source, position = _parts(place)
    payload = fields(data, "--data")
    try:
        canonical(payload)
    except NotCanonical as error:
        raise Failed(
            "--data: 没有唯一的写法，请用文字或整数。"
            f" No event can carry it: {error}; use text or whole numbers."
        ) from None
    with _database(service) as connected, _known(place):
        parking.repair(connected, consumer, source, position, payload, getpass.getuser(), why)
    if as_json:
        tell({"place": place, "done": "repaired"})
    else:
        console.print(f"repaired; `jianding parked replay {place}` hands it on", markup=False, soft_wrap=True)


def skip(place: Place, why: Why, as_json: Json = False) -> None:
    """Let this consumer go on without the event; who and why is kept."""
    service, consumer, source, position = _parts(place)
    with _database(service) as connected, _known(place):
        parking.skip(connected, consumer, source, position, getpass.getuser(), why)
    if as_json:
        tell({"place": place, "done": "skipped"})
    else:
        line = f"skipped; `jianding parked replay {place}` hands on what waits behind it"
        console.print(line, markup=False, soft_wrap=True)


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
    projection: Annotated[
        str, typer.Argument(help="SERVICE/PROJECTION, such as registration/register.", callback=printable)
    ],
    as_json: Json = False,
) -> None:
    """Build a projection anew from its log, beside the live one, and switch when it has caught up."""
    service, _, name = projection.partition("/")
    try:
        found = definition(service)
        built = found.projection(name)
    except LookupError:
        known = [f"{s}/{p.name}" for s in SERVICES for p in definition(s).projections]
        raise Failed(
            f"没有这个视图。 There is no projection {projection[:80]}; there are: {', '.join(known)}"
        ) from None
    current = settings()
    with _database(service) as connected:
        applied = rebuilding.rebuild(connected, found, built, current.source(service), _progress(as_json))
    tell({"projection": projection, "applied": applied}) if as_json else console.print(
        f"{projection} is built anew from {applied} events, and live"
    )


def _progress(quiet: bool) -> Any:
    return (lambda _: None) if quiet else lambda applied: console.print(f"{applied} events applied")


def _parked(dsn: str, service: str, everything: bool) -> list[dict[str, Any]]:
    with connection(settings(), dsn, service) as connected:
        return parking.parked(connected, everything=everything)


def _rejected_count(dsn: str, service: str) -> int:
    with connection(settings(), dsn, service) as connected:
        waiting = standing.rejected(connected)
    return waiting.count if waiting else 0


def _rejected(dsn: str, service: str, limit: int) -> list[dict[str, Any]]:
    with connection(settings(), dsn, service) as connected:
        return parking.rejected(connected, limit)


def _place(service: str, row: dict[str, Any]) -> str:
    return f"{service}/{row['consumer']}{row['source']}/{row['position']}"


def _parts(place: str) -> tuple[str, str, str, int]:
    parts = place.split("/")
    if len(parts) != 5 or parts[0] not in SERVICES or parts[3] not in SOURCES or not _position(parts[4]):
        raise Failed(
            f"{place[:200]}: 不是搁置事件的位置，请从 jianding parked list 复制。"
            " It is not a place; copy one from `jianding parked list`"
        )
    service, consumer, body, source, position = parts
    return service, consumer, f"/{body}/{source}", int(position)


def _position(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_POSITION


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
        raise Failed(
            f"{place[:200]}: 此处没有搁置的事件。 Nothing is parked there; see `jianding parked list --all`"
        ) from None


def _consumer(found: Definition, name: str) -> Consumer:
    current = settings()
    executor = Executor(found, current.source(found.name)) if found.aggregates else None
    for consumer in delivery.consumers(found, executor, current.body):
        if consumer.name == name:
            return consumer
    raise Failed(f"{found.name} has no consumer {name} any more; skip the event, or rebuild the projection")
