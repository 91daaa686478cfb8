"""CloudEvents 1.0 in JSON, as our log stores and our bus carries them.

An event is drafted when it is decided (everything but its place in the log) and sealed by the relay, which
adds `position` and `previoushash`. The sealed canonical bytes are the event: stored, hashed, published and
handed out by feeds without ever being spelled anew.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import Any

import orjson

from shared.kernel.actors import Actor, Role
from shared.kernel.events import Data, Event, language
from shared.wire.canonical import NotCanonical, canonical

GENESIS = bytes(32)
CONTENT_TYPE = "application/json"  # not cloudevents+json: a plain nameko subscriber accepts only this
TEXTS = (
    "id", "source", "type", "subject", "time", "recordedtime", "actor", "role", "body", "correlationid",
    "causationid", "commandid", "datacontenttype",
)  # fmt: skip
_texts_of = itemgetter(*TEXTS)
ROLES = frozenset(role.value for role in Role)  # of plain text, whose hash is known
_SOURCE = re.compile(r"(/[^/\s]+){2,}")
_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_HASH = re.compile(r"[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # as PostgreSQL spells a uuid
_ID = re.compile(ID)
_LONGEST = 65_535  # bytes of an entry of the audit log, which holds the event
_BESIDE = 1_400  # of them for audit's note, or for the entry that says that this event could not be one
_LINK = 34  # and for each subject
_PLACE = 130  # what sealing adds
_SUBJECT = 1_000  # bytes that an index holds of two at once


class Undecodable(ValueError):
    """This is not one of our events; the message names what is wrong with it."""


@dataclass(frozen=True)
class Origin:
    """Where an event comes from and why: the part of the envelope that is the same for one command."""

    source: str
    actor: Actor
    occurred_at: str
    recorded_at: str
    correlation_id: str
    causation_id: str
    command_id: str


def draft(event: Event, event_id: str, stream: str, version: int, origin: Origin) -> bytes:
    """Canonical bytes of an event that has no place in the log yet.

    Undecodable or NotCanonical if nobody could read it: better refused here than published and stuck.
    """
    attributes = {
        "specversion": "1.0",
        "id": event_id,
        "source": origin.source,
        "type": event.wire_name,
        "schemaversion": event.version,
        "subject": stream,
        "streamversion": version,
        "time": origin.occurred_at,
        "recordedtime": origin.recorded_at,
        "actor": origin.actor.id,
        "role": origin.actor.role.value,
        "body": origin.actor.body,
        "correlationid": origin.correlation_id,
        "causationid": origin.causation_id,
        "commandid": origin.command_id,
        "refs": " ".join(_spelled(kind, ref) for kind, ref in event.refs()),
        "datacontenttype": CONTENT_TYPE,
        "data": event.data(),
    }
    if origin.actor.device:
        attributes["device"] = origin.actor.device
    _check(attributes)
    drafted = canonical(attributes)
    _check_size(len(drafted) + _PLACE, attributes)
    return drafted


def seal(drafted: bytes, position: int, previous: bytes) -> bytes:
    """The event with its place in the log; `sha256` of what comes back is its hash."""
    event = orjson.loads(drafted)
    event["position"] = position
    event["previoushash"] = previous.hex()
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def digest(sealed: bytes) -> bytes:
    """The hash of a sealed event, which the next one contains."""
    return sha256(sealed).digest()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed event as received: its exact bytes and what they say."""

    raw: bytes
    hash: bytes
    attributes: Data

    @property
    def id(self) -> str:
        return str(self.attributes["id"])

    @property
    def source(self) -> str:
        return str(self.attributes["source"])

    @property
    def service(self) -> str:
        """The last part of the source: whose language this is."""
        return self.source.rpartition("/")[2]

    @property
    def type(self) -> str:
        return str(self.attributes["type"])

    @property
    def position(self) -> int:
        return int(self.attributes["position"])

    @property
    def previous(self) -> bytes:
        return bytes.fromhex(self.attributes["previoushash"])

    @property
    def stream(self) -> str:
        return str(self.attributes["subject"])

    @property
    def refs(self) -> list[tuple[str, str]]:
        """(kind, id) of its subjects."""
        text = self.attributes["refs"]
        if "%" in text:
            return [spoken(ref) for ref in text.split(" ")]
        return [ref.partition(":")[::2] for ref in text.split(" ")] if text else []

    def named(self, kind: str) -> set[str]:
        """The ids of its subjects of one kind."""
        return {ref for each, ref in self.refs if each == kind}

    @property
    def actor(self) -> tuple[str, str, str]:
        """(id, role, body)."""
        return self.attributes["actor"], self.attributes["role"], self.attributes["body"]

    def event(self) -> Event:
        """The event in its newest version; UnknownEvent if this program is older than the event.

        A payload that its class cannot hold is a TypeError.
        """
        return decode(self.attributes)


def read(raw: bytes) -> Sealed:
    """A received body as a sealed event; Undecodable if it is anything else.

    Only the canonical spelling is one: a second key of the same name, a float or a space more is refused.
    """
    attributes = _attributes(raw)
    _check(attributes)
    _check_size(len(raw), attributes)
    position, previous = attributes.get("position"), attributes.get("previoushash")
    if type(position) is not int or position < 1:
        raise Undecodable("position: a sealed event has one, from 1")
    if type(previous) is not str or not _HASH.fullmatch(previous):
        raise Undecodable("previoushash: a sealed event has the hash of the event before it")
    return Sealed(raw, digest(raw), attributes)


