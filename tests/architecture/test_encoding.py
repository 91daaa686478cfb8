"""Text in files is UTF-8, whatever the locale of the machine says."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = sorted([*(ROOT / "shared").rglob("*.py"), *(ROOT / "services").rglob("*.py")])
TEXT = {"read_text", "write_text"}
OPENERS = {"open", "fdopen"}


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_whoever_reads_or_writes_text_says_its_encoding(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert [f"line {call.lineno}" for call in calls if _text(call) and not _says(call)] == []


def _text(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in TEXT:
        return True
    modes = [
        each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]
    return name in OPENERS and any(set(mode) <= set("rwax+") for mode in modes)


def _says(call: ast.Call) -> bool:
    return any(keyword.arg == "encoding" for keyword in call.keywords)
