"""Mutations of a trail bundle, which proves itself to whoever holds it."""

import json
from base64 import b64decode, b64encode
from random import Random
from typing import Any

from tests.tamper import looks
from tests.tamper.deeds import Deed, Expected, at, kind
from tests.tamper.forging import flipped
from tests.tamper.world import SIZE, World


def bundle(world: World, chance: Random) -> dict[str, Any]:
    """A trail that can be changed; seldom the long one."""
    short, long = world.trails[:-1], world.trails[-1]
    return json.loads(json.dumps(long if chance.random() < 0.04 else chance.choice(short)))  # type: ignore[no-any-return]


def handed(world: World, said: Any, *expected: Expected) -> Deed:
    """The bundle as a file."""
    content = said if isinstance(said, bytes) else json.dumps(said, ensure_ascii=False).encode()
    world.trail_file.write_bytes(content)
    return Deed(list(expected), what=content)


def says(world: World, verdict: str, index: int | None) -> Expected:
    return at(looks.handed(world), verdict, index)


def place(said: dict[str, Any], chance: Random) -> int:
    return chance.randrange(len(said["entries"]))


@kind("trail", weight=3, most=600)
def trail_entry_omitted(world: World, chance: Random) -> Deed:
    """An entry is left out of a trail: the oldest, the newest, or one between."""
    said = bundle(world, chance)
    omitted = said["entries"].pop(place(said, chance))
    return handed(world, said, says(world, "incomplete", omitted["index"]))


@kind("trail", weight=3)
def trail_entry_bit(world: World, chance: Random) -> Deed:
    """One bit of an entry of a trail is turned."""
    said = bundle(world, chance)
    entry = said["entries"][place(said, chance)]
    _, wrong = flipped(b64decode(entry["leaf"]), chance)
    entry["leaf"] = b64encode(wrong).decode()
    return handed(world, said, says(world, "tampered", entry["index"]))


@kind("trail", weight=3)
def trail_proof_bit(world: World, chance: Random) -> Deed:
    """One bit of an entry's proof is turned, or a hash of it is missing."""
    said = bundle(world, chance)
    entry = said["entries"][place(said, chance)]
    which = chance.randrange(len(entry["proof"]))
    if chance.random() < 0.2:
        del entry["proof"][which]
    else:
        _, wrong = flipped(b64decode(entry["proof"][which]), chance)
        entry["proof"][which] = b64encode(wrong).decode()
    return handed(world, said, says(world, "tampered", entry["index"]))


@kind("trail", weight=2)
def trail_entry_moved(world: World, chance: Random) -> Deed:
    """An entry is said to stand at another index, where the order stays as it was."""
    said = bundle(world, chance)
    which = place(said, chance)
    entries = said["entries"]
    first = entries[which - 1]["index"] + 1 if which else 0
    stop = entries[which + 1]["index"] if which + 1 < len(entries) else len(world.entries) + 50
    others = [index for index in range(first, stop) if index != entries[which]["index"]]
    if not others:
        return None  # type: ignore[return-value]
    entries[which]["index"] = chance.choice(others)
    return handed(world, said, says(world, "tampered", entries[which]["index"]))


@kind("trail")
def trail_order_changed(world: World, chance: Random) -> Deed:
    """Entries stand in another order, or one of them twice."""
    said = bundle(world, chance)
    entries = said["entries"]
    one, other = chance.sample(range(len(entries)), 2)
    if chance.random() < 0.5:
        entries[one], entries[other] = entries[other], entries[one]
    else:
        entries.insert(one, entries[other])
    return handed(world, said, says(world, "unreadable", None))


@kind("trail", weight=2)
def trail_entries_exchanged(world: World, chance: Random) -> Deed:
    """Two entries exchange their contents, or their contents and proofs."""
    said = bundle(world, chance)
    entries = said["entries"]
    one, other = sorted(chance.sample(range(len(entries)), 2))
    for part in ("leaf", "proof") if chance.random() < 0.5 else ("leaf",):
        entries[one][part], entries[other][part] = entries[other][part], entries[one][part]
    return handed(world, said, says(world, "tampered", entries[one]["index"]))


@kind("trail", weight=2)
def trail_of_a_stranger(world: World, chance: Random) -> Deed | None:
    """An entry of somebody else, truly in the log, is put into a trail."""
    said, other = bundle(world, chance), chance.choice(world.trails[:-1])
    known = {entry["index"] for entry in said["entries"]}
    strange = [entry for entry in other["entries"] if entry["index"] not in known]
    subjects = {head.split("\n")[1] for head in said["heads"]}
    added = chance.choice(strange) if strange else None
    if added is None or subjects & set(world.entries[added["index"]].subjects):
        return None
    said["entries"] = sorted([*said["entries"], added], key=lambda entry: int(entry["index"]))
    return handed(world, said, says(world, "incomplete", added["index"]))


