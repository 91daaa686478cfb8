"""Identifiers: opaque, never derived from a person."""

import os
import secrets
import time
import uuid

from shared.kernel.faults import setback

_NAMESPACE = uuid.UUID("5f2c7d0e-4b0a-5c38-9d6e-6a69616e6469")
_TICKET_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_id() -> str:
    """A time-ordered UUID (version 7, RFC 9562), so that indexes grow at one end."""
    chance = int.from_bytes(os.urandom(10), "big")  # once: asking the system is what takes time
    value = (
        (time.time_ns() // 1_000_000 - setback() * 1_000) << 80
        | 0x7 << 76
        | (chance >> 62 & 0xFFF) << 64
        | 0b10 << 62
        | chance & 0x3FFFFFFFFFFFFFFF
    )
    spelled = f"{value:032x}"
    return f"{spelled[:8]}-{spelled[8:12]}-{spelled[12:16]}-{spelled[16:20]}-{spelled[20:]}"


def derived_id(*parts: str) -> str:
    """The same UUID (version 5) for the same parts: what makes a repeated reaction one command."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


def ticket_number() -> str:
    """A 准考证号 that cannot be guessed: 80 random bits in letters that nobody confuses (R062)."""
    return "".join(secrets.choice(_TICKET_ALPHABET) for _ in range(16))


def blind_code() -> str:
    """What an examiner sees instead of a candidate (R070)."""
    return "B-" + "".join(secrets.choice(_TICKET_ALPHABET) for _ in range(10))
