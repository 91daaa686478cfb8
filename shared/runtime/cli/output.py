"""What commands print: for people with rich, for programs as one JSON object on the last line."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console

_asked_by = {"program": False}  # who has to understand a failure; `explained` begins with people


def _note(as_json: bool) -> bool:
    _asked_by["program"] = as_json
    return as_json


Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON object on the last line, for programs.", is_eager=True, callback=_note
    ),
]

# a pipe has no width of its own: wide enough for our tables
_WIDTH = None if sys.stdout.isatty() else 120
console = Console(highlight=False, width=_WIDTH)
errors = Console(stderr=True, highlight=False)


def tell(data: Any) -> None:
    """One JSON object on one line."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


_CHINESE = re.compile(
    r"((?:.*[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])?)(.*)", re.DOTALL
)  # and what follows it
_ALTERED = (
    "日志被改动或不完整；请运行 jianding verify 查看位置，再从备份恢复该数据库。"
    " The log was altered, or is not whole ({}): `jianding verify` says where; restore that database from a"
    " backup."
)


class Failed(Exception):
    """A command cannot go on; the message says why and what to do."""


@contextmanager
def explained() -> Iterator[None]:
    """Turns what may be expected to fail into one line on stderr and exit code 1."""
    _note(False)
    try:
        yield
    except Exception as error:
        message = _explanation(error)
        if message is None:
            raise
        _say(error, message)


def _explanation(error: Exception) -> str | None:
    """What people read of a failure that may be expected. A command that goes well imports nothing for it."""
    import psycopg

    from shared.bus.calls import NoAnswer, Refused, RemoteError
    from shared.runtime.databases import AnotherBody
    from shared.runtime.definition import Impossible
    from shared.runtime.demo.desk import DemoStuck
    from shared.runtime.demo.mark import NotOurs
    from shared.runtime.lease import ServedAlready
    from shared.runtime.postgres import PostgresFailed
    from shared.runtime.settings import SettingInvalid
    from shared.runtime.web import PortTaken
    from shared.security.keys import KeyFileIsOpen, KeyLost
    from shared.store.builds import RebuildRunning
    from shared.store.inbox import ChainBroken
    from shared.store.migrations import MigrationChanged
    from shared.wire.envelope import Undecodable

    match error:
        case Failed() | TimeoutError() | Refused() | RemoteError() | SettingInvalid():
            return str(error)
        case ChainBroken() | Undecodable():
            return _ALTERED.format(error)
        case psycopg.OperationalError():
            return (
                f"数据库没有应答，请用 jianding doctor 查看。"
                f" The database does not answer ({_first_line(error)});"
                " `jianding doctor` says how to mend it."
            )
        case (
            AnotherBody() | DemoStuck() | Impossible() | KeyFileIsOpen() | KeyLost() | MigrationChanged()
            | NoAnswer() | NotOurs() | PortTaken() | PostgresFailed() | RebuildRunning() | ServedAlready()
        ):  # fmt: skip
            return f"{type(error).__doc__} {error}"
        case OSError():
            return _of_a_file(error)
    return None


def _of_a_file(error: OSError) -> str:
    if error.filename is None:  # what is written to has no name here: our own output
        return f"无法写入输出，请重定向到别处。 The output cannot be written ({error.strerror}); redirect it."
    return (
        f"{str(error.filename)[:200]}: {error.strerror}. 请把 JIANDING_VAR 设为可写的目录。"
        " Set JIANDING_VAR to a folder that you may write."
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _say(error: Exception, message: str) -> None:
    line = " ".join(message.split())
    if _asked_by["program"]:
        zh, en = _CHINESE.fullmatch(line).groups("")  # type: ignore[union-attr]
        problem = getattr(error, "problem", None)
        named = {"code": type(error).__name__, "field": "", "rule": "", "zh": zh.strip(), "en": en.strip()}
        tell({"error": problem if isinstance(problem, dict) else named})
    else:
        errors.print(f"jianding: {line}", soft_wrap=True, markup=False)
    sys.exit(1)
