"""Who calls: the actor in the context of a call, and who may read what."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from inspect import signature
from typing import Any

from shared.kernel.actors import Actor, Role
from shared.kernel.errors import InvalidInput, NotEntitled, Refusal
from shared.security.tokens import Keyring, TokenInvalid, TokenMissing

# who may see who sits behind a blind code (R070): not examiners, not candidates
STAFF = frozenset(Role) - {Role.EXAMINER, Role.CANDIDATE}
# who may follow a whole log, which pairs blind codes with people
FOLLOWERS = frozenset({Role.SERVICE, Role.SUPERVISOR, Role.ADMINISTRATOR})

_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_OPAQUE = r"(?!.*[0-9]{9})[A-Za-z0-9][A-Za-z0-9._-]{0,63}"  # no number as long as a telephone's
_SPELLING = {
    "actor": re.compile(f"{_UUID}|{_OPAQUE}"),
    "role": re.compile(r"(?s).*"),  # any text: what is no role is told the roles
    "body": re.compile(r"centre|station-[0-9]{8}"),
}
_DEVICE = _SPELLING["actor"]
_WANTED = {
    "actor": ("须为不含个人信息的操作人编号", "It has to be an opaque id of whoever asks, such as a UUID"),
    "role": ("须为操作人的角色", "It has to be the role of whoever asks"),
    "body": ("须为 centre 或 station-八位机构代码", "It has to be centre, or station- and 8 digits"),
}


class NotForThisRole(Refusal):
    """该角色不能查看此内容；请由有权角色的人员查询。

    This role may not read this; somebody with the right role has to ask.
    """

    rule = "R070"
    field = "role"


class NotOfThisStation(NotEntitled):
    """这是其他鉴定所的内容，查询已记录；请由该所或中心的人员查询。

    This is another station's, and the attempt was recorded; somebody there or at the centre has to ask.
    """

    rule = "R001"
    field = "station"


def station_of(actor: Actor) -> str:
    """The station whose rows are all that somebody is shown: that of its staff; nothing for everybody else.

    An examiner is sent to other stations (R013), and like a candidate asks about himself alone.
    """
    kind, _, code = actor.body.partition("-")
    return code if kind == "station" and actor.role in STAFF - {Role.SERVICE} else ""


def scoped(query: Callable[..., Any], station: str) -> Callable[..., Any]:
    """The query for the staff of a station, where what it shows belongs to one: then it takes `own`."""
    return partial(query, own=station) if station and _takes_own(query) else query


@lru_cache(256)  # reading a signature takes 45 µs
def _takes_own(query: Callable[..., Any]) -> bool:
    return "own" in signature(query).parameters


@dataclass(frozen=True)
class Trust:
    """Whose word counts for who calls; without `required`, that of a caller who shows no token too."""

    keyring: Keyring
    required: bool


def read_actor(data: dict[str, Any], trust: Trust | None = None, *, services: bool = False) -> Actor:
    """The actor in the context of a call; InvalidInput names what is missing or unknown.

    A token, once shown, has to be valid, and decides: TokenExpired, or TokenInvalid, also where the call says
    somebody else. TokenMissing without one where they are required. `device` may be named too (R154).
    `services`: whether a service may ask in its own name, which no command or query of people allows.
    """
    if data.get("token"):
        data = _shown(data, trust)
    elif trust is not None and trust.required:
        raise TokenMissing
    for field, spelling in _SPELLING.items():
        value = data.get(field)
        if not isinstance(value, str) or not spelling.fullmatch(value):
            chinese, english = _WANTED[field]
            always = "every call names actor, role and body"
            raise InvalidInput(field, zh=f"{chinese}。", en=f"{english}; {always}.")
    roles = set(Role) if services else set(Role) - {Role.SERVICE}
    if data["role"] not in roles:
        known = ", ".join(sorted(roles))
        raise InvalidInput("role", zh=f"没有这个角色；可用：{known}。", en=f"It is not one of: {known}.")
    return Actor(data["actor"], Role(data["role"]), data["body"], _device(data))


def _device(data: dict[str, Any]) -> str:
    """What he acts on; it gives no rights, so no token has to say it."""
    device: Any = data.get("device", "")
    if not isinstance(device, str) or (device and not _DEVICE.fullmatch(device)):
        raise InvalidInput(
            "device", zh="须为不含个人信息的设备编号。", en="It has to be an opaque id, or be left out."
        )
    return device


def _shown(data: dict[str, Any], trust: Trust | None) -> dict[str, Any]:
    """Who calls, by the token; what the call says itself must not differ."""
    if trust is None or not isinstance(data["token"], str):
        raise TokenInvalid
    actor = trust.keyring.read(data["token"])
    claims = {"actor": actor.id, "role": actor.role.value, "body": actor.body}
    for field, claim in claims.items():
        if data.get(field, claim) not in (claim, ""):
            raise TokenInvalid(field)
    return {**claims, "device": data.get("device", "")}
