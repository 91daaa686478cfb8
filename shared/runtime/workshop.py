"""What the parts of one service share: settings, connections, the executor, the way to other services."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import Any

import eventlet
from nameko.exceptions import RemoteError
from nameko.extensions import SharedExtension
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from shared.bus.calls import Caller, NoAnswer, Refused, context
from shared.kernel.actors import Actor, Role
from shared.kernel.errors import Refusal
from shared.runtime import databases, delivery
from shared.runtime.callers import Trust
from shared.runtime.definition import Definition
from shared.runtime.executor import Executor
from shared.runtime.settings import Settings
from shared.security.heads import Heartbeat
from shared.security.tokens import Keyring, Mint
from shared.store.errors import PASSING

log = logging.getLogger(__name__)

_TRIES = 4


class Unavailable(Refusal):
    """数据库暂时不可用；请稍后用同一 command_id 重试。

    The database does not answer now; try again shortly with the same command_id.
    """


class Workshop(SharedExtension):
    """What the parts of one service share: settings, connections, the executor, the way to other services."""

    caller = Caller()

    # nameko sets extensions up at the same time, so everything here is made on first use

    @property
    def settings(self) -> Settings:
        found: Settings = self.container.config["JIANDING"]["settings"]
        return found

    @cached_property
    def trust(self) -> Trust:
        """Whose word counts for who calls."""
        return Trust(Keyring(self.settings.tokens_folder), self.settings.tokens_required)

    @cached_property
    def mint(self) -> Mint:
        """What we sign with that it is us who calls; registration also, who its people are."""
        return Mint.load(self.settings.tokens_folder, self.settings.source(self.container.service_name))

    @cached_property
    def pool(self) -> ConnectionPool[Connection[Any]]:
        return databases.pool(
            self.settings, self.container.config["JIANDING"]["admin"], self.container.service_name
        )

    def stop(self) -> None:
        self.pool.close()
        super().stop()

    def committed(self) -> None:
        """Tells whoever seals our log (in the embedded node: its relay) that there may be something new."""
        tell = self.container.config["JIANDING"].get("committed")
        if tell is not None:
            tell(self.container.service_name)

    def connect(self) -> Any:
        """An autocommit connection for a `with` block."""
        self.pool.open()  # does nothing when it is open
        return self.pool.connection()

    def persistently(self, work: Callable[[Connection[Any]], Any]) -> Any:
        """`work` on a connection, over a lost one too, so it has to be safe to repeat; raises Refused."""
        for attempt in range(1, _TRIES + 1):
            try:
                with self.connect() as connection:
                    return work(connection)
            except (PoolTimeout, *PASSING) as error:
                log.warning("%s: %s", self.container.service_name, type(error).__name__)
                if attempt < _TRIES:
                    eventlet.sleep(0.05 * 4**attempt)
        raise Refused.of(Unavailable())

    def executor(self, definition: Definition) -> Executor:
        late = timedelta(days=self.settings.late_days)
        return Executor(definition, self.settings.source(definition.name), late=late)

    def feed(self, service: str, position: int, limit: int) -> list[bytes]:
        """The sealed events of a source behind `position`; FeedUnavailable if it does not answer."""
        if service == self.container.service_name:
            with self.connect() as connection:
                return delivery.own_feed(connection, position, limit)
        return [event.encode() for event in self._ask(service, position, limit)["events"]]

    def head(self, service: str) -> dict[str, Any]:
        """A service's signed head `{position, hash, signature}` (hex); FeedUnavailable as above."""
        return self._ask(service, 2**53, 1)

    def heartbeat(self, service: str) -> Heartbeat | None:
        """What a service's relay stated last; None if nothing yet, FeedUnavailable as above."""
        said = self._ask(service, 2**53, 1).get("heartbeat")
        return Heartbeat.read(self.settings.source(service), said) if said else None

    def introduced(self) -> dict[str, Any]:
        """The context of a call of ours: who we are, and our word for it."""
        us = Actor(self.container.service_name, Role.SERVICE, self.settings.body)
        return context(us, token=self.mint.issue(us))

    def _ask(self, service: str, position: int, limit: int) -> dict[str, Any]:
        if service == self.container.service_name:  # a call would wait for a worker of our own
            with self.connect() as connection:
                return delivery.own_page(connection, position, limit)
        here = self.container.config["JIANDING"].get("services")
        if here is not None and service not in here:
            raise delivery.FeedUnavailable(f"{service} does not run in this node")
        message = {"position": position, "limit": limit}
        us = self.introduced()
        try:
            answer: dict[str, Any] = self.caller.call(service, "events_after", us, message, wait=5)
        except (NoAnswer, RemoteError, Refused) as error:
            raise delivery.FeedUnavailable(f"{service}: {type(error).__name__}") from None
        return answer
