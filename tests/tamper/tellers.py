"""Mutations of a source's own log, and lies that a source or a stranger tells audit on the bus."""

from collections.abc import Callable
from hashlib import sha256
from random import Random
from typing import Any

from services.audit.log import compare, recorder, set_aside
from shared.store import inbox
from shared.wire.envelope import read
from tests.tamper import looks
from tests.tamper.database import headed
from tests.tamper.deeds import Deed, Seen, at, kind
from tests.tamper.forging import flipped, other_event, resealed, spelled
from tests.tamper.world import EMPTY, SIZE, Entry, World

SCORING = "/centre/scoring"


def _own(world: World, statement: str, *values: Any) -> None:
    """As a superuser to whom no trigger and no right is in the way."""
    with world.own_log.transaction():
        world.own_log.execute("SET LOCAL session_replication_role = replica")
        world.own_log.execute(statement, values)


def _found(world: World, position: int) -> Deed:
    return Deed([at(looks.own_log(world), "altered", position)], world.restore_own_log, world.own_log.told)


def _one(world: World, chance: Random) -> Entry:
    return chance.choice([entry for entry in world.entries if entry.source == SCORING])


@kind("source")
def own_log_changed(world: World, chance: Random) -> Deed:
    """An event in its source's own log is another one, with the hash beside it computed anew or not."""
    entry = _one(world, chance)
    wrong = spelled(other_event(entry, chance)) if chance.random() < 0.5 else flipped(entry.sealed, chance)[1]
    _own(world, "UPDATE log SET sealed = %b WHERE position = %s", wrong, entry.position)
    if chance.random() < 0.5:
        hash = sha256(wrong).digest()
        _own(world, "UPDATE log SET hash = %b WHERE position = %s", hash, entry.position)
    return _found(world, entry.position)


@kind("source", again=True)
def own_log_rewritten(world: World, chance: Random) -> Deed:
    """An event in its source's own log is another one, and every later one is chained to it anew."""
    entry = _one(world, chance)
    for index, sealed in resealed(world.entries, entry.index, other_event(entry, chance)).items():
        _own(
            world, "UPDATE log SET sealed = %b, hash = %b WHERE position = %s",
            sealed, sha256(sealed).digest(), world.entries[index].position,
        )  # fmt: skip
    return _found(world, entry.position)


@kind("source")
def own_log_shortened(world: World, chance: Random) -> Deed:
    """An event is gone from its source's own log, from the end or from between, or there is one too many."""
    entry = _one(world, chance)
    last = world.of_source(entry.index)[-1].position
    change = chance.randrange(3)
    if change == 0:
        _own(world, "DELETE FROM log WHERE position = %s", entry.position)
    elif change == 1:
        _own(world, "DELETE FROM log WHERE position >= %s", entry.position)
    else:
        forged = spelled({**other_event(entry, chance), "position": last + 1})
        _own(world, "INSERT INTO log VALUES (%s, %s, %s)", last + 1, sha256(forged).digest(), forged)
    return _found(world, last + 1 if change == 2 else entry.position)


def _told(world: World, say: Callable[[], Any], body: bytes, kind_: str, index: int | None) -> Deed:
    """What audit has made of it: a finding."""

    def look() -> Seen:
        say()
        row = world.admin.execute("SELECT kind, first_index FROM findings ORDER BY id LIMIT 1").fetchone()
        return Seen(*row) if row else Seen("nothing")

    return Deed([at(look, kind_, index)], lambda: world.restore("findings", "evidence"), body)


@kind("source")
def two_stories_told(world: World, chance: Random) -> Deed | None:
    """A source sends another event for a position that audit has, or one that follows such another."""
    entry = chance.choice(world.entries)
    event = other_event(entry, chance)
    if chance.random() < 0.5:
        last = world.of_source(entry.index)[-1]
        entry = last
        event = {**event, "position": last.position + 1, "previoushash": chance.randbytes(32).hex()}
    sealed = spelled({**event, "role": entry.event["role"], "body": entry.event["body"]})
    if sealed == entry.sealed:
        return None

    def say() -> None:
        compare(world.service, [read(sealed)])

    return _told(world, say, sealed, "equivocation", entry.index)


@kind("source")
def stranger_on_the_bus(world: World, chance: Random) -> Deed:
    """A body comes from a source's bus that is an event of another source, or no event at all."""
    entry = chance.choice([entry for entry in world.entries if entry.source != SCORING])
    is_event = chance.random() < 0.5
    body = entry.sealed if is_event else flipped(entry.sealed, chance, 0, 1)[1]

    def say() -> None:
        set_aside(world.service, SCORING, body, "not an event of this source")

    return _told(world, say, body, "forged" if is_event else "unreadable", None)


@kind("source")
def id_of_another_event_taken(world: World, chance: Random) -> Deed:
    """A source seals an event under the id of an earlier one, so that the log may not take it."""
    entry, before = _one(world, chance), chance.choice(world.entries)
    last = world.of_source(entry.index)[-1]
    place = {"position": last.position + 1, "previoushash": last.hash}
    event = {**entry.event, **place, "id": before.event["id"], "refs": ""}  # of no batch: that one is closed
    sealed = read(spelled(event))

    def say() -> None:
        with world.service.transaction():
            inbox.apply(world.service, recorder, SCORING, [sealed])

    def put_back() -> None:
        world.restore("entries", "subjects", "tree_heads", *EMPTY)
        world.admin.execute(
            "UPDATE checkpoints SET (position, hash) = (%s, %b) WHERE source = %s",
            (last.position, bytes.fromhex(last.hash), SCORING),
        )

    heads = [each for each in world.heads if each.source != SCORING]
    verified = looks.verify(world, [*heads, headed(world, SCORING, sealed.raw)])
    told = _told(world, say, sealed.raw, "unrecordable", SIZE).expected
    return Deed([*told, at(verified, "verified", None)], put_back, sealed.raw)
