"""A mapping that grows by folding: each version stays as it was, and none is copied for the next."""

from collections.abc import Iterator, Mapping
from threading import Lock
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")
_lengthening = Lock()  # two threads may fold from one version


class Growing(Mapping[Key, Value]):
    """Immutable for everybody who holds it; `adding` gives another one.

    Versions share one dict, in which each sees its first entries alone. Only the newest may lengthen it;
    another one, or what replaces a key or leaves one out, takes a copy.
    """

    __slots__ = ("_entries", "_length")

    def __init__(self, entries: Mapping[Key, Value] | None = None) -> None:
        self._entries: dict[Key, tuple[int, Value]] = {}
        for place, (key, value) in enumerate((entries or {}).items()):
            self._entries[key] = place, value
        self._length = len(self._entries)

    def adding(self, key: Key, value: Value) -> "Growing[Key, Value]":
        with _lengthening:
            if not self._length or key in self._entries or self._length != len(self._entries):
                return Growing({**self, key: value})  # an empty one begins many, and shares with none
            self._entries[key] = self._length, value
        longer: Growing[Key, Value] = object.__new__(Growing)
        longer._entries, longer._length = self._entries, self._length + 1
        return longer

    def without(self, key: Key) -> "Growing[Key, Value]":
        return Growing({each: value for each, value in self.items() if each != key})

    def __getitem__(self, key: Key) -> Value:
        place, value = self._entries[key]
        if place >= self._length:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[Key]:
        for key, (place, _) in tuple(self._entries.items()):
            if place < self._length:
                yield key

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"Growing({dict(self)!r})"
