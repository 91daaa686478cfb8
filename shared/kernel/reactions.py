"""Tables of handlers: what a service does about an event (policies), and what it remembers (projections)."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from shared.kernel.aggregates import Aggregate, Command, State
from shared.kernel.events import Event

Handler = Callable[[Any, Any], None]
AnyHandler = TypeVar("AnyHandler", bound=Handler)
Dated = TypeVar("Dated", bound=Callable[[Any, Any, str], None])


class Us(Protocol):
    """Our own service, as a policy sees it, inside the transaction that also moves the checkpoint."""

    event_id: str
    event_hash: str

    def execute(self, command: type[Command], **fields: Any) -> None:
        """Decides and appends; the same event asking twice is one command."""

    def state(self, aggregate: Aggregate[State], id: str) -> State:
        """What an aggregate of ours knows now."""


class Rows(Protocol):
    """The tables of one projection; SQL names them without a schema.

    A handler that writes may not ask what its statement gave back: of many events, it is written later.
    """

    def execute(self, query: str, params: Any = None) -> Any: ...


class Handlers:
    """Event class -> handler."""

    def __init__(self) -> None:
        self._handlers: dict[type[Event], Handler] = {}

    def on(self, *events: type[Event]) -> Callable[[AnyHandler], AnyHandler]:
        def register(handler: AnyHandler) -> AnyHandler:
            for event in events:
                self._handlers[event] = handler
            return handler

        return register

    def handler(self, event: type[Event]) -> Handler | None:
        return self._handlers.get(event)

    @property
    def events(self) -> Iterable[type[Event]]:
        return self._handlers.keys()

    @property
    def sources(self) -> frozenset[str]:
        """The services whose events are handled here."""
        return frozenset(event.service for event in self._handlers)


class Policies(Handlers):
    """Somebody's event -> a command of ours: `(event, us) -> None`."""


class Projection(Handlers):
    """Events of our own log -> tables: `(event, rows) -> None`. `tables` is the SQL that makes them empty.

    `indexes` is SQL that may be repeated: what a build that lives already gets at the next start.
    """

    def __init__(self, name: str, tables: str, indexes: str = "") -> None:
        super().__init__()
        self.name = name
        self.tables = tables
        self.indexes = indexes
        self._dated: set[type[Event]] = set()

    def on_dated(self, *events: type[Event]) -> Callable[[Dated], Dated]:
        """For a handler that wants to know when it happened: `(event, rows, stamp) -> None`."""
        self._dated.update(events)
        return self.on(*events)  # type: ignore[return-value]

    def write(self, event: Event, rows: Rows, happened: str) -> None:
        """What an event leaves in the tables; LookupError for one that is not handled."""
        handler: Any = self._handlers[type(event)]
        handler(event, rows, *([happened] if type(event) in self._dated else ()))
