"""An entry of the log: a sealed event byte for byte, and in a second line audit's note about it.

There are two ways through it that find the same: `read` says precisely what is wrong with one entry, and
`quick` takes a whole entry bundle at once or says that something is wrong with it.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import chain
from operator import gt, itemgetter
from typing import Any, NamedTuple

import orjson

from .words import Fault

LONGEST = 65_535
_TEXTS = (
    "id", "source", "previoushash", "actor", "recordedtime", "specversion", "type", "subject", "time", "role",
    "body", "correlationid", "causationid", "commandid", "datacontenttype",
)  # fmt: skip
_NUMBERS = ("position", "streamversion", "schemaversion")
_ATTRIBUTES = len(_TEXTS) + len(_NUMBERS) + 2  # and refs, and data
_texts, _numbers = itemgetter(*_TEXTS), itemgetter(*_NUMBERS)
_refs, _data, _links, _received = map(itemgetter, ("refs", "data", "links", "received"))
_HASH = re.compile(r"[0-9a-f]{64}")
_STAMP = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z"
)
_REFS = re.compile(r"(?:[^ :]*:[^ ]*(?: [^ :]*:[^ ]*)*)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ASTRAL = tuple(bytes([first]) for first in range(0xF0, 0xF5))  # first bytes of UTF-8 beyond the BMP
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_SCALARS = {str, int, bool, type(None)}

Link = list[int]


class Leaf(NamedTuple):
    """What the checks of chains and links need to know of an entry."""

    source: str
    position: int
    previous: str
    hash: str
    id: str
    refs: str
    actor: str
    links: list[Link]
    recorded: str
    received: str


def subjects(refs: str, actor: str) -> list[str]:
    """`kind:id` of each, in the order of the links."""
    return list(dict.fromkeys([*map(unescaped, refs.split(" ") if refs else ()), f"actor:{actor}"]))


def unescaped(subject: str) -> str:
    """The subject itself: within `refs`, a space is written %20 and a percent sign %25."""
    return subject.replace("%20", " ").replace("%25", "%") if "%" in subject else subject


# -- one entry, precisely


def read(leaf: bytes) -> Leaf:
    """The entry; Fault that says what is wrong with it."""
    lines = leaf.split(b"\n")
    if len(lines) != 2:
        raise Fault("leaf_lines")
    event, note = canonical(lines[0], "event"), canonical(lines[1], "note")
    _check_event(event)
    if type(note) is not dict or note.keys() != {"links", "received"} or not _is_note(note):
        raise Fault("note")
    return Leaf(
        event["source"], event["position"], event["previoushash"], sha256(lines[0]).hexdigest(), event["id"],
        event["refs"], event["actor"], note["links"], event["recordedtime"], note["received"],
    )  # fmt: skip


def canonical(raw: bytes, part: str = "text") -> Any:
    """The value of JSON that RFC 8785 would spell exactly so; Fault otherwise, and for any float."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Fault("json", part=part) from None
    _check_values(value, part)
    try:
        spelled = orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError:  # too deep, or an integer of 2^53 or more
        raise Fault("number", part=part) from None
    if spelled != raw:
        raise Fault("spelling", part=part)
    return value


def _check_values(value: Any, part: str) -> None:
    level = [value]
    while level:  # not by recursion: somebody else chose the depth
        below: list[Any] = []
        for item in level:
            if type(item) is dict:
                if any(letter > "\uffff" for key in item for letter in key):
                    raise Fault("key", part=part)
                below += item.values()
            elif type(item) is list:
                below += item
            elif type(item) not in _SCALARS:
                raise Fault("number", part=part)
        level = below


def _check_event(event: Any) -> None:
    if type(event) is not dict or event.get("specversion") != "1.0":
        raise Fault("attribute", name="specversion")
    for name in _TEXTS:
        if type(event.get(name)) is not str or not event[name]:
            raise Fault("attribute", name=name)
    for name in _NUMBERS:
        if type(event.get(name)) is not int or event[name] < 1:
            raise Fault("attribute", name=name)
    if type(event.get("data")) is not dict:
        raise Fault("attribute", name="data")
    if not _HASH.fullmatch(event["previoushash"]):
        raise Fault("attribute", name="previoushash")
    if not _is_refs(event.get("refs")):
        raise Fault("refs")


def _is_refs(refs: Any) -> bool:
    return type(refs) is str and bool(_REFS.fullmatch(refs)) and not _CONTROL.search(refs)


