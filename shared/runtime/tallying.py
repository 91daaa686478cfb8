"""Each deciding service counts its own events of every batch, and says so once the batch is closed (R172).

`BatchSealed` is an event of the service's own signed log: a source that leaves events of the batch out of
what it publishes, or adds some afterwards, contradicts its own word.
"""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from shared.contracts.seals import Seal
from shared.kernel.actors import Actor, Role
from shared.kernel.clock import stamp, utc_now
from shared.kernel.events import language
from shared.kernel.ids import derived_id, new_id
from shared.store import eventstore, inbox, sealer, tallies
from shared.store.eventstore import Append
from shared.store.inbox import Consumer
from shared.wire.envelope import Origin, Sealed, draft, read
from shared.wire.tally import Tally

NAME = "tally"
CLOSING = ("scheduling", "BatchClosed")
_PAGE = 500


def tallying(service: str, body: str) -> Consumer:
    """Counts what the service says, and answers `BatchClosed` with what it has of the batch."""
    source = f"/{body}/{service}"
    by = Actor(service, Role.SERVICE, body)

    def handle(connection: Connection[Any], events: Sequence[Sealed]) -> None:
        ours = bool(events) and events[0].service == service
        if ours:
            count(connection, events)
        for event in events:
            if (event.service, event.type) == CLOSING:
                upto = events[-1].position if ours else _brought_up(connection, source)
                _say(connection, source, by, event, upto)

    return Consumer(NAME, frozenset({service, CLOSING[0]}), handle)


def count(connection: Connection[Any], events: Sequence[Sealed]) -> None:
    """Adds the service's own next events to the tallies of their batches."""
    named = [(event, batch) for event in events for batch in event.named("batch")]
    if not named:
        return
    found = tallies.known(connection, {batch for _, batch in named})
    for event, batch in named:
        found[batch] = found.get(batch, Tally()).counting(event.position, event.hash)
    tallies.keep(connection, found)


def _say(connection: Connection[Any], source: str, by: Actor, cause: Sealed, upto: int) -> None:
    """`BatchSealed`, in the transaction of the checkpoint behind `cause`."""
    (batch,) = cause.named("batch")
    tally = tallies.known(connection, [batch]).get(batch, Tally())
    event = language(by.id).events["BatchSealed"]
    assert issubclass(event, Seal)
    said = event(
        batch=batch,
        events=tally.events,
        first_position=tally.first,
        last_position=tally.last,
        chain_digest=tally.chain.hex(),
        upto=upto,
    )
    id = derived_id(cause.id, "BatchSealed")
    time, correlation = cause.attributes["time"], cause.attributes["correlationid"]
    origin = Origin(source, by, time, stamp(utc_now()), correlation, cause.id, id)
    stream = f"seal-{batch}"
    drafted = draft(said, new_id(), stream, 1, origin)
    eventstore.append(connection, Append(stream, 0, [drafted], id, b"", b"{}"))


def _brought_up(connection: Connection[Any], source: str) -> int:
    """Counts what is sealed of our own log and has not come back to us yet; the last position counted."""
    position, _ = inbox.checkpoint(connection, NAME, source)
    while page := sealer.sealed_after(connection, position, _PAGE):
        events = [read(sealed) for _, sealed, _ in page]
        count(connection, events)
        position = inbox.advance(connection, NAME, events[-1])
    return position
