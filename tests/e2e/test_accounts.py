"""An installation where nothing is answered without a login, from its first account on."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shared.kernel.ids import new_id
from shared.runtime.postgres import Postgres
from shared.runtime.settings import settings
from shared.testing.command import CommandLine, Done, InProcess

PASSWORD = "a quiet fictional day"
FROM_STDIN = ("--password-file", "-", "--json")
PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def jianding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """Over a folder that nobody had made before its first account was opened."""
    var = tmp_path_factory.mktemp("installation") / "var"
    jianding = CommandLine.of(var=var, tokens="required")
    words = ("--appointment", "administrator@centre", *FROM_STDIN)
    said = jianding("account", "open", "first", *words, stdin=f"{PASSWORD}\n")
    assert said.code == 0, said.errors + said.output
    postgres = Postgres(replace(settings(), var=var, secrets=var / "secrets", database_url=""))
    postgres.start()
    with psycopg.connect(postgres.dsn):  # or each command would start and stop it
        yield jianding
    postgres.stop("immediate")


@pytest.fixture
def account(jianding: CommandLine) -> Callable[..., Done]:
    """`jianding account …`, within this process."""
    return partial(InProcess(jianding.environment), "account")


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], tuple[str, str]]:
    """A password in a file."""

    def write(password: str) -> tuple[str, str]:
        file = tmp_path / "password"
        file.write_text(f"{password}\n", encoding="utf-8")
        return "--password-file", str(file)

    return write


def test_the_first_administrator_logs_in_and_opens_the_next_account(
    jianding: CommandLine, account: Callable[..., Done]
) -> None:
    assert jianding("login", "first", *FROM_STDIN, stdin=f"{PASSWORD}\n").code == 0
    message = (
        f'{{"command_id": "{new_id()}", "account": "{new_id()}", "name": "second", "password": "{PASSWORD}",'
        ' "appointments": [{"role": "supervisor", "body": "centre"}]}'
    )
    opened = jianding("send", "registration", "open_account", "-", "--json", stdin=message)
    assert [event["type"] for event in opened.last["events"]] == ["AccountOpened", "AppointmentGiven"]
    held = {row["name_shown"]: row["appointments"] for row in _accounts(account)}
    assert held["first"] == ["administrator@centre"]
    assert held["second"] == ["supervisor@centre"]
    assert jianding("logout").code == 0


def test_the_operator_appoints_and_closes_by_login_name(
    account: Callable[..., Done], written: Callable[[str], tuple[str, str]]
) -> None:
    assert account("open", "third", *written(PASSWORD)).code == 0
    assert account("appoint", "Third", "trainer@station-10012003").code == 0
    again = account("appoint", "third", "trainer@station-10012003", "--json")
    assert (again.code, again.last["error"]["code"]) == (1, "AlreadyAppointed")
    (third,) = [row for row in _accounts(account) if row["name_shown"] == "third"]
    assert (third["open"], third["appointments"]) == (True, ["trainer@station-10012003"])
    assert account("close", third["account"]).code == 0
    assert third["account"] in [row["account"] for row in _accounts(account) if not row["open"]]
    assert account("open", "third", *written(PASSWORD)).code == 0  # the name is free again


@pytest.mark.parametrize(
    ("words", "password", "code"),
    [
        (("open", "fourth"), "too short", "InvalidInput"),
        (("open", "fourth", "--appointment", "king@centre"), PASSWORD, "InvalidInput"),
        (("open", "First"), PASSWORD, "NameTaken"),
        (("open", "fourth"), None, "Failed"),  # no terminal to ask at
        (("open", "fourth", "--password-file", "/nowhere"), None, "Failed"),
        (("appoint", "nobody", "trainer@centre"), None, "AccountUnknown"),
        (("close", "nobody"), None, "AccountUnknown"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(
    account: Callable[..., Done],
    written: Callable[[str], tuple[str, str]],
    words: tuple[str, ...],
    password: str | None,
    code: str,
) -> None:
    done = account(*words, *(written(password) if password else ()), "--json")
    assert (done.code, done.last["error"]["code"]) == (1, code)
    assert "fourth" not in str(_accounts(account))


def test_a_password_that_is_typed_is_not_shown_and_asked_for_twice(jianding: CommandLine) -> None:
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "shared.runtime.cli", "account", "open", "typed"]
    # in a session of its own it has no other terminal
    with subprocess.Popen(
        words, env=jianding.environment, cwd=PROJECT, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        for question, answer in [(b"Password", PASSWORD), (b"Again", PASSWORD), (b"jianding login", "")]:
            while question not in shown:
                shown += os.read(ours, 1000)  # an error once it has ended
            os.write(ours, f"{answer}\n".encode() if answer else b"")
        assert process.wait(60) == 0
    os.close(ours)
    assert PASSWORD.encode() not in shown


def _accounts(account: Callable[..., Done]) -> list[dict[str, Any]]:
    said = account("list", "--json")
    assert said.code == 0, said.errors + said.output
    rows: list[dict[str, Any]] = said.last["accounts"]
    return rows
