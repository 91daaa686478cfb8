"""Access tokens: who calls, said by registration of people, and by each service of itself.

A JWT (RFC 7519) signed with Ed25519. Its `kid` names the key, the key's file its source, and only what that
source may say counts: a service speaks for itself alone, registration for people, a station's for its own.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.kernel.actors import Actor, Role
from shared.kernel.clock import utc_now
from shared.kernel.errors import Refusal
from shared.kernel.ids import new_id
from shared.security.keys import private_key

LIFE = timedelta(minutes=10)
_ALGORITHM = "EdDSA"
_LEEWAY = timedelta(seconds=5)
_CLAIMS = ["iss", "sub", "role", "body", "iat", "exp", "jti"]
_State = Mapping[str, tuple[int, int, int]]
_REMEMBERED = 4096  # tokens; each some hundred bytes
_PEOPLES = "registration"  # the service that knows people


class TokenMissing(Refusal):
    """调用没有令牌；请先登录。

    The call has no token; log in first.
    """

    field = "token"


class TokenExpired(Refusal):
    """登录已过期；请刷新或重新登录。

    The token has expired; refresh it, or log in again.
    """

    field = "token"


class TokenInvalid(Refusal):
    """登录凭证无效；请重新登录。

    The token is not valid, or says something else than the call; log in again.
    """

    field = "token"


@dataclass(frozen=True, repr=False)
class Mint:
    """Makes the tokens of one source: `/centre/registration`."""

    source: str
    _key: Ed25519PrivateKey

    @classmethod
    def load(cls, folder: Path, source: str) -> "Mint":
        """With the source's key in `folder`, made on first use; KeyLost where it does not fit its `.pub`."""
        return cls(source, private_key(folder, source))

    def issue(self, actor: Actor, now: datetime | None = None) -> str:
        """A token for ten minutes."""
        began = now or utc_now()
        claims = {
            "iss": self.source,
            "sub": actor.id,
            "role": actor.role.value,
            "body": actor.body,
            "iat": began,
            "exp": began + LIFE,
            "jti": new_id(),
        }
        return jwt.encode(claims, self._key, _ALGORITHM, headers={"kid": _kid(self._key.public_key())})


@dataclass(frozen=True)
class _Trusted:
    """A key, and who speaks with it."""

    source: str
    key: Ed25519PublicKey


@dataclass(frozen=True)
class _Known:
    """A token that was verified before: who it says is calling, and until when."""

    actor: Actor
    expires: float  # seconds since 1970


class Keyring:
    """The public keys in a folder, as they lie there now: one that is taken away counts no more.

    A token comes with every call of its ten minutes, and verifying it took a seventh of a command by RPC:
    what was verified is remembered, until it expires or a key changes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state: _State = {}
        self._keys: Mapping[str, _Trusted] = {}
        self._known: dict[bytes, _Known] = {}

    def read(self, token: str) -> Actor:
        """Who a token says is calling; TokenExpired, or TokenInvalid for whatever else is wrong with it."""
        if not (isinstance(token, str) and token.isascii()):
            raise TokenInvalid
        self._look()
        digest = sha256(token.encode()).digest()
        if (known := self._known.get(digest)) is None:
            known = self._verified(token)
            if len(self._known) == _REMEMBERED:
                self._known.clear()
            self._known[digest] = known
        if known.expires <= (utc_now() - _LEEWAY).timestamp():
            del self._known[digest]
            raise TokenExpired
        return known.actor

    def _verified(self, token: str) -> _Known:
        try:
            kid: Any = jwt.get_unverified_header(token).get("kid")
            trusted = self._keys[kid]
            said = jwt.decode(
                token,
                trusted.key,
                algorithms=[_ALGORITHM],
                issuer=trusted.source,
                leeway=_LEEWAY,
                options={"require": _CLAIMS},
            )
        except jwt.ExpiredSignatureError:
            raise TokenExpired from None
        except (jwt.InvalidTokenError, LookupError):
            raise TokenInvalid from None
        return _Known(_actor(said, trusted.source), said["exp"])

    def _look(self) -> None:
        state = _state(self._folder)
        if state != self._state:
            self._keys = dict(_lying_in(self._folder))
            self._known.clear()
            self._state = state


def _state(folder: Path) -> _State:
    """By which it shows that a key was laid down, changed or taken away."""
    try:
        with os.scandir(folder) as entries:
            files = {entry.name: entry.stat() for entry in entries if entry.name.endswith(".pub")}
    except FileNotFoundError:
        return {}
    return {name: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in files.items()}


def _lying_in(folder: Path) -> list[tuple[str, _Trusted]]:
    found = []
    for path in sorted(folder.glob("*.pub")):
        body, _, service = path.stem.rpartition(".")
        for line in path.read_text(encoding="ascii").split():
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(line))
            found.append((_kid(key), _Trusted(f"/{body}/{service}", key)))
    return found


def _kid(key: Ed25519PublicKey) -> str:
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def _actor(said: Mapping[str, Any], source: str) -> Actor:
    """The claims as an actor, if the source may say so."""
    _, body, service = source.split("/")
    if not (isinstance(said["role"], str) and isinstance(said["body"], str)) or said["role"] not in set(Role):
        raise TokenInvalid
    actor = Actor(said["sub"], Role(said["role"]), said["body"])
    long = said["exp"] - said["iat"] > LIFE.total_seconds()
    if actor.role is Role.SERVICE:
        allowed = (actor.id, actor.body) == (service, body)
    else:
        allowed = service == _PEOPLES and body in ("centre", actor.body)
    if long or not allowed:
        raise TokenInvalid
    return actor
