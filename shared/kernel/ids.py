"""Identifiers: opaque, never derived from a person."""

import secrets
import time
import uuid

_NAMESPACE = uuid.UUID("5f2c7d0e-4b0a-5c38-9d6e-6a69616e6469")
_TICKET_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_id() -> str:
    """A time-ordered UUID (version 7, RFC 9562), so that indexes grow at one end."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def derived_id(*parts: str) -> str:
    """The same UUID (version 5) for the same parts: what makes a repeated reaction one command."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


def ticket_number() -> str:
    """A 准考证号 that cannot be guessed: 80 random bits in letters that nobody confuses (R062)."""
    return "".join(secrets.choice(_TICKET_ALPHABET) for _ in range(16))


def blind_code() -> str:
    """What an examiner sees instead of a candidate (R070)."""
    return "B-" + "".join(secrets.choice(_TICKET_ALPHABET) for _ in range(10))
