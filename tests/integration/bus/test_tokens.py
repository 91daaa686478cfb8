"""Where tokens are required: services introduce themselves, people log in, and nobody else is answered."""

import json
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.bus.calls import Refused
from shared.contracts import SERVICES
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.store import sealer, standing
from shared.testing.calls import calling
from shared.testing.command import CommandLine
from shared.testing.issuer import ISSUER, Issuer
from shared.testing.postgres import Cluster
from shared.testing.processes import Processes, environment
from shared.testing.rabbitmq.node import wait_until

PASSWORD = "a quiet fictional day"
SOURCE = "/centre/registration"
OPENED = 2  # events: an account, an appointment


@pytest.fixture
def databases(cluster: Cluster) -> Cluster:
    cluster.clone(SERVICES)
    return cluster


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def processes(databases: Cluster, bus: str, tmp_path: Path, issuer: Issuer) -> Iterator[Processes]:
    there = environment(databases, bus, tokens="required", oidc=issuer.described(tmp_path))
    with Processes(tmp_path, there) as processes:
        processes.run("serve", "registration")
        yield processes


@pytest.fixture
def jianding(databases: Cluster, bus: str, tmp_path: Path, processes: Processes) -> CommandLine:
    """The command line, and an administrator whose account its operator has opened."""
    there = environment(databases, bus, tokens="required", var=tmp_path)
    jianding = CommandLine(there)
    words = ("--appointment", "administrator@centre", "--password-file", "-", "--json")
    opened = jianding("account", "open", "first", *words, stdin=f"{PASSWORD}\n")
    assert opened.code == 0, opened.errors + opened.output
    return jianding


def _login(jianding: CommandLine, password: str = PASSWORD) -> Any:
    return jianding("login", "first", "--password-file", "-", "--json", stdin=f"{password}\n")


def test_services_read_each_others_feeds_with_a_word_of_their_own(
    jianding: CommandLine, databases: Cluster, processes: Processes
) -> None:
    relay = processes.run("relay", "registration")
    with databases.connect("registration", "admin") as log:
        assert wait_until(lambda: sealer.head(log)[0] == OPENED, 30)
    relay.stop()  # so whatever arrives from now on was asked for
    for service in ("scheduling", "audit"):
        processes.run("serve", service)
        with databases.connect(service, "admin") as heard:

            def applied(heard: Any = heard) -> bool:
                found = standing.applied(heard).items()
                reached = [at for (_, source), at in found if source == SOURCE]
                return bool(reached) and all(at == OPENED for at in reached)

            assert wait_until(applied, 30)
    with databases.connect("audit", "admin") as audit:
        assert audit.execute("SELECT count(*) FROM entries WHERE source = %s", (SOURCE,)).fetchone() == (
            OPENED,
        )


def test_whoever_shows_no_token_is_not_answered_whoever_he_says_he_is(
    bus: str, jianding: CommandLine
) -> None:
    for actor in (Actor("audit", Role.SERVICE, "centre"), Actor(new_id(), Role.ADMINISTRATOR, "centre")):
        with calling(bus, actor) as ask, pytest.raises(Refused) as refusal:
            ask("registration", "events_after", position=0)
        assert refusal.value.problem["code"] == "TokenMissing"
    named = ("--actor", "somebody", "--role", "administrator", "--body", "centre")
    refused = jianding("send", "registration", "list_accounts", *named, "--json")
    assert (refused.code, refused.last["error"]["code"]) == (1, "TokenMissing")


def test_who_logs_in_on_the_command_line_is_answered_until_he_leaves(
    jianding: CommandLine, tmp_path: Path
) -> None:
    wrong = _login(jianding, "a wrong password")
    assert (wrong.code, wrong.last["error"]["code"]) == (1, "WrongLogin")
    login = _login(jianding)
    assert login.code == 0, login.errors
    assert (login.last["role"], login.last["body"]) == ("administrator", "centre")
    assert "access" not in login.output
    kept = tmp_path / "session"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    question = ("send", "registration", "list_accounts", "--json")
    assert jianding(*question).code == 0
    as_another = jianding(*question, "--role", "supervisor", "--token", str(kept))
    assert as_another.last["error"]["code"] == "TokenInvalid"
    _nearly_over(kept)
    several = [jianding.start(*question) for _ in range(3)]  # which renew it all at once
    assert [_code(each) for each in several] == [0, 0, 0]
    assert jianding("logout").code == 0
    assert not kept.exists()
    assert re.search(r"--actor.*--role.*--body", jianding(*question).last["error"]["en"])


def test_who_is_linked_to_an_account_comes_by_his_provider(
    bus: str, jianding: CommandLine, issuer: Issuer
) -> None:
    words = ("--appointment", "supervisor@centre", "--no-password", "--json")
    account = jianding("account", "open", "linked", *words).last["account"]
    link = {"command_id": new_id(), "account": account, "issuer": ISSUER, "subject": "somebody"}
    assert _login(jianding).code == 0
    linked = jianding("send", "registration", "link_login", "-", "--json", stdin=json.dumps(link))
    assert [event["type"] for event in linked.last["events"]] == ["LoginLinked"]
    nonce = new_id()
    with calling(bus) as ask:
        answer = ask("registration", "login_by_oidc", id_token=issuer.token("somebody", nonce), nonce=nonce)
    assert (answer["actor"], answer["role"]) == (account, "supervisor")


def _nearly_over(kept: Path) -> None:
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "until": 0}))


def _code(process: "subprocess.Popen[str]") -> int:
    process.communicate(timeout=60)
    return process.returncode