@kind("trail", weight=2)
def subject_head_changed(world: World, chance: Random) -> Deed:
    """A subject's head says fewer or more entries, another newest, another size or another subject."""
    said = bundle(world, chance)
    which = chance.randrange(len(said["heads"]))
    lines = said["heads"][which].split("\n")
    number, newest = map(int, lines[3].split(" "))
    change = chance.randrange(4)
    if change == 0:
        lines[3] = f"{chance.choice([each for each in range(1, newest + 2) if each != number])} {newest}"
    elif change == 1:
        lines[3] = f"{number} {chance.choice([each for each in range(number - 1, SIZE) if each != newest])}"
    elif change == 2:
        lines[2] = str(int(lines[2]) + chance.randint(1, 999))
    else:
        lines[1] = f"{lines[1]}{chance.randrange(10)}"
    said["heads"][which] = "\n".join(lines)
    return handed(world, said, says(world, "tampered", None))


@kind("trail", weight=2)
def subject_head_bit(world: World, chance: Random) -> Deed:
    """One bit of a subject head is turned, in its text or in its signature."""
    said = bundle(world, chance)
    which = chance.randrange(len(said["heads"]))
    _, wrong = flipped(said["heads"][which].encode(), chance)
    said["heads"][which] = wrong.decode(errors="replace")
    return handed(world, said, Expected(looks.handed(world), ("tampered", "unreadable"), None, None))


@kind("trail", most=60)
def subject_head_omitted(world: World, chance: Random) -> Deed:
    """The head of a subject is left out: of its entries, nothing says that they are all."""
    said = bundle(world, chance)
    which = chance.randrange(len(said["heads"]))
    del said["heads"][which]
    left = {head.split("\n")[1] for head in said["heads"]}
    stray = [
        entry["index"] for entry in said["entries"] if not left & set(world.entries[entry["index"]].subjects)
    ]
    return handed(world, said, says(world, "incomplete", min(stray, default=None)))


@kind("trail", most=10)
def subject_head_cut_with_its_entries(world: World, chance: Random) -> Deed:
    """A subject's head and every entry that only it speaks of are cut out: what is left is whole in itself.

    Or it is even said to be about nothing else, to somebody who was promised more.
    """
    said = json.loads(json.dumps(world.trails[-1])) if chance.random() < 0.1 else bundle(world, chance)
    promised, cut = said["about"], chance.randrange(len(said["heads"]))
    del said["heads"][cut]
    left = [head.split("\n")[1] for head in said["heads"]]
    said["entries"] = [
        entry for entry in said["entries"] if set(left) & set(world.entries[entry["index"]].subjects)
    ]
    look = looks.handed(world)
    if left and chance.random() < 0.5:
        said["about"] = left[0]
        look = looks.offline(world.trail_file, world.settings.policy_file, about=promised)
    return handed(world, said, at(look, "incomplete", None))


@kind("trail", most=60)
def subject_head_replayed(world: World, chance: Random) -> Deed:
    """An older head is put into a newer trail, so that the trail may end earlier."""
    which = chance.randrange(len(world.trails) - 1)
    said, older = json.loads(json.dumps(world.trails[which])), world.older_trails[which]
    said["heads"] = older["heads"]
    if chance.random() < 0.5:
        said["entries"] = [entry for entry in said["entries"] if entry["index"] < 360]
    return handed(world, said, says(world, "tampered", None))


@kind("trail", most=60)
def trail_checkpoint_replayed(world: World, chance: Random) -> Deed:
    """A trail is shown under the checkpoint of an earlier day."""
    said = bundle(world, chance)
    said["checkpoint"] = str(world.older_note)
    first = said["entries"][0]["index"]
    return handed(world, said, says(world, "tampered", first))


@kind("trail", weight=0.5, most=60)
def trail_rolled_back(world: World, chance: Random) -> Deed:
    """A trail of an earlier day is handed out as that of today, whole and properly signed."""
    oldest, fresh = world.since(world.older_time), world.since(world.now)
    hours = fresh + (oldest - fresh) * chance.uniform(0.05, 0.95)
    look = looks.offline(world.trail_file, world.settings.policy_file, hours)
    return handed(world, chance.choice(world.older_trails), at(look, "stale", None))
