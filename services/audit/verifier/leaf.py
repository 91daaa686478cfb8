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
_NAMES = tuple(sorted((*_TEXTS, *_NUMBERS, "refs", "data")))  # in the order in which they are spelled
_texts, _numbers = (itemgetter(*map(_NAMES.index, names)) for names in (_TEXTS, _NUMBERS))
_values = itemgetter(*_NAMES)
_type = _TEXTS.index("type")
_refs, _data = _NAMES.index("refs"), _NAMES.index("data")
_HASH = re.compile(r"[0-9a-f]{64}")
_LINK = r"\[[1-9][0-9]{0,14},(?:-1|0|[1-9][0-9]{0,14})\]"
_STAMP = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z"
)
_SAID = rf'\{{"links":(\[{_LINK}(?:,{_LINK})*\]),"received":"({_STAMP})"'
_NOTE = re.compile(rf"{_SAID}\}}".encode())
_ANY_NOTE = re.compile(rf'{_SAID}(?:,"unrecordable":"([0-9a-f]{{64}})")?\}}'.encode())
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ASTRAL = tuple(bytes([first]) for first in range(0xF0, 0xF5))  # first bytes of UTF-8 beyond the BMP
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_SCALARS = {str, int, bool, type(None)}

Link = list[int]


class Leaf(NamedTuple):
    """What the checks of chains, links and batches need to know of an entry.

    `hash` is that of the event as its source sealed it. Where the entry stands in for an event that could not
    be recorded, that is what audit's note says, and all that is known of it.
    """

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
    type: str
    data: dict[str, Any]
    unrecordable: bool = False


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
    event = canonical(lines[0], "event")
    _check_event(event)
    note = _ANY_NOTE.fullmatch(lines[1])
    if note is None:
        raise Fault("note")
    hash = note[3].decode() if note[3] else sha256(lines[0]).hexdigest()
    return Leaf(
        event["source"], event["position"], event["previoushash"], hash, event["id"],
        event["refs"], event["actor"], orjson.loads(note[1]), event["recordedtime"], note[2].decode(),
        event["type"], event["data"],
        bool(note[3]),
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
    return type(refs) is str and (not refs or all(map(is_subject, refs.split(" "))))


def is_subject(text: str) -> bool:
    """Whether this is `kind:id` of what can be printed."""
    return ":" in text and (text.isprintable() or not _CONTROL.search(text))


# -- many entries at once


class Columns(NamedTuple):
    """Many entries, each of its parts in a column."""

    sources: Sequence[str]
    positions: Sequence[int]
    previous: Sequence[str]
    hashes: Sequence[str]
    ids: Sequence[str]
    refs: Sequence[str]
    actors: Sequence[str]
    links: Sequence[list[Link]]
    recorded: Sequence[str]
    received: Sequence[str]
    types: Sequence[str]
    data: Sequence[dict[str, Any]]


def column(leaf: Leaf) -> Columns:
    """One entry as columns."""
    return Columns(
        [leaf.source], [leaf.position], [leaf.previous], [leaf.hash], [leaf.id], [leaf.refs], [leaf.actor],
        [leaf.links], [leaf.recorded], [leaf.received], [leaf.type], [leaf.data],
    )  # fmt: skip


def quick(leaves: Sequence[bytes]) -> Columns | None:
    """The same of many entries; None if `read` has to say what is wrong, or whether anything is.

    One that stands in for an event is left to `read` as well.

    What it leaves to whoever joins chains and links: that a previous hash is one, and that refs are.
    """
    parts = [leaf.partition(b"\n") for leaf in leaves]
    events, notes = [part[0] for part in parts], [_NOTE.fullmatch(part[2]) for part in parts]
    try:
        # the pattern lets nothing through that is not in its canonical spelling
        links = orjson.loads(b"[%b]" % b",".join([note[1] for note in notes]))  # type: ignore[index]
        said = list(map(orjson.loads, events))
        if not _is_spelled(said, events):
            return None
        # where there are no names but these, they are in their one order; some events say more
        plain = set(map(tuple, said)) == {_NAMES}
        columns = list(zip(*map(dict.values if plain else _values, said), strict=True))
        texts = _texts(columns)
        if not _are_attributes(texts, _numbers(columns)) or not _are_plain(columns[_data]):
            return None
        refs = columns[_refs]
        "".join(refs)
    except (ValueError, TypeError, KeyError):  # not JSON, not a text, not there
        return None
    ids, sources, previous, actors, recorded, *_ = texts
    received = [note[2].decode() for note in notes]  # type: ignore[index]
    hashes = [sha256(event).hexdigest() for event in events]
    positions = list(columns[_NAMES.index("position")])
    return Columns(
        sources, positions, previous, hashes, ids, refs, actors, links, recorded, received, texts[_type],
        columns[_data],
    )  # fmt: skip


def _is_spelled(values: list[Any], raws: list[bytes]) -> bool:
    """Whether each is an object in its canonical spelling.

    All are spelled in one go, which takes a tenth of the time. One that was spelled otherwise could not be
    made good by its neighbour, for where an object begins, its own text says where it ends.
    """
    if set(map(type, values)) != {dict}:
        return False
    everything = b"[%b]" % b",".join(raws)
    if not everything.isascii() and any(first in everything for first in _ASTRAL):
        return False  # a key of such letters has one place for JCS and another for orjson
    return orjson.dumps(values, option=_OPTIONS) == everything


def _are_attributes(texts: Sequence[Any], numbers: Sequence[Any]) -> bool:
    """Whether these columns have texts and none empty, and numbers from 1; TypeError for what is no text."""
    list(map("".join, texts))
    return (
        all(map(all, texts))
        and set(texts[_TEXTS.index("specversion")]) == {"1.0"}
        and all(set(map(type, column)) == {int} and min(column) >= 1 for column in numbers)
    )


def _are_plain(data: Sequence[Any]) -> bool:
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
