"""Golden files: one sealed example of every event, so that no change of the language goes unseen.

`make golden` writes those of new events and versions. It never changes one: what was published can be read.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from shared.kernel.events import Language
from shared.wire.examples import languages, sealed

FOLDER = Path(__file__).parents[2] / "tests/contracts/golden"


class GoldenFileChanged(Exception):
    """A changed golden file means a new version and an upcast."""

    def __init__(self, paths: list[Path]) -> None:
        names = ", ".join(f"{path.parent.name}/{path.name}" for path in paths)
        super().__init__(f"a changed golden file means a new version and an upcast: {names}")


def path_of(service: str, name: str, version: int, folder: Path = FOLDER) -> Path:
    """Where the example of an event's version stands."""
    return folder / service / f"{name}.v{version}.json"


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