def decode(attributes: Data) -> Event:
    """The event within drafted or sealed attributes, in its newest version."""
    service = attributes["source"].rpartition("/")[2]
    return language(service).read(attributes["type"], attributes["schemaversion"], attributes["data"])


def drafted_event(raw: bytes) -> Event:
    """The event within drafted bytes, as a stream is loaded."""
    return decode(orjson.loads(raw))


def _attributes(raw: bytes) -> dict[str, Any]:
    try:
        attributes = orjson.loads(raw)
        spelled = canonical(attributes)
    except orjson.JSONDecodeError:
        raise Undecodable("the body is not JSON") from None
    except NotCanonical as error:
        raise Undecodable(str(error)) from None
    if spelled != raw:
        raise Undecodable("the body is not in its canonical spelling")
    if not isinstance(attributes, dict) or attributes.get("specversion") != "1.0":
        raise Undecodable("the body is not a CloudEvents 1.0 object")
    return attributes


def _check(attributes: Data) -> None:
    """What drafted and sealed events have in common."""
    if not _are_texts(attributes):
        _name_what_is_no_text(attributes)
    for name in ("schemaversion", "streamversion"):
        value = attributes.get(name)
        if type(value) is not int or value < 1:
            raise Undecodable(f"{name}: has to be a number from 1")
    for name in ("time", "recordedtime"):
        if not is_stamp(attributes[name]):
            raise Undecodable(f"{name}: has to be a time in UTC with microseconds")
    if not is_source(attributes["source"]):
        raise Undecodable("source: has to be a body and a service, as in /centre/registration")
    if not is_device(attributes.get("device", "none")):
        raise Undecodable("device: has to be an opaque id, where there is one")
    if attributes["role"] not in ROLES:
        raise Undecodable("role: is unknown here")
    if attributes["datacontenttype"] != CONTENT_TYPE or type(attributes.get("data")) is not dict:
        raise Undecodable(f"data: has to be an object of {CONTENT_TYPE}")
    if not is_id(attributes["id"]):
        raise Undecodable("id: has to be a UUID in lower case")
    if not _is_refs(attributes.get("refs")):
        raise Undecodable("refs: has to be kind:id, separated by single spaces")
    if not are_kinds(attributes["refs"]):
        raise Undecodable("refs: a kind has no percent sign")


def _check_size(length: int, attributes: Data) -> None:
    if not is_recordable(length, attributes["refs"], attributes["actor"]):
        raise Undecodable("the event, or one of its subjects, is too long for an entry of the audit log")


def is_recordable(length: int, refs: str, actor: str) -> bool:
    """Whether audit has room for an event of so many bytes, and an index for each of its subjects."""
    if is_short(length, len(refs), len(actor)):
        return True
    subjects = [*refs.split(" "), f"actor:{actor}"]
    fits = length + _BESIDE + _LINK * len(subjects) <= _LONGEST
    return fits and max(len(each.encode()) for each in subjects) <= _SUBJECT


def _are_texts(attributes: Data) -> bool:
    """Whether all texts are texts at a glance, which nearly always they are."""
    try:
        texts = _texts_of(attributes)
        return all(texts) and "".join(texts).isprintable()
    except (KeyError, TypeError):
        return False


def _name_what_is_no_text(attributes: Data) -> None:
    for name in TEXTS:
        value = attributes.get(name)
        if type(value) is not str or not value:
            raise Undecodable(f"{name}: has to be text")
        if not value.isprintable() and _CONTROL.search(value):
            raise Undecodable(f"{name}: has to be text that can be printed")


def is_short(length: int, refs: int, actor: int) -> bool:
    """Whether so many bytes, and letters of refs and actor, have room whatever they are; nearly all have."""
    return length <= _LONGEST // 2 and refs <= _SUBJECT // 4 and actor <= _SUBJECT // 5


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def are_kinds(refs: str) -> bool:
    """Whether no kind of these subjects could be taken for another one once percent signs are put back."""
    return "%" not in refs or not any("%" in ref.partition(":")[0] for ref in refs.split(" "))


@lru_cache(256)  # there are few
def is_source(text: str) -> bool:
    return _SOURCE.fullmatch(text) is not None


def is_device(text: Any) -> bool:
    return type(text) is str and 0 < len(text) <= 64 and text.isprintable()


def is_stamp(text: str) -> bool:
    try:
        return bool(_STAMP.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:  # the 31st of February
        return False


def _is_refs(text: Any) -> bool:
    if type(text) is not str or (not text.isprintable() and _CONTROL.search(text)):
        return False
    return not text or not [ref for ref in text.split(" ") if ":" not in ref]


def _spelled(kind: str, ref: str) -> str:
    # a space separates, so one within an id (a room has a name) is written as in a URL
    return f"{kind}:{ref.replace('%', '%25').replace(' ', '%20')}"


def spoken(text: str) -> tuple[str, str]:
    kind, _, ref = text.partition(":")
    return kind, ref.replace("%20", " ").replace("%25", "%")
