"""Access tokens: what they say counts, if whoever signed may say it, for ten minutes."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest

from shared.kernel.actors import Actor, Role
from shared.kernel.clock import utc_now
from shared.kernel.errors import Refusal
from shared.kernel.ids import derived_id
from shared.security.keys import private_key
from shared.security.tokens import Keyring, Mint, TokenExpired, TokenInvalid

EXAMINER = Actor(derived_id("Shi"), Role.EXAMINER, "station-10012003")
SCORING = Actor("scoring", Role.SERVICE, "centre")


@pytest.fixture
def mint(tmp_path: Path) -> Mint:
    return Mint.load(tmp_path, "/centre/registration")


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path)


def refused(keyring: Keyring, token: str, *errors: type[Refusal]) -> None:
    with pytest.raises(errors or TokenInvalid):
        keyring.read(token)


def forged(folder: Path, *, algorithm: str = "EdDSA", key: Any = None, kid: str = "", **changed: Any) -> str:
    """A token of registration's with something changed, signed by its own key unless by another."""
    token = Mint.load(folder, "/centre/registration").issue(EXAMINER)
    claims = jwt.decode(token, options={"verify_signature": False})
    claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    headers = {"kid": kid or jwt.get_unverified_header(token)["kid"]}
    key = key if key is not None else private_key(folder, "/centre/registration")
    return jwt.encode(claims, key, algorithm, headers=headers)


