"""Mutations of closed batches, by whoever has the centre's keys before anything is published.

Nothing contradicts such a log but the source's own word, so that is what is named: where it stands, or what
came behind it.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from tests.tamper import looks
from tests.tamper.database import headed, rebuild, restored
from tests.tamper.deeds import Deed, at, kind
from tests.tamper.forging import other_event, rechained, relinked
from tests.tamper.rows import LOG
from tests.tamper.world import SIZE, Entry, World

_TABLES = [*LOG, "signed_checkpoints", "cosignatures"]


def _seal(world: World, chance: Random) -> Entry:
    return chance.choice([each for each in world.entries if each.event["type"] == "BatchSealed"])


def _begun_anew(world: World, events: Sequence[tuple[dict[str, Any], str]], source: str, index: int) -> Deed:
    """The log of these, whole in itself, under a head that the source's own key has signed."""
    said = rechained(events, source)
    rebuild(world, relinked(said))
    world.forget_signed(0)
    (*_, last) = (new for (event, _), (new, _) in zip(events, said, strict=True) if event["source"] == source)
    heads = [headed(world, source, last) if head.source == source else head for head in world.heads]
    return restored(world, _TABLES, at(looks.verify(world, heads), "altered", index))


def _events(world: World) -> list[tuple[dict[str, Any], str]]:
    return [(each.event, each.received) for each in world.entries]


@kind("database", again=True)
def batch_count_changed(world: World, chance: Random) -> Deed:
    """What a source states of a batch is another number, position or hash, with everything to match."""
    seal, events = _seal(world, chance), _events(world)
    said = seal.event["data"]
    others = {
        name: said[name] + chance.choice((-1, 1)) for name in ("events", "first_position", "last_position")
    }
    others |= {"chain_digest": chance.randbytes(32).hex(), "upto": chance.randrange(said["upto"])}
    name = chance.choice(sorted(others))
    events[seal.index] = ({**seal.event, "data": {**said, name: others[name]}}, seal.received)
    # what lies behind an earlier end of the count has come too late
    shown = world.of_source(seal.index)[others["upto"]] if name == "upto" else seal
    return _begun_anew(world, events, seal.source, shown.index)


@kind("database", again=True)
def event_of_a_closed_batch_changed(world: World, chance: Random) -> Deed:
    """An event that a source has counted is another one, with everything to match but the count's hash."""
    seal, events = _seal(world, chance), _events(world)
    counted = chance.choice([each for each in world.of_source(seal.index) if each.index != seal.index])
    events[counted.index] = (other_event(counted, chance), counted.received)
    return _begun_anew(world, events, seal.source, seal.index)


@kind("database", again=True)
def event_of_a_closed_batch_dropped(world: World, chance: Random) -> Deed:
    """An event that a source has counted is not there, and its later ones have moved up."""
    seal, events = _seal(world, chance), _events(world)
    counted = chance.choice([each for each in world.of_source(seal.index) if each.index != seal.index])
    del events[counted.index]
    return _begun_anew(world, events, seal.source, seal.index - 1)


@kind("database", again=True)
def event_added_to_a_closed_batch(world: World, chance: Random) -> Deed:
    """There is an event of the batch behind what its source has counted, before or after it said so."""
    seal, events = _seal(world, chance), _events(world)
    model = chance.choice([each for each in world.of_source(seal.index) if each.index != seal.index])
    added = {**other_event(model, chance), "id": world.an_id(chance)}
    index = chance.choice((seal.index, seal.index + 1, SIZE))
    events.insert(index, (added, events[index - 1][1]))
    return _begun_anew(world, events, seal.source, index)
