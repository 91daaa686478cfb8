"""What people type, taken or refused by its name before anything is asked with it."""

import json
import sys
from typing import Any

from shared.runtime.cli.output import Failed

_LARGEST_INPUT = 1_000_000


def printable(text: str) -> str:
    """The text itself; Failed for bytes that are no characters, and for control characters.

    For an option's or argument's `callback`: no id of ours has such, and no database takes them.
    """
    if not text.isprintable():
        raise Failed(
            "参数含有不可打印的字符；请从事件或报告中原样复制。"
            " An argument has characters that cannot be printed; copy it from an event or a report."
        )
    return text


def printables(texts: list[str] | None) -> list[str]:
    """The same for an option that may be repeated."""
    return [printable(text) for text in texts or ()]


def fields(text: str, name: str) -> dict[str, Any]:
    """The JSON object that was typed as `name`, or that standard input has where it is `-`."""
    text = sys.stdin.read(_LARGEST_INPUT + 1) if text == "-" else text
    if len(text) > _LARGEST_INPUT:
        raise Failed(f"{name}: 输入超过 1 MB，请缩短。 It is longer than 1 MB; shorten it.")
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "NaN and Infinity are not JSON, nor is what is too deep or too long")
        place = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        raise Failed(
            f"{name}: 不是有效的 JSON，请更正。"
            f" It is not JSON: {reason}{place}; correct it and send it again."
        ) from None
    if not isinstance(found, dict):
        raise Failed(f'{name}: 须为 JSON 对象。 It has to be a JSON object, such as {{"application": "…"}}.')
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)
