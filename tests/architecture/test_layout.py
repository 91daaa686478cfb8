"""One concern, one file, one place to look."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.order import LONGEST

ROOT = Path(__file__).parents[2]
CODE = sorted([*(ROOT / "shared").rglob("*.py"), *(ROOT / "services").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LANGUAGE = [
    path
    for path in CODE
    if path.is_relative_to(ROOT / "shared/kernel")
    or path.is_relative_to(ROOT / "shared/contracts")
    or "domain" in path.relative_to(ROOT).parts
]
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "base"}
# a decision says what its command says, and an evolution what its event says
SPEAKS_FOR_ITSELF = {"decides", "evolves"}


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


each_file = pytest.mark.parametrize("path", CODE, ids=shown)


@pytest.mark.parametrize("path", [*CODE, *TESTS], ids=shown)
def test_every_module_and_folder_is_named_after_what_it_is_about(path):
    assert not NAMELESS & set(path.relative_to(ROOT).with_suffix("").parts)


@each_file
def test_no_file_is_longer_than_350_lines(path):
    assert len(path.read_text().splitlines()) <= 350


@each_file
def test_no_function_is_longer_than_40_lines(path):
    lengths = {f"{node.name}, line {node.lineno}": length(node) for node in functions(path)}
    assert {name: lines for name, lines in lengths.items() if lines > 40} == {}


@each_file
def test_every_file_begins_by_saying_what_it_is_for(path):
    text = path.read_text()
    assert not text or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", LANGUAGE, ids=shown)
def test_what_is_public_in_kernel_contracts_and_domains_has_a_docstring(path):
    assert [name for name, node in public(ast.parse(path.read_text())) if not ast.get_docstring(node)] == []


def test_the_files_that_are_begun_first_are_there():
    assert [name for name in LONGEST if not (ROOT / "tests" / name).exists()] == []


def test_what_is_guarded_names_the_files_that_show_it():
    _, _, rest = (ROOT / "ARCHITECTURE.md").read_text().partition("## What is guarded")
    table, _, _ = rest.partition("\n## ")
    rows = [line.split(" | ")[-1] for line in table.splitlines() if line.startswith("| ")][2:]
    shown_in = [re.findall(r"`(tests/[^`]+\.py)`", cell) for cell in rows]
    assert all(shown_in), "each row has at least one"
    assert [file for files in shown_in for file in files if not (ROOT / file).exists()] == []


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def public(module: ast.Module) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef]]:
    for node in module.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
            continue
        if not SPEAKS_FOR_ITSELF & set(decorators(node)):
            yield node.name, node


def decorators(node: ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    """`application.decides(...)` -> `decides`."""
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Attribute):
            yield called.attr