def _is_note(note: dict[str, Any]) -> bool:
    links, received = note["links"], note["received"]
    return (
        type(received) is str
        and bool(_STAMP.fullmatch(received))
        and type(links) is list
        and all(type(link) is list and len(link) == 2 for link in links)
        and all(type(number) is int for link in links for number in link)
    )


# -- many entries at once


def quick(leaves: Sequence[bytes]) -> list[Leaf] | None:
    """The same of many entries; None if `read` has to say what is wrong, or whether anything is."""
    everything = b"\n".join(leaves)
    lines = everything.split(b"\n")
    events, notes = lines[0::2], lines[1::2]
    if len(lines) != 2 * len(leaves) or not all(map(_has_two_lines, leaves)):
        return None
    if not everything.isascii() and any(first in everything for first in _ASTRAL):
        return None  # a key of such letters has one place for JCS and another for orjson
    try:
        said, noted = list(map(orjson.loads, events)), list(map(orjson.loads, notes))
        if not _is_spelled(said, events) or not _is_spelled(noted, notes):
            return None
        return _leaves(said, noted, events)
    except (ValueError, KeyError, TypeError):  # not JSON, no such attribute, not what is asked of it
        return None


def _has_two_lines(leaf: bytes) -> bool:
    return leaf.count(b"\n") == 1


def _is_spelled(values: list[Any], raws: list[bytes]) -> bool:
    """Whether each is an object in its canonical spelling.

    All are spelled in one go, which takes a tenth of the time. One that was spelled otherwise could not be
    made good by its neighbour, for where an object begins, its own text says where it ends.
    """
    if set(map(type, values)) != {dict}:
        return False
    return orjson.dumps(values, option=_OPTIONS) == b"[" + b",".join(raws) + b"]"


def _leaves(
    said: list[dict[str, Any]], noted: list[dict[str, Any]], events: list[bytes]
) -> list[Leaf] | None:
    texts, numbers = list(map(_texts, said)), list(map(_numbers, said))
    refs, links, received = list(map(_refs, said)), list(map(_links, noted)), list(map(_received, noted))
    if not (
        _are_attributes(said, texts, numbers)
        and set(map(len, noted)) == {2}
        and all(map(_REFS.fullmatch, refs))
        and "".join(refs).isprintable()
        and all(map(_STAMP.fullmatch, received))
        and _are_links(links)
        and _are_plain(list(map(_data, said)))
    ):
        return None
    ids, sources, previous, actors, recorded, versions, *_ = zip(*texts, strict=True)
    if set(versions) != {"1.0"} or not all(map(_HASH.fullmatch, previous)):
        return None
    hashes = [sha256(event).hexdigest() for event in events]
    positions = [number[0] for number in numbers]
    return list(map(Leaf, sources, positions, previous, hashes, ids, refs, actors, links, recorded, received))


def _are_attributes(said: list[dict[str, Any]], texts: list[Any], numbers: list[Any]) -> bool:
    list(map("".join, texts))  # TypeError for whatever is no text
    return (
        all(map(all, texts))
        and set(map(type, chain.from_iterable(numbers))) == {int}
        and min(chain.from_iterable(numbers)) >= 1
        # whatever else an event has is looked at one by one
        and set(map(len, said)) == {_ATTRIBUTES}
    )


def _are_links(links: list[Any]) -> bool:
    if set(map(type, links)) != {list}:
        return False
    pairs = list(chain.from_iterable(links))
    return (
        set(map(type, pairs)) <= {list}
        and set(map(len, pairs)) <= {2}
        and set(map(type, chain.from_iterable(pairs))) <= {int}
    )


def _are_plain(data: list[Any]) -> bool:
    """Whether these are objects, and there is no float in them."""
    if set(map(type, data)) != {dict}:
        return False
    level: list[Any] = list(chain.from_iterable(map(dict.values, data)))
    while level:
        kinds = set(map(type, level))
        if kinds <= _SCALARS:
            return True
        if not kinds <= _SCALARS | {dict, list}:
            return False
        nested = [item for item in level if type(item) is dict or type(item) is list]
        level = list(chain.from_iterable(map(_members, nested)))
    return True


def _members(item: Any) -> Iterable[Any]:
    return item.values() if type(item) is dict else item


def backwards(times: Sequence[str]) -> bool:
    """Whether any of these times is before the one before it."""
    return any(map(gt, times, times[1:]))
