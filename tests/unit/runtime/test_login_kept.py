"""The login that the command line keeps: for its owner alone, renewed in time, ended where it was made."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shared.bus.calls import Refused
from shared.runtime.cli import session
from shared.runtime.cli.output import Failed
from shared.security.keys import KeyFileIsOpen
from shared.security.tokens import TokenExpired


class Registration:
    """Gives tokens that are numbered, and takes each refresh token once."""

    def __init__(self, expires_in: int = 600) -> None:
        self.expires_in = expires_in
        self.given = 0
        self.ended: list[str] = []

    def login(self) -> dict[str, Any]:
        self.given += 1
        return {
            "access": f"access-{self.given}",
            "refresh": f"refresh-{self.given}",
            "expires_in": self.expires_in,
        }

    def ask(self, method: str, message: dict[str, Any]) -> Any:
        if method == "logout":
            self.ended.append(message["refresh"])
            return {}
        if message["refresh"] != f"refresh-{self.given}":
            raise Refused.of(TokenExpired("refresh"))
        return self.login()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "var" / "session"


def test_it_is_for_its_owner_alone(kept: Path) -> None:
    session.keep(kept, Registration().login())
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.chmod(0o640)
    with pytest.raises(KeyFileIsOpen):
        session.token(kept, Registration().ask)
    with pytest.raises(KeyFileIsOpen):
        session.keep(kept, Registration().login())


def test_it_is_used_as_long_as_it_is_good_and_renewed_before_it_is_not(kept: Path) -> None:
    registration = Registration(expires_in=600)
    session.keep(kept, registration.login())
    assert session.token(kept, registration.ask) == "access-1"
    registration.expires_in = 20  # seconds: about to run out
    session.keep(kept, registration.login())
    assert session.token(kept, registration.ask) == "access-3"
    assert session.token(kept, registration.ask) == "access-4"


def test_two_programs_that_renew_at_once_use_one_refresh_token_once(kept: Path) -> None:
    registration = Registration(expires_in=20)
    session.keep(kept, registration.login())
    registration.expires_in = 600
    with ThreadPoolExecutor(8) as several:
        found = list(several.map(lambda _: session.token(kept, registration.ask), range(8)))
    assert found == ["access-2"] * 8


def test_a_file_may_hold_a_token_and_nothing_else(kept: Path) -> None:
    kept.parent.mkdir()
    kept.touch(0o600)
    kept.write_text("eyJ.a.b\n")
    assert session.token(kept, Registration().ask) == "eyJ.a.b"
    session.leave(kept, Registration().ask)
    assert not kept.exists()


def test_leaving_ends_it_at_registration_and_here(kept: Path) -> None:
    registration = Registration()
    session.keep(kept, registration.login())
    session.leave(kept, registration.ask)
    assert registration.ended == ["refresh-1"]
    for use in (session.token, session.leave):
        with pytest.raises(Failed, match="jianding login"):
            use(kept, registration.ask)


@pytest.mark.parametrize("content", ["{", "{}", '{"access": "a", "refresh": "r", "until": null}'])
def test_a_broken_file_says_what_to_do(kept: Path, content: str) -> None:
    session.keep(kept, Registration().login())
    kept.write_text(content)
    with pytest.raises(Failed, match="log in again"):
        session.token(kept, Registration().ask)


def test_a_login_that_has_ended_is_refused_and_not_forgotten(kept: Path) -> None:
    registration = Registration(expires_in=0)
    session.keep(kept, registration.login())
    registration.given = 5  # somebody else went on with it
    before = kept.read_text()
    with pytest.raises(Refused) as refusal:
        session.token(kept, registration.ask)
    assert refusal.value.problem["code"] == "TokenExpired"
    assert kept.read_text() == before
