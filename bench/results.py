"""The results of a day: `bench/results/<date>.json`, with the time at which each group was measured.

A run at full size of some groups replaces theirs and leaves the others of the day as they are.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def keep(found: dict[str, Any], day: str, folder: Path = FOLDER) -> Path:
    """Keeps what a run has found; where."""
    path = folder / f"{day}.json"
    path.parent.mkdir(exist_ok=True)
    before = json.loads(path.read_text()) if path.exists() else {"figures": {}, "measured": {}}
    path.write_text(json.dumps(joined(before, found), indent=1, ensure_ascii=False) + "\n")
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
