"""Golden files: one sealed example of every event, so that no change of the language goes unseen.

`make golden` writes those of new events and versions. It never changes one: what was published can be read.
"""

import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints
from zlib import crc32

from shared.contracts import SOURCES
from shared.kernel.actors import Actor, Role
from shared.kernel.events import Event, Language, language
from shared.kernel.ids import derived_id
from shared.wire.envelope import GENESIS, Origin, draft, seal

FOLDER = Path(__file__).parents[2] / "tests/contracts/golden"
_TIME = "2026-04-16T01:30:00.000000Z"
_DIGESTS = ("_digest", "_hash", "_commitment")


class GoldenFileChanged(Exception):
    """A changed golden file means a new version and an upcast."""

    def __init__(self, paths: list[Path]) -> None:
        names = ", ".join(f"{path.parent.name}/{path.name}" for path in paths)
        super().__init__(f"a changed golden file means a new version and an upcast: {names}")


def languages() -> list[Language]:
    """The languages of all services that publish events."""
    for service in SOURCES:
        import_module(f"shared.contracts.{service}")
    return [language(service) for service in SOURCES]


def path_of(service: str, name: str, version: int, folder: Path = FOLDER) -> Path:
    """Where the example of an event's version stands."""
    return folder / service / f"{name}.v{version}.json"


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


def write(languages: list[Language], folder: Path = FOLDER) -> list[Path]:
    """Writes what is missing for the current versions and returns it; then GoldenFileChanged, if need be."""
    written, changed = [], []
    for path, content in _current(languages, folder):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written.append(path)
        elif path.read_bytes() != content:
            changed.append(path)
    if changed:
        raise GoldenFileChanged(changed)
    return written


def _current(languages: list[Language], folder: Path) -> Iterator[tuple[Path, bytes]]:
    for spoken in languages:
        for name, event in spoken.events.items():
            yield path_of(spoken.service, name, event.version, folder), sealed(event)


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


def main() -> int:
    """Says what it wrote; 1 and the reason where a file differs."""
    try:
        for path in write(languages()):
            print(f"wrote {path.relative_to(FOLDER)}")
    except GoldenFileChanged as changed:
        print(changed, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
