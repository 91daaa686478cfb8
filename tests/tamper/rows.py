"""Mutations of rows of the audit database, by whoever owns it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random

from shared.kernel.clock import stamp
from tests.tamper import looks
from tests.tamper.database import column, headed, ranged, rebuild, restored, set_leaf, signed_at, written
from tests.tamper.deeds import Deed, Expected, at, kind, within
from tests.tamper.forging import (
    NOBODY,
    first_torn,
    flipped,
    leaf,
    other_event,
    other_moment,
    relinked,
    resealed,
    spelled,
)
from tests.tamper.world import BEGAN, CHECKPOINTS, SIZE, World

COLUMNS = ("source", "position", "event_id", "type", "actor", "role", "received_at")
LOG = ("entries", "subjects", "tree_heads", "tiles")


@kind("database")
def row_bit(world: World, chance: Random) -> Deed:
    """One bit of a stored entry is turned."""
    index = chance.randrange(SIZE)
    _, wrong = flipped(world.pristine[index], chance)
    set_leaf(world, index, wrong)
    return restored(world, ["entries"], at(looks.verify(world), "altered", index), signed_at(world, index))


@kind("database")
def row_content_changed(world: World, chance: Random) -> Deed:
    """A stored event says something else, and the columns beside it say so too."""
    index = chance.randrange(SIZE)
    entry = world.entries[index]
    written(world, index, leaf(spelled(other_event(entry, chance)), entry.links, entry.received))
    return restored(world, ["entries"], at(looks.verify(world), "altered", index), signed_at(world, index))


@kind("database", again=True)
def row_content_changed_again(world: World, chance: Random) -> Deed:
    """The same, with tiles and tree heads computed anew."""
    index = chance.randrange(SIZE)
    entry = world.entries[index]
    forged = leaf(spelled(other_event(entry, chance)), entry.links, entry.received)
    rebuild(world, [*world.pristine[:index], forged, *world.pristine[index + 1 :]])
    return restored(world, LOG, at(looks.verify(world), "altered", index), ranged(world, index))


@kind("database", again=True)
def row_backdated_again(world: World, chance: Random) -> Deed:
    """An entry is said to have been received in another year, with columns, tiles and tree heads to match."""
    index = chance.randrange(SIZE)
    entry = world.entries[index]
    forged = leaf(entry.sealed, entry.links, other_moment(entry.received, chance))
    rebuild(world, [*world.pristine[:index], forged, *world.pristine[index + 1 :]])
    return restored(world, LOG, published(world, index), ranged(world, index))


def published(world: World, index: int) -> Expected:
    """What was published before the entry still holds; what was published with it does not."""
    first = max((size for size in CHECKPOINTS if size <= index), default=0)
    return within(looks.verify(world), "altered", first, index)


@kind("database", again=True)
def chain_rewritten(world: World, chance: Random) -> Deed:
    """An event is changed, and every later one of its source re-chained, with links and tree to match."""
    index = chance.randrange(SIZE)
    others = resealed(world.entries, index, other_event(world.entries[index], chance))
    rebuild(world, relinked((others.get(each.index, each.sealed), each.received) for each in world.entries))
    last = world.of_source(index)[-1].index  # of which the source has signed the hash: it is named
    expected = [within(looks.verify(world), "altered", index, last), ranged(world, index)]
    if world.entries[index].source == "/centre/scoring":
        expected.append(at(looks.own_log(world), "altered", world.entries[index].position))
    return restored(world, LOG, *expected)


@kind("database", again=True)
def chain_rewritten_with_the_sources_key(world: World, chance: Random) -> Deed:
    """The same by the centre's administrator, who has the source's key as well and signs its head anew."""
    index = chance.randrange(SIZE)
    source = world.entries[index].source
    others = resealed(world.entries, index, other_event(world.entries[index], chance))
    rebuild(world, relinked((others.get(each.index, each.sealed), each.received) for each in world.entries))
    last = others[world.of_source(index)[-1].index]
    said = [headed(world, source, last) if head.source == source else head for head in world.heads]
    first = max((size for size in CHECKPOINTS if size <= index), default=0)
    return restored(
        world, LOG, within(looks.verify(world, said), "altered", first, index), ranged(world, index)
    )


@kind("database")
def row_deleted(world: World, chance: Random) -> Deed:
    """An entry is deleted, with its subjects or without."""
    index = chance.randrange(SIZE)
    world.admin.execute("DELETE FROM entries WHERE index = %s", (index,))
    if chance.random() < 0.5:
        world.admin.execute("DELETE FROM subjects WHERE index = %s", (index,))
    return restored(
        world,
        ["entries", "subjects"],
        at(looks.verify(world), "altered", index),
        at(looks.signer(world), "not-signed", index),
    )


@kind("database", again=True)
def row_deleted_again(world: World, chance: Random) -> Deed:
    """An entry is deleted, the others move up, and links, subjects, tiles and heads are computed anew."""
    index = chance.randrange(SIZE)
    kept = [(each.sealed, each.received) for each in world.entries if each.index != index]
    rebuild(world, relinked(kept))
    torn = first_torn([sealed for sealed, _ in kept])
    ends = SIZE - 1  # a published checkpoint speaks of one entry more
    return restored(
        world,
        LOG,
        at(looks.verify(world), "altered", ends if torn is None else min(torn, ends)),
        at(looks.signer(world), "not-signed", ends),
    )


@kind("database", again=True)
def row_inserted_again(world: World, chance: Random) -> Deed:
    """An event that its source never sent is inserted, with links, subjects, tiles and heads to match."""
    index, model = chance.randrange(SIZE), world.entries[chance.randrange(SIZE)]
    unused = {"id": world.an_id(chance), "position": 1000 + chance.randrange(10**6)}
    event = {**other_event(model, chance), **unused}
    events = [(each.sealed, each.received) for each in world.entries]
    events.insert(index, (spelled(event), events[index][1]))
    rebuild(world, relinked(events))
    torn = first_torn([sealed for sealed, _ in events])
    assert torn is not None
    return restored(world, LOG, at(looks.verify(world), "altered", torn), ranged(world, index))


@kind("database", again=True)
def event_forged_onto_the_end(world: World, chance: Random) -> Deed:
    """An event that fits behind its source's last is appended as audit would: only its source knows."""
    last = world.of_source(chance.randrange(SIZE))[-1]
    following = {"id": world.an_id(chance), "position": last.position + 1, "previoushash": last.hash}
    event = {**other_event(last, chance), **following}
    events = [(each.sealed, each.received) for each in world.entries]
    rebuild(world, relinked([*events, (spelled(event), events[-1][1])]))
    return restored(world, LOG, at(looks.verify(world), "altered", SIZE))


