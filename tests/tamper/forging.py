"""What a forger makes: other leaves, and everything that follows from them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from random import Random
from typing import Any

from tests.tamper.deeds import Chance
from tests.tamper.world import Entry
from tests.unit.verifier import making

NOBODY = "00000000-0000-5000-8000-000000000000"  # an actor who never was
_STEP = 7919  # a prime
# what a forger would like to have been otherwise
FIELDS = ("data", "time", "recordedtime", "type", "role", "body", "subject", "streamversion", "causationid")


def flipped(content: bytes, chance: Random, first: int = 0, stop: int | None = None) -> tuple[int, bytes]:
    """(where, the content with one bit turned there)."""
    place = chance.randrange(first, len(content) if stop is None else stop)
    return place, content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def turned(content: bytes, chance: Chance, *parts: tuple[int, int]) -> bytes:
    """The content with one bit turned within these parts (first, stop): another one for each number."""
    places = [place for first, stop in parts for place in range(first, stop)]
    # by steps without a common divisor, so that few of them are spread over all
    which, bit = divmod(chance.number * _STEP % (8 * len(places)), 8)
    place = places[which]
    return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]


def spelled(value: Any) -> bytes:
    """Canonical JSON."""
    return making.canonical(value)


def leaf(sealed: bytes, links: Any, received: str) -> bytes:
    return sealed + b"\n" + spelled({"links": links, "received": received})


def other_moment(text: str, chance: Random) -> str:
    """A moment of another year."""
    return f"{chance.choice([year for year in range(2020, 2030) if year != int(text[:4])])}{text[4:]}"


def other_event(entry: Entry, chance: Random) -> dict[str, Any]:
    """The same event with another word or number in one place."""
    event = dict(entry.event)
    field = chance.choice(FIELDS)
    value = event[field]
    if field == "data":
        event[field] = {**value, chance.choice(sorted(value)): f"forged {chance.randrange(10**6)}"}
    elif field in ("time", "recordedtime"):
        event[field] = other_moment(value, chance)
    elif field == "streamversion":
        event[field] = value + chance.randint(1, 9)
    elif field == "role":
        event[field] = chance.choice(
            [each for each in ("examiner", "score_reviewer", "centre_officer", "supervisor") if each != value]
        )
    else:
        event[field] = f"{value}-{chance.randrange(10**6)}"
    return event


def relinked(events: Iterable[tuple[bytes, str]]) -> list[bytes]:
    """Leaves of (sealed event, received), with the links that they ought to have."""
    leaves: list[bytes] = []
    newest: dict[str, tuple[int, int]] = {}
    for index, (sealed, received) in enumerate(events):
        entry = Entry(index, sealed, json.loads(sealed), [], received)
        links = []
        for subject in entry.subjects:
            count, before = newest.get(subject, (0, -1))
            links.append([count + 1, before])
            newest[subject] = count + 1, index
        leaves.append(leaf(sealed, links, received))
    return leaves


def unstated(entries: Sequence[Entry], changed: int, event: dict[str, Any]) -> int | None:
    """Where a log whose chain was made anew from a changed event on is denied by its own source.

    That is the statement of what its batch had; none if it tells of nothing that was changed.
    """
    seal = next(
        each for each in entries if each.source == event["source"] and each.event["type"] == "BatchSealed"
    )
    if changed < seal.index:
        return seal.index
    if changed > seal.index or event["type"] != "BatchSealed":
        return None
    numbers = ("events", "first_position", "last_position", "chain_digest", "upto")
    same = all(event["data"][name] == seal.event["data"][name] for name in numbers)
    return None if same else seal.index


def resealed(entries: Sequence[Entry], changed: int, event: dict[str, Any]) -> dict[int, bytes]:
    """The changed event, and every later one of its source with the hash of the one before."""
    found = {changed: spelled(event)}
    before = sha256(found[changed]).hexdigest()
    for entry in entries[changed + 1 :]:
        if entry.source == event["source"]:
            found[entry.index] = spelled({**entry.event, "previoushash": before})
            before = sha256(found[entry.index]).hexdigest()
    return found


def rechained(events: Iterable[tuple[dict[str, Any], str]], source: str) -> list[tuple[bytes, str]]:
    """(event, received) sealed; those of `source` have positions and hashes as if it had said no others."""
    found: list[tuple[bytes, str]] = []
    position, before = 0, "0" * 64
    for event, received in events:
        if event["source"] == source:
            position += 1
            event = {**event, "position": position, "previoushash": before}
        sealed = spelled(event)
        if event["source"] == source:
            before = sha256(sealed).hexdigest()
        found.append((sealed, received))
    return found


def tree_files(leaves: Sequence[bytes]) -> dict[str, bytes]:
    """Every tile of an export of these."""
    return dict(_tiles(leaves))


def _tiles(leaves: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    yield from making.tiles("entries", [len(each).to_bytes(2, "big") + each for each in leaves])
    level, hashes = 0, [making.leaf_hash(each) for each in leaves]
    while hashes:
        yield from making.tiles(level, hashes)
        full = len(hashes) // 256 * 256
        hashes = [making.root(hashes[at : at + 256]) for at in range(0, full, 256)]
        level += 1


def first_torn(sealed: Sequence[bytes]) -> int | None:
    """The first index at which the chains of the sources show that something is not as it was.

    A later event says what the earlier one was: so it is the earlier one, unless the later one is denied by
    the one behind it.
    """
    last: dict[str, tuple[int, int, str]] = {}
    moved, torn = [], []
    for index, raw in enumerate(sealed):
        event = json.loads(raw)
        at, position, hash = last.get(event["source"], (-1, 0, "0" * 64))
        if event["position"] != position + 1:
            moved.append(index)
        elif event["previoushash"] != hash:
            torn.append((at, index))
        last[event["source"]] = index, event["position"], sha256(raw).hexdigest()
    denied = {earlier for earlier, _ in torn}
    blamed = [later if later in denied or earlier < 0 else earlier for earlier, later in torn]
    return min([*moved, *blamed], default=None)
