"""One example of every event, whose values follow from the names and types of its fields alone."""

from hashlib import sha256
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints
from zlib import crc32

from shared.contracts import SOURCES
from shared.kernel.actors import Actor, Role
from shared.kernel.events import Event, Language, language
from shared.kernel.ids import derived_id
from shared.wire.envelope import GENESIS, Origin, draft, seal

_TIME = "2026-04-16T01:30:00.000000Z"
_DIGESTS = ("_digest", "_hash", "_commitment")


def languages() -> list[Language]:
    """The languages of all services that publish events."""
    for service in SOURCES:
        import_module(f"shared.contracts.{service}")
    return [language(service) for service in SOURCES]


def example(event: type[Event]) -> Event:
    """An event whose values follow from the names and types of its fields alone."""
    hints = get_type_hints(event)
    subjects = dict(event.subjects)
    return event(**{name: _value(name, hints[name], name in subjects) for name in event.names})


def sealed(event: type[Event]) -> bytes:
    """The example as the first event of a log."""
    origin = Origin(
        source=f"/centre/{event.service}",
        actor=Actor(derived_id("actor"), Role.EXAM_AFFAIRS, "centre"),
        occurred_at=_TIME,
        recorded_at=_TIME,
        correlation_id=derived_id("correlation"),
        causation_id=derived_id("causation"),
        command_id=derived_id("command"),
    )
    stream = f"example-{derived_id('stream')}"
    return seal(draft(example(event), derived_id("event"), stream, 1, origin), 1, GENESIS)


def _value(name: str, hint: Any, subject: bool) -> Any:
    if isinstance(hint, UnionType):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        return tuple(_value(f"{name} {place}", item, subject) for place in (1, 2))
    if hint is int:
        return 1 + crc32(name.encode()) % 99
    return True if hint is bool else _text(name, subject)


def _text(name: str, subject: bool) -> str:
    if name.endswith("_at"):
        return _TIME
    if name.endswith(_DIGESTS):
        return sha256(name.encode()).hexdigest()
    return derived_id(name) if subject else f"{name} 例"
