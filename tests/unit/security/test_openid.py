"""ID tokens: taken when they are the provider's, for us, in time, and of this log-in; else refused."""

import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.utils import base64url_decode, base64url_encode

from shared.security.openid import IdTokens, Keys, Provider, ProviderInvalid, ProviderSilent
from shared.security.tokens import TokenExpired, TokenInvalid
from shared.testing.issuer import CLIENT, ISSUER, Issuer

SOMEBODY, NONCE = "somebody", "a nonce of this log-in"
LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def provider(issuer: Issuer, tmp_path: Path) -> Provider:
    return Provider.read(issuer.described(tmp_path))


def test_a_token_of_this_log_in_says_whom_it_is_about(issuer: Issuer, provider: Provider) -> None:
    about = IdTokens(provider).read(issuer.token(SOMEBODY, NONCE), NONCE)
    assert (about.issuer, about.subject) == (ISSUER, SOMEBODY)
    assert about.until > datetime.now(UTC)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://another.example.test"},
        {"aud": "another"},
        {"nonce": "of another log-in"},
        {"azp": "another"},
        {"iat": datetime(2999, 1, 1, tzinfo=UTC)},
        *({name: None} for name in ("iss", "aud", "sub", "exp", "iat", "nonce")),
    ],
    ids=str,
)
def test_a_token_that_says_something_else_or_too_little_is_none(
    issuer: Issuer, provider: Provider, claims: dict[str, Any]
) -> None:
    with pytest.raises(TokenInvalid):
        IdTokens(provider).read(issuer.token(SOMEBODY, NONCE, **claims), NONCE)


def test_a_token_of_long_ago_is_over(issuer: Issuer, provider: Provider) -> None:
    old = issuer.token(SOMEBODY, NONCE, iat=LONG_AGO, exp=LONG_AGO + timedelta(minutes=5))
    with pytest.raises(TokenExpired):
        IdTokens(provider).read(old, NONCE)


def test_a_token_that_somebody_else_signed_is_none(issuer: Issuer, provider: Provider) -> None:
    token = issuer.token(SOMEBODY, NONCE)
    claims = jwt.decode(token, options={"verify_signature": False})
    head, body, _ = token.split(".")
    public = json.dumps(issuer.keys()["keys"][0]).encode()
    forged = [
        jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": issuer.kid}),
        _with_a_shared_secret(head, body, public),
        jwt.encode(claims, None, "none", headers={"kid": issuer.kid}),
        jwt.encode(claims, issuer.key, "ES256", headers={"kid": "another"}),
        jwt.encode(claims, issuer.key, "ES256"),
        f"{head}.{body}.",
        "day",
    ]
    for each in forged:
        with pytest.raises(TokenInvalid):
            IdTokens(provider).read(each, NONCE)


def _with_a_shared_secret(head: str, body: str, secret: bytes) -> str:
    """The same token, its public key taken for the secret of an HMAC."""
    said = json.loads(base64url_decode(head))
    changed = base64url_encode(json.dumps({**said, "alg": "HS256"}).encode()).decode()
    signature = hmac.digest(secret, f"{changed}.{body}".encode(), "sha256")
    return f"{changed}.{body}.{base64url_encode(signature).decode()}"


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
    ids=["RS256", "EdDSA"],
)
def test_keys_may_lie_in_a_file_and_be_of_any_usual_kind(
    issuer: Issuer, tmp_path: Path, key: Any, algorithm: str
) -> None:
    public = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [{**public, "kid": "one"}]}))
    (tmp_path / "provider.toml").write_text(
        f'issuer = "{ISSUER}"\naudience = "{CLIENT}"\njwks = "keys.json"\n', encoding="utf-8"
    )
    claims = jwt.decode(issuer.token(SOMEBODY, NONCE), options={"verify_signature": False})
    token = jwt.encode(claims, key, algorithm, headers={"kid": "one"})
    tokens = IdTokens(Provider.read(tmp_path / "provider.toml"))
    assert tokens.read(token, NONCE).subject == SOMEBODY


def test_a_key_that_is_not_known_is_asked_for_but_not_for_every_token(
    issuer: Issuer, provider: Provider
) -> None:
    now = 0.0
    tokens = IdTokens(provider, Keys(provider.jwks, lambda: now))
    old = issuer.token(SOMEBODY, NONCE)
    tokens.read(old, NONCE)
    issuer.rotate()
    new = issuer.token(SOMEBODY, NONCE)
    for _ in range(3):
        with pytest.raises(TokenInvalid):
            tokens.read(new, NONCE)
    assert issuer.asked == 1
    now = 11.0
    assert tokens.read(new, NONCE).subject == SOMEBODY
    with pytest.raises(TokenInvalid):  # the key that the provider took away
        tokens.read(old, NONCE)
    assert issuer.asked == 2


def test_a_key_that_was_taken_away_counts_no_more_after_a_while(issuer: Issuer, provider: Provider) -> None:
    now = 0.0
    tokens = IdTokens(provider, Keys(provider.jwks, lambda: now))
    token = issuer.token(SOMEBODY, NONCE)
    tokens.read(token, NONCE)
    issuer.rotate()
    now = 301.0
    with pytest.raises(TokenInvalid):
        tokens.read(token, NONCE)


def test_a_provider_that_does_not_answer_is_said_to_be_silent(issuer: Issuer, provider: Provider) -> None:
    token = issuer.token(SOMEBODY, NONCE)
    with Issuer() as gone:
        nowhere = f"{gone.address}/jwks"
    for place in (nowhere, f"{issuer.address}/no-keys", "/nowhere/keys.json"):
        with pytest.raises(ProviderSilent):
            IdTokens(provider, Keys(place)).read(token, NONCE)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("issuer = ", "TOMLDecodeError"),
        ('issuer = "i"\naudience = "a"', "jwks"),
        ('issuer = "i"\naudience = ""\njwks = "k"', "audience"),
        ('issuer = "i"\naudience = "a"\njwks = "k"\nsecret = "s"', "secret"),
        ('issuer = "i"\naudience = "a"\njwks = 7', "jwks"),
        ('issuer = "i"\naudience = "a"\njwks = "http://id.example.test/jwks"', "jwks"),
        ('issuer = "i"\naudience = "a"\njwks = "k"\ntoken = "http://id.example.test/token"', "token"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_to_be_so(tmp_path: Path, file: str, says: str) -> None:
    (tmp_path / "provider.toml").write_text(file, encoding="utf-8")
    with pytest.raises(ProviderInvalid, match=says):
        Provider.read(tmp_path / "provider.toml")
    with pytest.raises(ProviderInvalid):
        Provider.read(tmp_path / "missing.toml")