@kind("database")
def rows_swapped(world: World, chance: Random) -> Deed:
    """Two entries change places, bytes alone or with the columns beside them."""
    one, other = sorted(chance.sample(range(SIZE), 2))
    swap = set_leaf
    if chance.random() < 0.5:
        swap = written
        world.admin.execute(
            "UPDATE entries SET event_id = gen_random_uuid(), position = position + 100000"
            " WHERE index IN (%s, %s)",
            (one, other),
        )
    for index, content in ((one, world.pristine[other]), (other, world.pristine[one])):
        swap(world, index, content)
    return restored(world, ["entries"], at(looks.verify(world), "altered", one), signed_at(world, one))


@kind("database", again=True)
def rows_swapped_again(world: World, chance: Random) -> Deed:
    """Two entries change places, and links, subjects, tiles and tree heads are computed anew."""
    one, other = sorted(chance.sample(range(SIZE), 2))
    events = [(each.sealed, each.received) for each in world.entries]
    events[one], events[other] = events[other], events[one]
    torn = first_torn([sealed for sealed, _ in events])
    rebuild(world, relinked(events))
    shown = published(world, one) if torn is None else at(looks.verify(world), "altered", torn)
    return restored(world, LOG, shown, ranged(world, one))


@kind("database")
def row_replayed(world: World, chance: Random) -> Deed:
    """An entry is written over another one."""
    index, other = chance.sample(range(SIZE), 2)
    set_leaf(world, index, world.pristine[other])
    return restored(world, ["entries"], at(looks.verify(world), "altered", index), signed_at(world, index))


@kind("database")
def column_changed(world: World, chance: Random) -> Deed:
    """A column beside an entry says something else: another actor or source, another time of arrival."""
    index, name = chance.randrange(SIZE), chance.choice(COLUMNS)
    other = {
        "event_id": world.an_id(chance),
        "position": 1000 + chance.randrange(1000),
        "received_at": other_moment(world.entries[index].received, chance),
        "actor": NOBODY,
    }.get(name, f"another {chance.randrange(1000)}")
    column(world, index, name, other)
    return restored(world, ["entries"], at(looks.verify(world), "altered", index))


