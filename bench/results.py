"""The results of a day: `bench/results/<date>.json`, with the time at which each group was measured.

A run at full size of some groups replaces theirs. The others stay as they are; a new day begins with what the
newest file before it holds; what is of another machine or other versions is not kept beside it.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def keep(found: dict[str, Any], day: str, folder: Path = FOLDER) -> Path:
    """Keeps what a run has found; where."""
    path = folder / f"{day}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(joined(_before(found, path), found), indent=1, ensure_ascii=False) + "\n")
    return path


def joined(before: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Everything of `found`, and of `before` the groups that were not measured again."""
    others = {
        name: figure for name, figure in before["figures"].items() if figure["group"] not in found["measured"]
    }
    return {
        **found,
        "figures": {**others, **found["figures"]},
        "measured": {**before["measured"], **found["measured"]},
    }


def _before(found: dict[str, Any], path: Path) -> dict[str, Any]:
    """What the day has so far, or what it begins with."""
    earlier = sorted(each for each in path.parent.glob("*.json") if each.name <= path.name)
    if earlier and all(_read(earlier[-1])[key] == found[key] for key in ("machine", "versions")):
        return _read(earlier[-1])
    return {"figures": {}, "measured": {}}


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text())
    return read
