"""Who is let in to a service: by name and role, or as somebody who has no name here yet."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from nameko.extensions import DependencyProvider

from shared.bus.calls import Refused
from shared.kernel.actors import Actor, Role
from shared.kernel.errors import Refusal
from shared.runtime import reading
from shared.runtime.callers import NotForThisRole, read_actor
from shared.runtime.workshop import Workshop
from shared.wire.schemas import QuerySchema


class Door(DependencyProvider):
    """`self.admit(ROLES)` -> who asks; Refused for everybody else, which is an event."""

    workshop = Workshop()

    def get_dependency(self, worker_ctx: Any) -> Callable[[Collection[Role]], Actor]:
        call = worker_ctx.entrypoint.method_name
        return partial(admit, self.workshop, worker_ctx.service_name, call, worker_ctx.data)


def admit(
    workshop: Workshop, service: str, call: str, data: dict[str, Any], roles: Collection[Role]
) -> Actor:
    """Who asks, if he has one of the roles; Refused otherwise, and that he tried is an event (R015)."""
    try:
        actor = read_actor(data, workshop.trust, services=Role.SERVICE in roles)
        if actor.role not in roles:
            refuse(workshop, service, actor, call, {})
    except Refusal as refusal:
        raise Refused.of(refusal) from None
    return actor


def readable(schema: type[QuerySchema], message: dict[str, Any]) -> dict[str, Any]:
    """What was asked, if that can be read: whoever may not ask is not told what is wrong with it."""
    try:
        return schema.check(message)
    except Refusal:
        return {}


def refuse(
    workshop: Workshop,
    service: str,
    actor: Actor,
    query: str,
    asked: dict[str, Any],
    why: Refusal | None = None,
) -> NoReturn:
    """Leaves an event of the attempt, and raises `why`: NotForThisRole, unless it is something else."""
    source, why = workshop.settings.source(service), why or NotForThisRole()
    workshop.persistently(lambda connection: reading.refuse(connection, source, actor, query, asked, why))
    workshop.committed()
    raise why


@dataclass(frozen=True, repr=False)
class Visit:
    """What somebody says who has no name here yet, and where he calls from, if whoever let him in knows."""

    fields: dict[str, Any]
    address: str


class Visitors(DependencyProvider):
    """`self.visit(schemas.Login, message)` -> Visit; nobody is asked who he is. Refused for a wrong field."""

    def get_dependency(self, worker_ctx: Any) -> Callable[[type[QuerySchema], dict[str, Any]], Visit]:
        return partial(_visit, worker_ctx.data)


def _visit(data: dict[str, Any], schema: type[QuerySchema], message: dict[str, Any]) -> Visit:
    try:
        return Visit(schema.check(message), str(data.get("address") or ""))
    except Refusal as refusal:
        raise Refused.of(refusal) from None


class Errands(DependencyProvider):
    """`self.errand(work, schemas.CheckOf, message, roles=…)`: `work(by, **fields)` acts beside the log.

    For what an operator or a supervisor has done, and what no aggregate decides about.
    """

    workshop = Workshop()

    def get_dependency(self, worker_ctx: Any) -> Callable[..., Any]:
        return partial(_run, self.workshop, worker_ctx)


def _run(
    workshop: Workshop,
    call: Any,
    work: Callable[..., Any],
    schema: type[QuerySchema],
    message: dict[str, Any],
    roles: Collection[Role],
) -> Any:
    actor = admit(workshop, call.service_name, call.entrypoint.method_name, call.data, roles)
    try:
        return work(actor, **schema.check(message))
    except Refusal as refusal:
        raise Refused.of(refusal) from None
