"""Events: facts in the past tense, frozen, with a wire name that outlives our modules."""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, dataclass_transform

from shared.kernel.actors import Role

Data = dict[str, Any]
_PLAIN = (str, int, bool, type(None))


def subject(kind: str = "", *, bears: Role | None = None) -> Any:
    """A field that names somebody or something an audit trail is asked for; `kind` if not the field's name.

    `bears`: from this event on, the person named holds this duty in the event's batch.
    """
    return dataclasses.field(metadata={"subject": kind or None, "bears": bears})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(subject,))
class Event:
    """Base of all events. A service's language is a subclass with `service=`; its events subclass that.

    Fields are text, whole numbers, truth values, or tuples of text or numbers: nothing whose bytes could
    differ between two encoders. Every class is a frozen keyword-only dataclass.
    """

    service: ClassVar[str] = ""
    wire_name: ClassVar[str] = ""
    version: ClassVar[int] = 0
    names: ClassVar[tuple[str, ...]] = ()
    whole: ClassVar[frozenset[str]] = frozenset()
    lists: ClassVar[tuple[str, ...]] = ()
    subjects: ClassVar[tuple[tuple[str, str], ...]] = ()
    bearers: ClassVar[tuple[tuple[str, Role], ...]] = ()

    def __init_subclass__(cls, service: str = "", version: int = 1, name: str = "") -> None:
        if service:
            cls.service = service
            _found(Language(service))
            return
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        cls.wire_name, cls.version = name or cls.__name__, version
        cls.names = tuple(field.name for field in dataclasses.fields(cls))  # type: ignore[arg-type]
        cls.whole, cls.lists = frozenset(cls.names), tuple(_lists(cls))
        cls.subjects = tuple(_subjects(cls))
        cls.bearers = tuple(_bearers(cls))
        _check_fields(cls)
        language(cls.service).add(cls)

    def data(self) -> Data:
        """The payload, field by field, as it goes on the wire."""
        return {name: getattr(self, name) for name in self.names}

    @classmethod
    def of(cls, data: Data) -> "Event":
        """The event with this payload; TypeError if it has other fields.

        Past the constructor, which sets each field of a frozen class by itself: half of the time of reading.
        """
        if data.keys() != cls.whole:
            plain = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
            return cls(**plain)  # says what is missing or unknown, or takes a default
        event = object.__new__(cls)
        event.__dict__.update(data)
        for name in cls.lists:
            if isinstance(data[name], list):
                event.__dict__[name] = tuple(data[name])
        return event

    def refs(self) -> Iterator[tuple[str, str]]:
        """(kind, id) of everybody and everything this event is about."""
        for name, kind in self.subjects:
            value = getattr(self, name)
            for ref in value if isinstance(value, tuple) else (value,):
                if ref:
                    yield kind, ref


def _subjects(cls: type[Event]) -> Iterator[tuple[str, str]]:
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        if "subject" in field.metadata:
            yield field.name, field.metadata["subject"] or field.name


def _lists(cls: type[Event]) -> Iterator[str]:
    """The fields that hold several values: lists on the wire, tuples here."""
    hints = typing.get_type_hints(cls)
    for name in cls.names:
        hint = hints[name]
        if any(typing.get_origin(part) is tuple for part in (hint, *typing.get_args(hint))):
            yield name


def _bearers(cls: type[Event]) -> Iterator[tuple[str, Role]]:
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        if field.metadata.get("bears"):
            yield field.name, field.metadata["bears"]


def _check_fields(cls: type[Event]) -> None:
    for name, hint in typing.get_type_hints(cls).items():
        if typing.get_origin(hint) is not ClassVar and not _is_plain(hint):
            raise TypeError(f"{cls.__name__}.{name}: {hint} has no single spelling in bytes")


def _is_plain(hint: Any) -> bool:
    if isinstance(hint, types.UnionType):
        return all(_is_plain(part) for part in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        items = typing.get_args(hint)
        return len(items) == 2 and items[1] is Ellipsis and items[0] in _PLAIN
    return hint in _PLAIN


Upcast = Callable[[Data], Data]


class UnknownEvent(Exception):
    """The language of this service has no such event, or not in this version."""


class UpcastMissing(LookupError):
    """No upcast leads from this version of an event to the next; register one with `Language.upcast`."""


class Language:
    """All events of one service: wire name to class, and how an old version becomes the next one."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.events: dict[str, type[Event]] = {}
        self._upcasts: dict[tuple[str, int], Upcast] = {}

    def add(self, event: type[Event]) -> None:
        if event.wire_name in self.events:
            raise TypeError(f"{self.service} already has an event {event.wire_name}")
        self.events[event.wire_name] = event

    def upcast(self, name: str, version: int) -> Callable[[Upcast], Upcast]:
        """Registers how the payload of `version` becomes that of `version + 1`."""

        def register(step: Upcast) -> Upcast:
            if (name, version) in self._upcasts:
                raise TypeError(f"{self.service} already has an upcast of {name} version {version}")
            self._upcasts[name, version] = step
            return step

        return register

    def missing_upcasts(self) -> list[tuple[str, int]]:
        """(name, version) of every old version that cannot become the next one; a test wants none."""
        steps = [(event.wire_name, old) for event in self.events.values() for old in range(1, event.version)]
        return [step for step in steps if step not in self._upcasts]

    def read(self, name: str, version: int, data: Data) -> Event:
        """The event in its newest version, UnknownEvent if this language has none; `data` stays as it is."""
        event = self.events.get(name)
        if event is None or not 1 <= version <= event.version:
            raise UnknownEvent(f"{self.service} has no {name} version {version}")
        for old in range(version, event.version):
            data = self._step(name, old)(dict(data))  # a copy: an upcast may change what it is given
        return event.of(data)

    def _step(self, name: str, old: int) -> Upcast:
        try:
            return self._upcasts[name, old]
        except KeyError:
            raise UpcastMissing(f"{self.service}: {name} from version {old} to {old + 1}") from None


_languages: dict[str, Language] = {}


def _found(new: Language) -> None:
    if new.service in _languages:
        raise TypeError(f"{new.service} already has a language")
    _languages[new.service] = new


def language(service: str) -> Language:
    """The language of a service whose contracts were imported; UnknownEvent otherwise."""
    try:
        return _languages[service]
    except KeyError:
        raise UnknownEvent(f"no contracts for {service}") from None
