"""Canonical bytes (RFC 8785, JCS) for the subset of JSON that we allow, at the speed of orjson.

orjson with sorted keys equals JCS as long as there is no float, no integer of 2^53 or more, and no key
outside the Basic Multilingual Plane; so those are refused.
"""

from typing import Any

import orjson

_SAFE = 2**53


class NotCanonical(ValueError):
    """A value whose bytes two encoders could spell differently."""


def canonical(value: Any) -> bytes:
    """The one spelling of `value` in bytes; NotCanonical where JCS and orjson could differ."""
    try:
        spelled = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:  # too deep, a lone surrogate, a key that is no text
        raise NotCanonical(f"no bytes for this: {error}") from None
    _check(value)
    return spelled


def _check(value: Any) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not -_SAFE < value < _SAFE:
            raise NotCanonical("an integer beyond 2^53 has no single spelling")
    elif kind is dict:
        # orjson has refused keys that are no text
        if not (keys := "".join(value)).isascii() and max(keys) > "\uffff":
            raise NotCanonical("a key has to be text of the Basic Multilingual Plane")
        for item in value.values():
            if (kind := type(item)) is not str and (kind is not int or not -_SAFE < item < _SAFE):
                _check(item)
    elif kind is list or kind is tuple:
        for item in value:
            _check(item)
    else:
        raise NotCanonical(f"{kind.__name__} has no single spelling; use text or whole numbers")
