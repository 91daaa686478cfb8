"""What people type, taken or refused by its name before anything is asked with it."""

import getpass
import json
import sys
from pathlib import Path
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


def password(file: str, *, again: bool = False) -> str:
    """The first line of a file, or of standard input (`-`); else what is typed, unseen, twice if `again`.

    Never an argument: `ps` and the shell's history show those.
    """
    if file:
        return _first_line(file)
    if not sys.stdin.isatty():
        raise Failed(
            "没有终端可输入密码，请用 --password-file。"
            " There is no terminal on which to ask for the password: say --password-file FILE, or - for"
            " standard input."
        )
    typed = getpass.getpass("Password 密码: ")
    if again and getpass.getpass("Again 再次输入: ") != typed:
        raise Failed("两次输入的密码不同，请重新运行。 The two passwords differ; run it again.")
    return typed


def _first_line(file: str) -> str:
    try:
        text = sys.stdin.readline() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise Failed(
            f"--password-file: 无法读取，请检查该文件。 It cannot be read ({reason}); check the file."
        ) from None
    return (text.splitlines() or [""])[0]


def _no_constant(name: str) -> None:
    raise ValueError(name)
