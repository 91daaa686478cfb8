"""The header `Idempotency-Key`, which becomes the command's id: the same key again, the same answer."""

import uuid

from flask import request

from services.gateway.principal import Principal
from shared.kernel.errors import InvalidInput, Refusal

HEADER = "Idempotency-Key"
_SPACE = uuid.UUID("5c1f3a52-6a0b-5d0e-9f0e-2b7a4c1d8e90")
_LONGEST = 200


class IdempotencyKeyMissing(Refusal):
    """请求没有编号；请在 Idempotency-Key 请求头中给出本次办理的编号（如 UUID），重试时用同一编号。

    The request has no key; give it one in the header Idempotency-Key, best a new UUID, and repeat it so.
    """

    field = HEADER


class IdempotencyKeyNotTaken(Refusal):
    """此操作不使用 Idempotency-Key；请去掉该请求头，重试前先查询现状。

    This call takes no Idempotency-Key, as it would not be done once only; leave the header out, and look at
    what it has done before you repeat it.
    """

    field = HEADER


def refuse() -> None:
    """For what is no command: a key that nobody keeps would promise what nobody holds."""
    if HEADER in request.headers:
        raise IdempotencyKeyNotTaken


def command_id(who: Principal) -> str:
    """A UUID as it is; any other key becomes one, which is this principal's own."""
    key = request.headers.get(HEADER, "").strip().strip('"')
    if not key:
        raise IdempotencyKeyMissing
    if len(key) > _LONGEST or not key.isprintable():
        zh, en = (
            f"须为 1 至 {_LONGEST} 个可打印字符。",
            f"It has to have 1 to {_LONGEST} printable characters.",
        )
        raise InvalidInput(HEADER, zh=zh, en=en)
    try:
        return str(uuid.UUID(key))
    except ValueError:
        return str(uuid.uuid5(_SPACE, f"{who.actor.id}\n{key}"))
