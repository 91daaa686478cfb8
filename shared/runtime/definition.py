"""What a service consists of, declared in its service.py and read by everything that runs it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from shared.contracts import DECIDING, SERVICES
from shared.kernel.aggregates import Aggregate, Command
from shared.kernel.reactions import Policies, Projection
from shared.store.inbox import Consumer

DOOR = "gateway"  # the service that has no decisions, no log and no database, and lets people in by HTTP


class Impossible(Exception):
    """What an operator asks of a tool cannot be done; each kind of it says in its docstring what to do."""


@dataclass(frozen=True)
class Definition:
    """The parts of one service.

    `consumers` are those that are neither policies nor projections (audit's log); `tools` are what an
    operator may run from the command line against the service's database; `programs` run beside the service
    in the embedded node, each until its last argument says so: `run(settings, admin, stop)`.
    """

    name: str
    package: str
    aggregates: tuple[Aggregate[Any], ...] = ()
    schemas: ModuleType | None = None
    policies: Policies | None = None
    projections: tuple[Projection, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    tools: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    programs: tuple[Callable[..., None], ...] = ()

    @property
    def sources(self) -> Iterable[str]:
        """The services that this one listens to. Whoever decides hears all who do: everybody's duties."""
        return DECIDING

    def aggregate(self, command: type[Command]) -> Aggregate[Any]:
        """The aggregate that decides on `command`."""
        return next(each for each in self.aggregates if command in each.commands)

    def projection(self, name: str) -> Projection:
        """LookupError if this service has no such projection."""
        for each in self.projections:
            if each.name == name:
                return each
        raise LookupError(name)


def definition(service: str) -> Definition:
    """The definition of one of the five services; LookupError for any other name."""
    if service not in SERVICES:
        raise LookupError(service)
    return _module(service).definition


def service_class(service: str) -> type:
    """Its nameko class, and that of the door; LookupError for any other name."""
    module = _module(service)
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and getattr(value, "name", None) == service
    )


def _module(service: str) -> Any:
    if service not in (*SERVICES, DOOR):
        raise LookupError(service)
    return import_module(f"services.{service}.service")
