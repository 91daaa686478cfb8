"""Events, logs and errors carry no personal data: identity lives in the vault (R207)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.contracts import attempts
from shared.wire import examples

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "shared").rglob("*.py"), *(ROOT / "services").rglob("*.py")])

PERSONAL = {
    "name", "surname", "phone", "mobile", "telephone", "email", "mail", "address", "photo", "picture", "face",
    "fingerprint", "identity", "id_number", "idcard", "birth", "birthday", "birthdate", "born", "age",
    "gender", "sex", "ethnicity", "nationality", "passport", "wechat",
}  # fmt: skip
# what an identity is made of, as local names and attributes: see shared.security.vault.Identity
IDENTITY = {"identity", "number", "photo", "id_number", "phone", "address", "birth", "surname"}
WHOLE = {"fields", "message", "payload", "identity"}  # what a caller sent, with everything in it
OWNERS = {"identity", "person", "candidate", "known", "fields", "message", "data"}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}

EVENTS = [event for spoken in examples.languages() for event in spoken.events.values()]
FIELDS = [(event, name) for event in EVENTS for name in event.names]


def is_personal(field: str) -> bool:
    if field.endswith("_commitment"):  # a salted hash: proves, and tells nothing
        return False
    return field in PERSONAL or any(part in PERSONAL for part in field.split("_"))


@pytest.mark.parametrize(("event", "name"), FIELDS, ids=lambda value: getattr(value, "__name__", value))
def test_no_field_of_an_event_is_personal_data(event, name):
    assert not is_personal(name)


def test_the_attempts_of_all_services_are_among_them():
    assert sum(issubclass(event, attempts.Attempt) for event in EVENTS) == len(examples.languages())


@pytest.mark.parametrize(
    "name", ["name", "family_name", "id_number", "phone", "home_address", "photo", "photo_url"]
)
def test_a_field_of_that_name_would_be_noticed(name):
    assert is_personal(name)


@pytest.mark.parametrize(
    "name", ["identity_commitment", "photo_commitment", "candidate", "number", "station"]
)
def test_references_and_commitments_may_stay(name):
    assert not is_personal(name)


# -- logs and messages


def spoken(tree: ast.AST) -> Iterator[ast.Call]:
    """Calls whose arguments end in a log, on a screen, or in an exception's message."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield node.exc
        elif isinstance(node, ast.Call) and is_log(node.func):
            yield node


def is_log(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LEVELS
        and isinstance(function.value, ast.Name)
        and function.value.id in {"log", "logger", "logging"}
    )


def leaks(call: ast.Call) -> list[str]:
    """Everything within its arguments that spells an identity, or all that a caller sent."""
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    return [ast.unparse(node) for argument in arguments for node in ast.walk(argument) if spells(node)]


def spells(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name):
            return name in IDENTITY - {"number"} | WHOLE
        case ast.Attribute(value=ast.Name(id=owner), attr="name"):
            return owner in OWNERS
        case ast.Attribute(attr=attribute):
            return attribute in IDENTITY
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key in PERSONAL | IDENTITY
    return False


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_log_line_and_no_message_spells_an_identity(path):
    found = [(call.lineno, leak) for call in spoken(ast.parse(path.read_text())) for leak in leaks(call)]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        'log.info("enrolled %s", identity.name)',
        'log.info(f"enrolled {person.name}")',
        'logging.warning("bad: %r", fields)',
        'log.error("no such number", extra={"number": fields["number"]})',
        'raise ValueError(f"{identity.number} is wrong")',
        'raise InvalidInput("number", zh=identity.number)',
        'raise ValueError("bad: " + row["phone"])',
        "raise ValueError(identity)",
    ],
)
def test_a_line_that_does_would_be_noticed(line):
    assert any(leaks(call) for call in spoken(ast.parse(line)))


@pytest.mark.parametrize(
    "line", ['log.info("%s is up", service.name)', "raise PersonExists", 'raise LookupError(f"{name}")']
)
def test_a_line_that_does_not_may_stay(line):
    assert not any(leaks(call) for call in spoken(ast.parse(line)))


def test_no_class_that_holds_an_identity_shows_it():
    text = (ROOT / "shared/security/vault.py").read_text()
    for name in ("Identity", "Locked"):
        assert re.search(rf"@dataclass\(frozen=True, repr=False\)\nclass {name}:", text)
