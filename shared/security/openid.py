"""Log-ins of an OpenID Connect provider: whether an ID token is his, meant for us, and of this very log-in.

Who he is, and where his keys and pages are, says a file in TOML, which JIANDING_OIDC names:

    issuer = "https://id.example.cn"
    audience = "jianding"                         # our client id
    jwks = "https://id.example.cn/jwks.json"      # or a file beside this one
    authorize = "https://id.example.cn/authorize" # for the console's log-in alone, as is the next
    token = "https://id.example.cn/token"
"""

import hmac
import http.client
import json
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import jwt

from shared.kernel.errors import Refusal
from shared.security.tokens import TokenExpired, TokenInvalid

# none with a shared secret: whoever verifies could sign
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_LEEWAY = timedelta(seconds=60)  # between clocks of two houses
_CLAIMS = ["iss", "sub", "aud", "iat", "exp", "nonce"]
_KNOWN = 300.0  # seconds after which keys are read again, so that one that was taken away counts no more
_SELDOM = 10.0  # seconds before they are read again for a key that is not among them
_SECONDS = 5.0  # that the provider may take
_LARGEST = 1_000_000  # bytes of an answer
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class NoProvider(Refusal):
    """未启用统一身份认证；请用登录名和密码登录。

    No OpenID Connect provider is set up here; log in with name and password.
    """


class ProviderSilent(Refusal):
    """统一身份认证没有响应；请稍后再试，或用登录名和密码登录。

    The OpenID Connect provider does not answer; try again later, or log in with name and password.
    """


class ProviderInvalid(Exception):
    """统一身份认证的配置有误，请更正 JIANDING_OIDC 所指的文件。
    The file that JIANDING_OIDC names cannot be used: it needs issuer, audience and jwks, over https."""


@dataclass(frozen=True)
class Subject:
    """Whom an ID token is about, at which provider, and until when it says so."""

    issuer: str
    subject: str
    until: datetime


@dataclass(frozen=True)
class Provider:
    """What the file says; without `authorize` and `token` there is no log-in at the console."""

    issuer: str
    audience: str
    jwks: str
    authorize: str = ""
    token: str = ""

    @classmethod
    def read(cls, file: Path) -> "Provider":
        """ProviderInvalid for a file that is not there, or says too little or something else."""
        try:
            said = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ProviderInvalid(f"({type(error).__name__})") from None
        if set(said) - {each.name for each in fields(cls)} or not all(
            isinstance(v, str) for v in said.values()
        ):
            raise ProviderInvalid(f"({', '.join(sorted(said))})")
        if missing := [name for name in ("issuer", "audience", "jwks") if not said.get(name)]:
            raise ProviderInvalid(f"({', '.join(missing)})")
        if "://" not in said["jwks"]:
            said["jwks"] = str(file.parent / said["jwks"])
        for name in ("jwks", "authorize", "token"):
            if "://" in said.get(name, "") and not _safe(urlsplit(said[name])):
                raise ProviderInvalid(f"({name})")
        return cls(**said)


def _safe(url: SplitResult) -> bool:
    return url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)


class Keys:
    """The provider's public keys, out of a file or from his address, as they are there now."""

    def __init__(self, place: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._place, self._clock = place, clock
        self._read_at: float | None = None
        self._keys: Mapping[str | None, jwt.PyJWK] = {}

    def find(self, kid: Any) -> jwt.PyJWK:
        """LookupError if he has no such key, ProviderSilent if he does not say."""
        age = None if self._read_at is None else self._clock() - self._read_at
        if age is None or age > _KNOWN or (kid not in self._keys and age > _SELDOM):
            self._keys = {each.key_id: each for each in self._read().keys}
            self._read_at = self._clock()
        return self._keys[kid]

    def _read(self) -> jwt.PyJWKSet:
        try:
            said = fetch(self._place) if "://" in self._place else Path(self._place).read_bytes()
            return jwt.PyJWKSet.from_dict(json.loads(said))
        except (OSError, ValueError, jwt.PyJWTError):
            raise ProviderSilent from None


class IdTokens:
    """`read(token, nonce)` for the tokens of one provider."""

    def __init__(self, provider: Provider, keys: Keys | None = None) -> None:
        self._provider = provider
        self._keys = keys or Keys(provider.jwks)

    def read(self, token: str, nonce: str) -> Subject:
        """Whom it is about; TokenExpired, or TokenInvalid for whatever else is wrong with it."""
        try:
            said = self._decoded(token)
        except jwt.ExpiredSignatureError:
            raise TokenExpired("id_token") from None
        except (jwt.PyJWTError, LookupError):
            raise TokenInvalid("id_token") from None
        asked = said.get("azp", self._provider.audience) == self._provider.audience
        if not (asked and hmac.compare_digest(str(said["nonce"]).encode(), nonce.encode())):
            raise TokenInvalid("id_token")
        until = datetime.fromtimestamp(said["exp"], UTC) + _LEEWAY
        return Subject(self._provider.issuer, said["sub"], until)

    def _decoded(self, token: str) -> dict[str, Any]:
        found: dict[str, Any] = jwt.decode(
            token,
            self._keys.find(jwt.get_unverified_header(token).get("kid")),
            algorithms=_ALGORITHMS,
            issuer=self._provider.issuer,
            audience=self._provider.audience,
            leeway=_LEEWAY,
            options={"require": _CLAIMS},
        )
        return found


def fetch(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """What an address of the provider's answers, with status 200; OSError for anything else."""
    place = urlsplit(url)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.hostname or "", place.port, timeout=_SECONDS)
    try:
        path = f"{place.path or '/'}?{place.query}" if place.query else place.path or "/"
        connection.request("POST" if body else "GET", path, body, dict(headers or {}))
        answer = connection.getresponse()
        if answer.status != 200:
            raise OSError(f"status {answer.status}")
        return answer.read(_LARGEST)
    except http.client.HTTPException as error:
        raise OSError(type(error).__name__) from None
    finally:
        connection.close()
