"""Passwords: argon2id at a cost that is the same for nobody's."""

import re

import pytest
from argon2 import PasswordHasher

from shared.security.passwords import Passwords

PASSWORD = "a quiet fictional day"


def test_a_password_is_kept_as_argon2id_with_64_mib_and_three_passes() -> None:
    hashed = Passwords().hash(PASSWORD)
    assert re.fullmatch(r"\$argon2id\$v=19\$m=65536,t=3,p=4\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}", hashed)
    assert Passwords().holds(hashed, PASSWORD)
    assert not Passwords().holds(hashed, PASSWORD + "s")


def test_nobodys_password_is_looked_at_with_the_same_cost_and_never_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []
    verify = PasswordHasher.verify

    def noting(self: PasswordHasher, hashed: str, password: str) -> bool:
        looked.append(hashed)
        return verify(self, hashed, password)

    monkeypatch.setattr(PasswordHasher, "verify", noting)
    passwords = Passwords()
    assert not passwords.holds(None, PASSWORD)
    assert not passwords.holds(None, "")
    assert passwords.holds(passwords.hash(PASSWORD), PASSWORD)
    assert len({hashed.rsplit("$", 2)[0] for hashed in looked}) == 1
    assert len({len(hashed) for hashed in looked}) == 1


def test_what_is_no_hash_is_no_password() -> None:
    assert not Passwords().holds("plain", "plain")


def test_a_hash_of_a_lower_cost_is_outdated() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    assert Passwords().outdated(weak)
    assert Passwords().holds(weak, PASSWORD)
    assert not Passwords().outdated(Passwords().hash(PASSWORD))


def test_the_work_may_be_done_elsewhere() -> None:
    done: list[str] = []

    def elsewhere(work, *words):
        done.append(work.__name__)
        return work(*words)

    passwords = Passwords(elsewhere)
    assert passwords.holds(passwords.hash(PASSWORD), PASSWORD)
    assert done == ["hash", "_verify"]