@kind("database")
def columns_swapped(world: World, chance: Random) -> Deed:
    """Two entries exchange a column, or an entry's actor and role change places."""
    name = chance.choice(("type", "actor", "role", "received_at"))
    one, other = sorted(chance.sample(range(SIZE), 2))
    if chance.random() < 0.3:
        world.admin.execute("UPDATE entries SET actor = role, role = actor WHERE index = %s", (one,))
    else:
        if world.column(name, one) == world.column(name, other):
            return None  # type: ignore[return-value]
        world.admin.execute(
            f"UPDATE entries e SET {name} = o.{name} FROM entries o"
            " WHERE (e.index, o.index) IN ((%(one)s, %(other)s), (%(other)s, %(one)s))",
            {"one": one, "other": other},
        )
    return restored(world, ["entries"], at(looks.verify(world), "altered", one))


@kind("database")
def tail_cut_off(world: World, chance: Random) -> Deed:
    """The newest entries are taken away, with everything that speaks of them but what was signed."""
    size = chance.randrange(SIZE)
    world.forget(size)
    return restored(
        world,
        LOG,
        at(looks.verify(world), "altered", size),
        at(looks.signer(world), "not-signed", size),
    )


@kind("database")
def backup_restored(world: World, chance: Random) -> Deed:
    """The database is set back to a backup of an earlier day, checkpoints included."""
    size = chance.choice(CHECKPOINTS[:-1])
    world.forget(size)
    world.forget_signed(size)
    tables = [*LOG, "signed_checkpoints", "cosignatures"]
    expected = at(looks.verify(world), "altered", size), at(looks.signer(world), "not-signed", size)
    return restored(world, tables, *expected)


@kind("database", again=True)
def backup_restored_and_continued(world: World, chance: Random) -> Deed:
    """The same, and then the log goes on from there, with the same events received at other times."""
    size = chance.choice(CHECKPOINTS[:-1])
    received = other_moment(world.entries[0].received, chance)
    rebuild(
        world,
        relinked((each.sealed, each.received if each.index < size else received) for each in world.entries),
    )
    world.forget_signed(size)
    return restored(world, [*LOG, "signed_checkpoints", "cosignatures"], ranged(world, size))


# -- what is new, before it is signed


def _heard(world: World, chance: Random, hours: tuple[float, float] = (0, 0)) -> list[tuple[bytes, str]]:
    """Two further events of a source, as (sealed, received): so many hours after the log's last was."""
    last = world.of_source(chance.randrange(SIZE))[-1]
    found, previous = list[tuple[bytes, str]](), last.hash
    for place, later in enumerate(hours, 1):
        position = {"position": last.position + place, "previoushash": previous, "refs": ""}
        sealed = spelled({**last.event, "id": world.an_id(chance), **position})
        arrived = datetime.fromisoformat(world.entries[-1].received) + timedelta(hours=later, seconds=place)
        found.append((sealed, stamp(arrived)))
        previous = sha256(sealed).hexdigest()
    return found


def _unsigned(world: World, heard: Sequence[tuple[bytes, str]], index: int) -> Deed:
    known = [(entry.sealed, entry.received) for entry in world.entries]
    rebuild(world, relinked([*known, *heard]))
    return restored(world, LOG, at(looks.signer(world), "not-signed", index))


@kind("database", again=True)
def new_entry_rewritten(world: World, chance: Random) -> Deed:
    """What the log has just received says something else, or is left out, and all that follows is computed
    anew before the signer comes."""
    (sealed, received), following = _heard(world, chance)
    if chance.random() < 0.3:
        return _unsigned(world, [following], SIZE)
    wrong = spelled({**json.loads(sealed), "data": {"forged": chance.randrange(10**6)}})
    return _unsigned(world, [(wrong, received), following], SIZE + 1)


@kind("database", again=True)
def new_arrival_moved(world: World, chance: Random) -> Deed:
    """What has just come is said to have come long before, or to be yet to come, before the signer comes."""
    place, off = chance.randrange(2), chance.uniform(2.1, 5000)
    hours = [0.0, 0.0]
    hours[place] = -off if chance.random() < 0.5 else (datetime.now(UTC) - BEGAN) / timedelta(hours=1) + off
    return _unsigned(world, _heard(world, chance, (hours[0], hours[1])), SIZE + place)