def test_a_token_says_who_calls(mint: Mint, keyring: Keyring) -> None:
    assert keyring.read(mint.issue(EXAMINER)) == EXAMINER
    claims = jwt.decode(mint.issue(EXAMINER), options={"verify_signature": False})
    assert set(claims) == {"iss", "sub", "role", "body", "iat", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == 600


def test_a_token_lives_for_ten_minutes(mint: Mint, keyring: Keyring) -> None:
    assert keyring.read(mint.issue(EXAMINER, utc_now() - timedelta(minutes=9))) == EXAMINER
    refused(keyring, mint.issue(EXAMINER, utc_now() - timedelta(minutes=11)), TokenExpired)
    refused(keyring, mint.issue(EXAMINER, utc_now() + timedelta(minutes=1)))


def test_a_token_that_was_verified_before_expires_all_the_same(
    mint: Mint, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = utc_now().replace(microsecond=0)
    token = mint.issue(EXAMINER, began)
    assert keyring.read(token) == EXAMINER
    assert keyring.read(token) == EXAMINER
    for seconds, expired in ((604, False), (606, True)):
        monkeypatch.setattr("shared.security.tokens.utc_now", lambda s=seconds: began + timedelta(seconds=s))
        if expired:
            refused(keyring, token, TokenExpired)
        else:
            assert keyring.read(token) == EXAMINER


def test_a_token_that_was_verified_before_goes_with_its_key(
    tmp_path: Path, mint: Mint, keyring: Keyring
) -> None:
    token = mint.issue(EXAMINER)
    assert keyring.read(token) == EXAMINER
    (tmp_path / "centre.registration.pub").unlink()
    refused(keyring, token)


def test_a_key_that_is_taken_out_of_its_file_counts_no_more(
    tmp_path: Path, mint: Mint, keyring: Keyring
) -> None:
    token = mint.issue(EXAMINER)
    assert keyring.read(token) == EXAMINER
    (tmp_path / "centre.registration.pub").write_text("")
    refused(keyring, token)


def test_strange_tokens_do_not_make_the_keys_be_read_again(
    tmp_path: Path, mint: Mint, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.read(mint.issue(EXAMINER))
    monkeypatch.setattr("shared.security.tokens._lying_in", lambda _: pytest.fail("read again"))
    for kid in ("0" * 16, "1" * 16):
        refused(keyring, forged(tmp_path, kid=kid))


def test_many_tokens_do_not_fill_the_memory(
    mint: Mint, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.security.tokens._REMEMBERED", 2)
    tokens = [mint.issue(EXAMINER) for _ in range(5)]
    for token in tokens * 2:
        assert keyring.read(token) == EXAMINER
        assert len(keyring._known) <= 2


@pytest.mark.parametrize("token", [None, 7, b"bytes", ["list"], "", "\ud800", "a.b.c"])
def test_what_is_no_token_is_invalid(keyring: Keyring, token: Any) -> None:
    refused(keyring, token)


def test_a_service_speaks_for_itself_alone(tmp_path: Path, keyring: Keyring) -> None:
    scoring = Mint.load(tmp_path, "/centre/scoring")
    assert keyring.read(scoring.issue(SCORING)) == SCORING
    for other in (
        EXAMINER,
        Actor("audit", Role.SERVICE, "centre"),
        Actor("scoring", Role.SERVICE, "station-10012003"),
        Actor("scoring", Role.ADMINISTRATOR, "centre"),
    ):
        refused(keyring, scoring.issue(other))


def test_registration_speaks_for_people_and_not_for_other_services(mint: Mint, keyring: Keyring) -> None:
    refused(keyring, mint.issue(SCORING))
    us = Actor("registration", Role.SERVICE, "centre")
    assert keyring.read(mint.issue(us)) == us


def test_a_stations_registration_speaks_for_its_own_people(tmp_path: Path, keyring: Keyring) -> None:
    station = Mint.load(tmp_path, "/station-10012003/registration")
    assert keyring.read(station.issue(EXAMINER)) == EXAMINER
    refused(keyring, station.issue(Actor(EXAMINER.id, Role.EXAMINER, "centre")))


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "/centre/scoring"},
        {"iss": None},
        {"sub": None},
        {"sub": 7},
        {"role": "emperor"},
        {"role": ["examiner"]},
        {"role": None},
        {"body": 7},
        {"body": None},
        {"iat": None},
        {"exp": None},
        {"exp": 2**40},
        {"jti": None},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_invalid(
    tmp_path: Path, mint: Mint, keyring: Keyring, changed: dict[str, Any]
) -> None:
    assert keyring.read(forged(tmp_path)) == EXAMINER
    refused(keyring, forged(tmp_path, **changed))


def test_a_token_of_another_algorithm_is_invalid(tmp_path: Path, mint: Mint, keyring: Keyring) -> None:
    public = (tmp_path / "centre.registration.pub").read_text().strip()
    refused(keyring, forged(tmp_path, algorithm="none", key=""))
    refused(keyring, forged(tmp_path, algorithm="HS256", key=bytes.fromhex(public)))


def test_a_token_signed_by_another_key_is_invalid(tmp_path: Path, mint: Mint, keyring: Keyring) -> None:
    strangers = tmp_path / "strangers"
    refused(keyring, Mint.load(strangers, "/centre/registration").issue(EXAMINER))
    refused(keyring, forged(tmp_path, key=private_key(strangers, "/centre/registration")))
    refused(keyring, forged(tmp_path, kid="0" * 16))


def test_a_token_of_which_one_character_is_changed_is_invalid(mint: Mint, keyring: Keyring) -> None:
    head, claims, signature = mint.issue(EXAMINER).split(".")
    said = orjson.loads(base64.urlsafe_b64decode(claims + "=="))
    said["role"] = "supervisor"
    promoted = base64.urlsafe_b64encode(orjson.dumps(said)).decode().rstrip("=")
    refused(keyring, f"{head}.{promoted}.{signature}")
    refused(keyring, f"{head}.{claims}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}")
    for broken in ("", "x", "a.b.c", f"{head}.{claims}", f"{head}.{claims}.{signature}.x", "é" * 50):
        refused(keyring, broken)


def test_a_key_that_is_laid_down_counts_at_once_and_one_that_is_taken_away_no_more(
    tmp_path: Path, keyring: Keyring
) -> None:
    assert tmp_path.exists()
    token = Mint.load(tmp_path, "/centre/scoring").issue(SCORING)
    assert keyring.read(token) == SCORING
    (tmp_path / "centre.scoring.pub").unlink()
    refused(keyring, token)


def test_nothing_of_a_mint_is_shown(mint: Mint) -> None:
    assert "private" not in repr(mint).lower()
    assert "_key" not in repr(mint)
