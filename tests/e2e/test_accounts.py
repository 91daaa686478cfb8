"""An installation where nothing is answered without a login, from its first account on."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.kernel.ids import new_id
from shared.runtime.postgres import Postgres
from shared.runtime.settings import settings
from shared.testing.command import CommandLine

PASSWORD = "a quiet fictional day"
FROM_STDIN = ("--password-file", "-", "--json")
PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def jianding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """Over a folder that nobody has made, kept up by its first account."""
    var = tmp_path_factory.mktemp("installation") / "var"
    jianding = CommandLine.of(var=var, tokens="required")
    said = jianding(
        "account",
        "open",
        "first",
        "--appointment",
        "administrator@centre",
        *FROM_STDIN,
        stdin=f"{PASSWORD}\n",
    )
    assert said.code == 0, said.errors + said.output
    postgres = Postgres(replace(settings(), var=var, secrets=var / "secrets", database_url=""))
    postgres.start()  # for all of the tests, which would each start it
    yield jianding
    postgres.stop("immediate")


def test_the_first_administrator_logs_in_and_opens_the_next_account(jianding: CommandLine) -> None:
    assert jianding("login", "first", *FROM_STDIN, stdin=f"{PASSWORD}\n").code == 0
    message = (
        f'{{"command_id": "{new_id()}", "account": "{new_id()}", "name": "second", "password": "{PASSWORD}",'
        ' "appointments": [{"role": "supervisor", "body": "centre"}]}'
    )
    opened = jianding("send", "registration", "open_account", "-", "--json", stdin=message)
    assert [event["type"] for event in opened.last["events"]] == ["AccountOpened", "AppointmentGiven"]
    held = {row["name_shown"]: row["appointments"] for row in _accounts(jianding)}
    assert held["first"] == ["administrator@centre"]
    assert held["second"] == ["supervisor@centre"]
    assert jianding("logout").code == 0


def test_the_operator_appoints_and_closes_by_login_name(jianding: CommandLine) -> None:
    assert jianding("account", "open", "third", *FROM_STDIN, stdin=f"{PASSWORD}\n").code == 0
    assert jianding("account", "appoint", "Third", "trainer@station-10012003").code == 0
    again = jianding("account", "appoint", "third", "trainer@station-10012003", "--json")
    assert (again.code, again.last["error"]["code"]) == (1, "AlreadyAppointed")
    (third,) = [row for row in _accounts(jianding) if row["name_shown"] == "third"]
    assert (third["open"], third["appointments"]) == (True, ["trainer@station-10012003"])
    assert jianding("account", "close", third["account"]).code == 0
    assert third["account"] in [row["account"] for row in _accounts(jianding) if not row["open"]]
    gone = jianding("login", "third", *FROM_STDIN, stdin=f"{PASSWORD}\n")
    assert gone.last["error"]["code"] == "WrongLogin"


@pytest.mark.parametrize(
    ("words", "stdin", "code"),
    [
        (("open", "fourth", *FROM_STDIN), "too short\n", "InvalidInput"),
        (("open", "fourth", "--appointment", "king@centre", *FROM_STDIN), f"{PASSWORD}\n", "InvalidInput"),
        (("open", "First", *FROM_STDIN), f"{PASSWORD}\n", "NameTaken"),
        (("open", "fourth", "--json"), "", "Failed"),  # no terminal to ask at
        (("open", "fourth", "--password-file", "/nowhere", "--json"), "", "Failed"),
        (("appoint", "nobody", "trainer@centre", "--json"), "", "AccountUnknown"),
        (("close", "nobody", "--json"), "", "AccountUnknown"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(
    jianding: CommandLine, words: tuple[str, ...], stdin: str, code: str
) -> None:
    done = jianding("account", *words, stdin=stdin)
    assert (done.code, done.last["error"]["code"]) == (1, code)
    assert "fourth" not in str(_accounts(jianding))


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


def _accounts(jianding: CommandLine) -> list[dict[str, object]]:
    said = jianding("account", "list", "--json")
    assert said.code == 0, said.errors + said.output
    rows: list[dict[str, object]] = said.last["accounts"]
    return rows
