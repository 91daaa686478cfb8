"""CloudEvents 1.0 in JSON, as our log stores and our bus carries them.

An event is drafted when it is decided (everything but its place in the log) and sealed by the relay, which
adds `position` and `previoushash`. The sealed canonical bytes are the event: stored, hashed, published and
handed out by feeds without ever being spelled anew.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from shared.kernel.actors import Actor
from shared.kernel.events import Data, Event, language
from shared.wire.canonical import canonical

GENESIS = bytes(32)
CONTENT_TYPE = "application/json"  # not cloudevents+json: a plain nameko subscriber accepts only this
_ATTRIBUTES = ("id", "source", "type", "subject", "time", "data")


class Undecodable(ValueError):
    """Bytes that are not one of our sealed events."""


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
    """Canonical bytes of an event that has no place in the log yet."""
    return canonical(
        {
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
            "refs": " ".join(f"{kind}:{ref}" for kind, ref in event.refs()),
            "datacontenttype": "application/json",
            "data": event.data(),
        }
    )


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
        pairs = (ref.partition(":") for ref in self.attributes["refs"].split())
        return [(kind, ref) for kind, _, ref in pairs]

    @property
    def actor(self) -> tuple[str, str, str]:
        """(id, role, body)."""
        return self.attributes["actor"], self.attributes["role"], self.attributes["body"]

    def event(self) -> Event:
        """The event in its newest version; UnknownEvent if this program is older than the event."""
        return decode(self.attributes)


def read(raw: bytes) -> Sealed:
    """A received body as a sealed event; Undecodable if it is anything else."""
    attributes = _attributes(raw)
    position, previous = attributes.get("position"), attributes.get("previoushash")
    if type(position) is not int or position < 1 or not _is_hash(previous):
        raise Undecodable("a sealed event has a position from 1 and the hash of the event before it")
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
    except orjson.JSONDecodeError as error:
        raise Undecodable("the body is not JSON") from error
    if not isinstance(attributes, dict) or attributes.get("specversion") != "1.0":
        raise Undecodable("the body is not a CloudEvents 1.0 object")
    if any(name not in attributes for name in _ATTRIBUTES) or not isinstance(attributes["source"], str):
        raise Undecodable("an attribute of the envelope is missing")
    return attributes


def _is_hash(text: Any) -> bool:
    return isinstance(text, str) and len(text) == 64 and all(char in "0123456789abcdef" for char in text)
