"""A source without a database: its log as a relay would seal it, for tests of who listens."""

from collections import Counter

from shared.kernel.actors import Actor
from shared.kernel.clock import stamp, utc_now
from shared.kernel.events import Event
from shared.kernel.ids import derived_id, new_id
from shared.wire.envelope import GENESIS, Origin, Sealed, digest, draft, read, seal


class Source:
    """What one service says, in order. `bodies` is its log."""

    def __init__(self, service: str, body: str = "centre") -> None:
        self.service = service
        self.name = f"/{body}/{service}"
        self.bodies: list[bytes] = []
        self._versions: Counter[str] = Counter()

    @property
    def head(self) -> bytes:
        return digest(self.bodies[-1]) if self.bodies else GENESIS

    def say(self, event: Event, by: Actor, stream: str = "") -> bytes:
        """Seals one event (on the stream of its first subject, if not told another); its bytes."""
        stream = stream or "-".join(next(iter(event.refs())))
        self._versions[stream] += 1
        id, now = new_id(), stamp(utc_now())
        origin = Origin(self.name, by, now, now, derived_id("correlation", id), id, derived_id("command", id))
        drafted = draft(event, id, stream, self._versions[stream], origin)
        self.bodies.append(seal(drafted, len(self.bodies) + 1, self.head))
        return self.bodies[-1]

    def events(self) -> list[Sealed]:
        return [read(body) for body in self.bodies]
