"""A leaf of the log: a sealed event byte for byte, and in a second line audit's note about it.

`FORMATS.md` says the same to others.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Protocol

LONGEST = 65_535  # bytes: entries are exported with a length of two bytes
_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
_STAMP = re.compile(_MOMENT)
_PAIR = r"\[[1-9][0-9]{0,14},(?:-1|0|[1-9][0-9]{0,14})\]"
_INSTEAD = r',"unrecordable":"([0-9a-f]{64})"'
_NOTE = re.compile(
    rf'{{"links":\[((?:{_PAIR}(?:,{_PAIR})*)?)\],"received":"({_MOMENT})"(?:{_INSTEAD})?}}'.encode()
)
_LINK = re.compile(rb"\[([0-9]+),(-?[0-9]+)\]")

Link = tuple[int, int]
"""How many entries a subject has with this one, and the index of the one before (-1: none)."""


class TooLong(ValueError):
    """An event has more bytes than a leaf can hold."""


class NoLeaf(ValueError):
    """These bytes are no leaf of ours."""


class About(Protocol):
    """The part of a sealed event that says whom it is about."""

    @property
    def refs(self) -> list[tuple[str, str]]: ...

    @property
    def actor(self) -> tuple[str, str, str]: ...


def subjects_of(event: About) -> list[tuple[str, str]]:
    """(kind, id) of whatever a trail may be asked for, in the order of the links: its refs, and who acted."""
    return list(dict.fromkeys([*event.refs, ("actor", event.actor[0])]))


def encode(sealed: bytes, links: Iterable[Link], received: str, unrecordable: str = "") -> bytes:
    """The leaf of a sealed event; TooLong if it does not fit, ValueError if `received` is no stamp.

    `unrecordable`: this one stands in for an event that cannot be recorded, whose sha256 it is in hex.
    """
    if not _is_stamp(received):
        raise ValueError("received: has to be a time in UTC with microseconds")
    pairs = ",".join([f"[{number},{previous}]" for number, previous in links])
    instead = f',"unrecordable":"{unrecordable}"' if unrecordable else ""
    leaf = b"%b\n%b" % (sealed, f'{{"links":[{pairs}],"received":"{received}"{instead}}}'.encode())
    if len(leaf) > LONGEST:
        raise TooLong(f"a leaf has at most {LONGEST} bytes")
    return leaf


@lru_cache(64)  # that of a batch is the same for all
def _is_stamp(text: str) -> bool:
    return _STAMP.fullmatch(text) is not None


def decode(leaf: bytes) -> tuple[bytes, list[Link], str]:
    """(sealed, links, received); NoLeaf for whatever `encode` would not have written."""
    return parts(leaf)[:3]


def parts(leaf: bytes) -> tuple[bytes, list[Link], str, str]:
    """The same, and the hash of the event that this leaf stands in for; empty where it is the event's own."""
    sealed, _, note = leaf.partition(b"\n")
    found = _NOTE.fullmatch(note)
    if found is None or len(leaf) > LONGEST:
        raise NoLeaf("the bytes are not an event and audit's note")
    links = [(int(number), int(previous)) for number, previous in _LINK.findall(found[1])]
    return sealed, links, found[2].decode(), (found[3] or b"").decode()


def hash_of(leaf: bytes) -> bytes:
    """The hash of the event at this place of its source's chain; NoLeaf if it is none.

    Of an entry that stands in for an event, it is that of the event as its source sealed it.
    """
    sealed, _, _, instead = parts(leaf)
    return bytes.fromhex(instead) if instead else sha256(sealed).digest()
