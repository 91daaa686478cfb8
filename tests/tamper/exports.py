"""Mutations of an exported tree, which its holder checks alone."""

from pathlib import Path
from random import Random

from tests.tamper import looks
from tests.tamper.deeds import Chance, Deed, Expected, at, kind, within
from tests.tamper.forging import (
    NOBODY,
    first_torn,
    flipped,
    leaf,
    other_event,
    other_moment,
    relinked,
    spelled,
    tree_files,
    unstated,
)
from tests.tamper.world import SIZE, World

WIDTH = 256
EVENTS = ("/centre/registration", "/centre/scheduling", "/centre/scoring", "/centre/certification")


def changed(world: World, files: dict[str, bytes | None], *expected: Expected) -> Deed:
    """Other contents of files; None: it is gone."""
    folder = world.folder / "newest"
    for name, content in files.items():
        _put(folder / name, content)

    def undo() -> None:
        for name in files:
            _put(folder / name, world.files.get(name))

    return Deed(list(expected), undo, files)


def _put(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


def rewritten(world: World, leaves: list[bytes], *expected: Expected) -> Deed:
    """Everything that follows from other leaves, but for what has to be signed."""
    made = tree_files(leaves)
    files: dict[str, bytes | None] = {
        name: content for name, content in made.items() if world.files.get(name) != content
    }
    return changed(world, files, *expected)


def says(world: World, verdict: str, index: int | None) -> Expected:
    return at(looks.newest(world), verdict, index)


def bundle(number: int) -> str:
    """The file with the entries from 256 × number on."""
    return f"tile/entries/{number:03d}" + (f".p/{SIZE % WIDTH}" if number == SIZE // WIDTH else "")


def tile(number: int) -> str:
    """The file with their hashes."""
    return bundle(number).replace("entries", "0")


def at_once(world: World, number: int, leaves: list[bytes], index: int, verdict: str = "tampered") -> Deed:
    """Other entries in one file, and nothing else."""
    content = b"".join(len(each).to_bytes(2, "big") + each for each in leaves)
    return changed(world, {bundle(number): content}, says(world, verdict, index))


def of_bundle(world: World, index: int) -> tuple[int, int, list[bytes]]:
    """(number of the file, place within it, its leaves) of an entry."""
    number, place = divmod(index, WIDTH)
    return number, place, world.pristine[number * WIDTH : (number + 1) * WIDTH]


@kind("export", weight=3)
def entry_bit(world: World, chance: Random) -> Deed:
    """One bit of an exported entry is turned, its length included."""
    index = chance.randrange(SIZE)
    number, place, leaves = of_bundle(world, index)
    start = sum(2 + len(each) for each in leaves[:place])
    content = world.files[bundle(number)]
    where, wrong = flipped(content, chance, start, start + 2 + len(leaves[place]))
    length = int.from_bytes(wrong[start : start + 2], "big")
    ends_early = where < start + 2 and start + 2 + length > len(content)
    return changed(
        world, {bundle(number): wrong}, says(world, "incomplete" if ends_early else "tampered", index)
    )


def _forged(world: World, index: int, forged: bytes, again: bool, *, shows: bool = True) -> Deed:
    """`shows`: whether something but the root shows it, once everything was computed anew."""
    if again:
        leaves = [*world.pristine[:index], forged, *world.pristine[index + 1 :]]
        return rewritten(world, leaves, says(world, "tampered", index if shows else None))
    number, place, leaves = of_bundle(world, index)
    return at_once(world, number, [*leaves[:place], forged, *leaves[place + 1 :]], index)


def _content(world: World, chance: Random, again: bool) -> Deed:
    index = chance.randrange(SIZE)
    entry = world.entries[index]
    event = other_event(entry, chance)
    forged = leaf(spelled(event), entry.links, entry.received)
    shows = world.next_of_source(index) is not None or unstated(world.entries, index, event) == index
    return _forged(world, index, forged, again, shows=shows)


@kind("export", weight=3)
def content_changed(world: World, chance: Random) -> Deed:
    """An event says something else: a score, a time, a role, a cause."""
    return _content(world, chance, again=False)


@kind("export", again=True)
def content_changed_again(world: World, chance: Random) -> Deed:
    """The same, with every tile computed anew."""
    return _content(world, chance, again=True)


@kind("export", weight=2)
def actor_forged(world: World, chance: Random) -> Deed:
    """Somebody else is said to have acted, or somebody who never was."""
    index = chance.randrange(SIZE)
    entry = world.entries[index]
    other = chance.choice([each for each in (NOBODY, *world.actors) if each != entry.event["actor"]])
    return _forged(
        world, index, leaf(spelled({**entry.event, "actor": other}), entry.links, entry.received), again=False
    )


def _source(world: World, chance: Random, again: bool) -> Deed | None:
    index = chance.randrange(SIZE)
    entry = world.entries[index]
    other = chance.choice([each for each in EVENTS if each != entry.source])
    there = sum(each.source == other for each in world.entries[:index])
    if entry.position == there + 1:
        return None  # it would be the next event of that source: told elsewhere, by its hash
    return _forged(
        world, index, leaf(spelled({**entry.event, "source": other}), entry.links, entry.received), again
    )


@kind("export", weight=2)
def source_forged(world: World, chance: Random) -> Deed | None:
    """An event is said to come from another service."""
    return _source(world, chance, again=False)


@kind("export", again=True)
def source_forged_again(world: World, chance: Random) -> Deed | None:
    """The same, with every tile computed anew."""
    return _source(world, chance, again=True)


def _received(world: World, chance: Random, again: bool) -> Deed:
    index = chance.randrange(SIZE)
    entry = world.entries[index]
    forged = leaf(entry.sealed, entry.links, other_moment(entry.received, chance))
    return _forged(world, index, forged, again, shows=False)


@kind("export", weight=2)
def arrival_backdated(world: World, chance: Random) -> Deed:
    """An event is said to have been received in another year."""
    return _received(world, chance, again=False)


@kind("export", again=True)
def arrival_backdated_again(world: World, chance: Random) -> Deed:
    """The same, with every tile computed anew."""
    return _received(world, chance, again=True)


@kind("export", weight=2)
def link_changed(world: World, chance: Random) -> Deed:
    """An entry counts a subject's entries otherwise, or points back to another entry."""
    index = chance.randrange(SIZE)
    entry = world.entries[index]
    links = [list(link) for link in entry.links]
    place, part = chance.randrange(len(links)), chance.randrange(2)
    links[place][part] += chance.randint(1, 9)
    return _forged(world, index, leaf(entry.sealed, links, entry.received), chance.random() < 0.3)


@kind("export", weight=2)
def entry_deleted(world: World, chance: Random) -> Deed:
    """An entry is taken out of its file."""
    index = chance.randrange(SIZE)
    number, place, leaves = of_bundle(world, index)
    verdict = "incomplete" if place == len(leaves) - 1 else "tampered"
    return at_once(world, number, leaves[:place] + leaves[place + 1 :], index, verdict)


@kind("export", again=True)
def entry_deleted_again(world: World, chance: Random) -> Deed:
    """An entry is taken out, the others move up, and every link and tile is computed anew."""
    index = chance.randrange(SIZE)
    kept = [(each.sealed, each.received) for each in world.entries if each.index != index]
    # the newest of its source leaves nothing but a root that is another, and a last entry that is not there
    torn = first_torn([sealed for sealed, _ in kept])
    files: dict[str, bytes | None] = dict.fromkeys((bundle(2), tile(2)))
    moved = f".p/{(SIZE - 1) % WIDTH}", f".p/{SIZE % WIDTH}"
    files |= {name.replace(*moved): it for name, it in tree_files(relinked(kept)).items()}
    if torn is None:
        return changed(world, files, within(looks.newest(world), "incomplete", 2 * WIDTH, SIZE - 1))
    return changed(world, files, says(world, "tampered", torn))


@kind("export", weight=2)
def entry_inserted(world: World, chance: Random) -> Deed:
    """An entry stands once more, somewhere else."""
    index, other = chance.randrange(SIZE), chance.randrange(SIZE)
    number, place, leaves = of_bundle(world, index)
    if world.pristine[other] == leaves[place]:  # before itself it changes nothing: behind itself it does
        index += 1
    return at_once(world, number, [*leaves[:place], world.pristine[other], *leaves[place:]], index)


@kind("export", weight=2)
def entries_swapped(world: World, chance: Random) -> Deed:
    """Two entries of a file change places."""
    number = chance.randrange(3)
    leaves = list(world.pristine[number * WIDTH : (number + 1) * WIDTH])
    one, other = sorted(chance.sample(range(len(leaves)), 2))
    leaves[one], leaves[other] = leaves[other], leaves[one]
    return at_once(world, number, leaves, number * WIDTH + one)


@kind("export", again=True)
def entries_swapped_again(world: World, chance: Random) -> Deed:
    """Two entries change places, and every link and tile is computed anew."""
    one, other = chance.sample(range(SIZE), 2)
    events = [(each.sealed, each.received) for each in world.entries]
    events[one], events[other] = events[other], events[one]
    torn = first_torn([sealed for sealed, _ in events])
    return rewritten(world, relinked(events), says(world, "tampered", torn))


@kind("export", weight=2)
def entry_replayed(world: World, chance: Random) -> Deed:
    """An entry is written over another one."""
    index, other = chance.sample(range(SIZE), 2)
    return _forged(world, index, world.pristine[other], again=False)


@kind("export")
def entries_truncated(world: World, chance: Random) -> Deed:
    """A file of entries ends too early."""
    index = chance.randrange(SIZE)
    number, place, leaves = of_bundle(world, index)
    stop = sum(2 + len(each) for each in leaves[:place]) + chance.randrange(2 + len(leaves[place]))
    return changed(
        world, {bundle(number): world.files[bundle(number)][:stop]}, says(world, "incomplete", index)
    )


@kind("export", weight=2)
def tile_bit(world: World, chance: Random) -> Deed:
    """One bit of a tile of hashes is turned."""
    name = chance.choice([tile(0), tile(1), tile(2), "tile/1/000.p/2"])
    where, wrong = flipped(world.files[name], chance)
    first = where // 32 * WIDTH if name.startswith("tile/1") else int(name[7:10]) * WIDTH + where // 32
    return changed(world, {name: wrong}, says(world, "tampered", first))


@kind("export", weight=0.5, most=8)
def file_removed(world: World, chance: Chance) -> Deed:
    """A file is gone."""
    names = [bundle(0), bundle(1), bundle(2), tile(0), tile(1), tile(2), "tile/1/000.p/2", "checkpoint"]
    name = names[chance.number % len(names)]
    if name == "checkpoint":
        return changed(world, {name: None}, says(world, "unreadable", None))
    first = 0 if name.startswith("tile/1") else int(name.split("/")[2][:3]) * WIDTH
    return changed(world, {name: None}, says(world, "incomplete", first))


@kind("export", weight=0.5)
def file_swapped(world: World, chance: Random) -> Deed:
    """A file has the content of another one of its kind, or more than belongs into it."""
    name = chance.choice([bundle, tile])
    if chance.random() < 0.5:
        one, other = sorted(chance.sample(range(3), 2))
        content = world.files[name(other)]
        if len(content) < len(world.files[name(one)]) and name is tile:
            return changed(
                world, {name(one): content}, says(world, "incomplete", one * WIDTH)
            )  # too few hashes: nothing is compared with them
        return changed(world, {name(one): content}, says(world, "tampered", one * WIDTH))
    number = chance.randrange(3)
    longer = world.files[name(number)] + chance.randbytes(chance.randint(1, 40))
    return changed(world, {name(number): longer}, says(world, "tampered", min(SIZE, (number + 1) * WIDTH)))


@kind("export", weight=0.5, most=50)
def export_rolled_back(world: World, chance: Random) -> Deed:
    """An export of an earlier day is handed out as that of today, whole and properly signed."""
    oldest = world.since(world.older_time)
    fresh = world.since(world.now)
    hours = fresh + (oldest - fresh) * chance.uniform(0.05, 0.95)
    look = looks.offline(world.folder / "older", world.settings.policy_file, hours)
    return Deed([at(look, "stale", None)], what="older")
