"""An embedded node with its door, and tokens of whoever is wanted."""

import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.security.tokens import Mint
from shared.testing.command import CommandLine
from shared.testing.http import Visitor

STATION = "station-10012003"
AT_THE_CENTRE = {
    Role.CENTRE_OFFICER, Role.CENTRE_REVIEWER, Role.SUPERVISOR, Role.ADMINISTRATOR, Role.SCORE_REVIEWER,
    Role.CERTIFICATE_PROCESSOR, Role.PAPER_CUSTODIAN,
}  # fmt: skip


def somebody(role: Role) -> str:
    """Whoever is in this role."""
    return derived_id("somebody", role)


def body_of(role: Role) -> str:
    """Where he is in it."""
    return "centre" if role in AT_THE_CENTRE else STATION


@dataclass(frozen=True)
class House:
    """A running node: where its door is, and what signs its tokens."""

    address: str
    mint: Mint
    var: Path

    def token(self, role: Role) -> str:
        return self.mint.issue(Actor(somebody(role), role, body_of(role)))


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """On data of its own, without a limit of requests."""
    var: Path = tmp_path_factory.mktemp("house")
    up = CommandLine.of(var=var, http="127.0.0.1:0", rate=0, late_days=800).start("up")
    assert up.stdout is not None
    address = ""
    for line in up.stdout:
        if found := re.search(r"API (http://\S+)/api/v1", line):
            address = found[1]
            break
    assert address, up.communicate()[1]
    try:
        yield House(address, Mint.load(var / "secrets/tokens", "/centre/registration"), var)
    finally:
        up.send_signal(signal.SIGINT)
        _, errors = up.communicate(timeout=60)
    assert up.returncode == 0
    assert "Traceback" not in errors


@pytest.fixture
def visitor(house: House) -> Iterator[Visitor]:
    visitor = Visitor(house.address)
    yield visitor
    visitor.close()


@pytest.fixture
def token(house: House) -> Callable[[Role], str]:
    """A token for somebody in this role."""
    return house.token
