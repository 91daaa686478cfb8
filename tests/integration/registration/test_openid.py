"""Logging in by OpenID Connect: an ID token of the provider opens the account that it is linked to, once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.bus.calls import Refused
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.runtime.doors import Visit
from shared.security.openid import IdTokens, Provider
from shared.testing.issuer import ISSUER, Issuer
from tests.integration.registration.counter import ADMINISTRATOR, EXAMINER, Counter

SUBJECT = "unmistakable-subject"


@pytest.fixture
def issuer(counter: Counter, tmp_path: Path) -> Iterator[Issuer]:
    """Its log-in is linked to the examiner's account, which has no password."""
    with Issuer() as issuer:
        tokens = IdTokens(Provider.read(issuer.described(tmp_path)))
        counter.sessions._provider = lambda: tokens
        counter.open(EXAMINER, "examiner@centre", "trainer@station-10012003", password=None)
        yield issuer


def _link(counter: Counter) -> None:
    counter.accounts.link(counter.accepted(ADMINISTRATOR, account=EXAMINER, issuer=ISSUER, subject=SUBJECT))


def _login(counter: Counter, token: str, nonce: str, appointment: str = "") -> Any:
    said = {"id_token": token, "nonce": nonce, "appointment": appointment}
    return counter.sessions.login_by_oidc(Visit(said, ""))


def _refused(code: str, work: Any) -> None:
    with pytest.raises(Refused) as refusal:
        work()
    assert refusal.value.problem["code"] == code
    assert SUBJECT not in str(refusal.value)


def test_a_linked_log_in_opens_its_account_in_any_of_its_appointments(
    counter: Counter, issuer: Issuer
) -> None:
    _link(counter)
    nonce = new_id()
    answer = _login(counter, issuer.token(SUBJECT, nonce), nonce)
    assert counter.keyring.read(answer["access"]) == Actor(EXAMINER, Role.EXAMINER, "centre")
    nonce = new_id()
    other = _login(counter, issuer.token(SUBJECT, nonce), nonce, "trainer@station-10012003")
    assert counter.refresh(other["refresh"])["role"] == "trainer"


def test_a_log_in_that_is_not_linked_or_was_opens_nothing(counter: Counter, issuer: Issuer) -> None:
    def come(subject: str = SUBJECT) -> Any:
        nonce = new_id()
        return _login(counter, issuer.token(subject, nonce), nonce)

    _refused("NotLinked", come)
    _link(counter)
    _refused("NotLinked", lambda: come("somebody else"))
    assert come()["actor"] == EXAMINER
    counter.accounts.close(counter.accepted(ADMINISTRATOR, account=EXAMINER))
    _refused("NotLinked", come)


def test_an_id_token_opens_one_session_and_none_for_another_nonce(counter: Counter, issuer: Issuer) -> None:
    _link(counter)
    nonce = new_id()
    token = issuer.token(SUBJECT, nonce)
    _refused("TokenInvalid", lambda: _login(counter, token, new_id()))
    assert _login(counter, token, nonce)["actor"] == EXAMINER
    _refused("TokenInvalid", lambda: _login(counter, token, nonce))
    _refused("TokenInvalid", lambda: _login(counter, issuer.token(SUBJECT, nonce), nonce))


def test_without_a_provider_nobody_comes_this_way(counter: Counter, issuer: Issuer) -> None:
    _link(counter)
    counter.sessions._provider = None
    nonce = new_id()
    _refused("NoProvider", lambda: _login(counter, issuer.token(SUBJECT, nonce), nonce))


def test_what_is_stored_does_not_say_who_he_is_there(counter: Counter, issuer: Issuer) -> None:
    _link(counter)
    nonce = new_id()
    token = issuer.token(SUBJECT, nonce)
    _login(counter, token, nonce)
    tables = ("logins", "links", "sessions", "refreshes", "shown", "events", "commands")
    stored = "\n".join(
        str(row)
        for table in tables
        for row in counter.office.admin.execute(f"SELECT {table}::text FROM {table}").fetchall()
    )
    for secret in (SUBJECT, token, nonce, ISSUER):
        assert secret not in stored
        assert secret.encode().hex() not in stored
