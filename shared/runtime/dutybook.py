"""The duties that facts show, held against those that the same people have within the batch (R015)."""

from collections.abc import Iterable
from typing import Any

from psycopg import Connection

from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Facts
from shared.kernel.errors import DutyConflict
from shared.security import duties
from shared.store import eventstore
from shared.store.eventstore import Duty

_REMEMBERED = 100_000


class DutyBook:
    """What an executor knows of duties that are committed: nobody loses one, so none is asked for twice."""

    def __init__(self) -> None:
        self._held: set[tuple[str, str, str]] = set()

    def added(self, connection: Connection[Any], facts: Facts, actor: Actor) -> list[Duty]:
        """The duties that these facts add; DutyConflict where somebody holds one that excludes them."""
        added = []
        for batch, person, role in sorted(_named(facts, actor)):
            if (batch, person, role) in self._held:
                continue
            held = eventstore.duties(connection, batch, person)
            if role in held:
                self._held.add((batch, person, role))
            elif duties.conflict(Role(role), {Role(each) for each in held}):
                raise DutyConflict
            else:
                added.append(Duty(batch, person, role, duties.pairs(Role(role))))
        return added

    def hold(self, committed: Iterable[Duty]) -> None:
        """Remembers duties whose transaction has ended well."""
        if len(self._held) > _REMEMBERED:
            self._held.clear()
        self._held.update((duty.batch, duty.actor, duty.role) for duty in committed)


def _named(facts: Facts, actor: Actor) -> set[tuple[str, str, str]]:
    """(batch, person, role) that these facts show, for roles that exclude others."""
    shown = set()
    for event in facts:
        batch = next((ref for kind, ref in event.refs() if kind == "batch"), None)
        if batch is None:
            continue
        bearers = [(getattr(event, name), role) for name, role in type(event).bearers]
        for person, role in [(actor.id, actor.role), *bearers]:
            if duties.pairs(role):
                shown.add((batch, person, role.value))
    return shown
