"""The command trail: everything that happened around somebody or something, and that somebody looked."""

import json
import sys
from contextlib import suppress
from datetime import timedelta, timezone
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer
from psycopg.rows import dict_row
from rich.cells import cell_len

from shared.kernel.clock import moment, stamp
from shared.runtime import reading
from shared.runtime.cli.access import account, admin, connection
from shared.runtime.cli.output import Failed, Json, console, errors, tell
from shared.runtime.cli.typed import printable, printables
from shared.runtime.definition import Impossible, definition
from shared.runtime.settings import Settings, settings

_WHOLE_ID = "The whole id, as events show it."
_ITEMS = 3  # of a list that a trail shows
_CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")  # without summer time since 1992


class Kind(StrEnum):
    """What a trail can be asked for."""

    CANDIDATE = "candidate"
    BATCH = "batch"
    EXAMINER = "examiner"
    CERTIFICATE = "certificate"
    APPLICATION = "application"
    TICKET = "ticket"
    STATION = "station"
    ROOM = "room"
    PAPER = "paper"
    SHEET = "sheet"
    ACTOR = "actor"


def trail(
    kind: Annotated[Kind, typer.Argument(help="What ID is.")],
    id: Annotated[str, typer.Argument(metavar="ID", help=_WHOLE_ID, callback=printable)],
    after: Annotated[int, typer.Option(help="Only entries behind this log index.")] = -1,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 1000,
    as_of: Annotated[str, typer.Option(metavar="TIME", help="As the log was then.")] = "",
    type: Annotated[
        list[str] | None, typer.Option(help="Only this type; may be repeated.", callback=printables)
    ] = None,
    actor: Annotated[str, typer.Option(help="Only what this actor did.", callback=printable)] = "",
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Only what was recorded from then on.")
    ] = "",
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Only what was recorded before.")] = "",
    as_json: Json = False,
) -> None:
    """Show everything that happened around somebody or something, in the order of the audit log.

    The log has the events of each service in that service's order, and those of two services as they came;
    both clocks and the cause stand with each.

    TIME is an ISO 8601 time with its offset, such as 2026-04-16T09:30:00+08:00 or 2026-04-16T01:30:00Z.
    Times are shown as of Asia/Shanghai, and in UTC with --json. That you looked is an event, and part of the
    trail from then on. `jianding audit bundle` writes a trail as a signed file.
    """
    moments = {"as_of": _moment(as_of), "since": _moment(since), "until": _moment(until)}
    filters = {**moments, "types": type or (), "actor": actor}
    steps, known = _looked_up(kind.value, id, after, limit, filters)
    unknown = {} if known else {"error": _unknown(kind.value)}
    if as_json:
        tell({"kind": kind.value, "id": id, "events": steps, "incomplete": _incomplete(steps), **unknown})
    elif known:
        _show_trail(steps, kind.value, after, filtered=any(filters.values()))
        if len(steps) == limit:
            console.print(f"more / 还有更多: --after {steps[-1]['index']}")
        _show_hidden(_incomplete(steps))
    if unknown and not as_json:
        raise Failed(f"{id[:80]}: {unknown['error']['zh']} {unknown['error']['en']}")
    if unknown:
        sys.exit(1)


def _show_hidden(hidden: list[int]) -> None:
    if hidden:
        indexes = ", ".join(map(str, hidden))
        errors.print(
            f"INCOMPLETE 不完整: the database's index of this trail no longer has {indexes}, which the"
            " signer knows; they are shown nevertheless. `jianding verify` says what else was altered."
            f" 数据库的追溯索引缺少条目 {indexes}，已据签名补出；请运行 jianding verify 核验。",
            soft_wrap=True,
        )


def _incomplete(steps: list[dict[str, Any]]) -> list[int]:
    """Log indexes of entries to which only the signer's word has led."""
    return [step["index"] for step in steps if step["hidden"]]


def _looked_up(
    kind: str, id: str, after: int, limit: int, filters: dict[str, Any]
) -> tuple[list[dict[str, Any]], bool]:
    """What is asked for, and whether the log knows the subject at all; that somebody looked is committed."""
    current, tools = settings(), definition("audit").tools
    with (
        admin(current) as dsn,
        connection(current, dsn, "audit") as connected,
        connected.cursor(row_factory=dict_row) as rows,
    ):
        tools["expect"](current, connected, kind, id, lambda: _sign(current, dsn))
        find = partial(tools["trail"], current, rows, kind, id)
        ask, asked = (
            partial(find, after, limit, **filters),
            {"kind": kind, "id": id, "after": after, **filters},
        )
        by, source = account(current), current.source("audit")
        steps = reading.witnessed(connected, source, by, ask, asked, tools["say_trail"])
        return steps, bool(steps or find(-1, 1))


def _sign(current: Settings, dsn: str) -> None:
    """Where no signer runs; elsewhere he does it by himself. A trail is shown also where nobody can sign."""
    with suppress(Impossible, OSError):
        if current.embedded_bus:
            definition("audit").tools["sign_now"](current, dsn)


def _show_trail(steps: list[dict[str, Any]], kind: str, after: int, *, filtered: bool) -> None:
    if steps:
        console.print("times / 时间: Asia/Shanghai (UTC+08:00)")
    for step in steps:
        _show_step(step, kind)
    if steps:
        return
    if filtered:
        console.print("nothing of it is asked for / 没有符合条件的记录")
    else:
        console.print(f"nothing more behind index {after} / 在 {after} 之后没有更多记录")


def _moment(text: str) -> str:
    try:
        return stamp(moment(text)) if text else ""
    except (ValueError, OverflowError):
        example = "2026-04-16T09:30:00+08:00"
        raise Failed(
            f"{text[:40]}: 须为带时区的时间，如 {example}。 Must be a time with its offset, as {example}."
        ) from None


def _unknown(kind: str) -> dict[str, str]:
    return {
        "code": "UnknownSubject",
        "field": "id",
        "rule": "",
        "zh": "审计日志中没有这个编号；请从事件或报告中复制完整编号。",
        "en": f"The log has no {kind} of this id; copy the whole id from an event or a report.",
    }


def _show_step(step: dict[str, Any], kind: str) -> None:
    """Some short lines, so that every id can be read on any screen."""
    console.print(f"{step['index']}  {_local(step['time'])}  {step['type']}", style="bold", soft_wrap=True)
    said = {"actor": step["actor"], "role": step["role"], "body": step["body"]}
    said |= {"device": step["device"]} if step["device"] else {}
    _show_line({**said, **step["data"]}, but=kind if kind != "actor" else "")
    cause = step["causation"] if step["causation"] != step["command"] else "its command / 本次操作"
    clocks = {"recorded 入库": _local(step["recorded"]), "received 收讫": _local(step["received"])}
    _show_line({**clocks, "cause 起因": cause})
    if step["before"] is not None or step["after"] is not None:
        _show_line({"before 更正前": step["before"], "after 更正后": step["after"]})


def _local(stamped: str) -> str:
    """A stamp in UTC as the clock on the wall shows it."""
    return moment(stamped).astimezone(_CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _show_line(said: dict[str, Any], but: str = "") -> None:
    line = ""
    for key, value in said.items():
        for piece in _pieces(key, value) if key != but else ():
            if line and cell_len(line) + cell_len(piece) + 6 > console.width:
                console.print(f"    {line}", markup=False, soft_wrap=True)
                line = ""
            line += f"  {piece}" if line else piece
    console.print(f"    {line}", markup=False, soft_wrap=True)


def _pieces(key: str, value: Any) -> list[str]:
    """What stays together on a line. Of a long list, the first items and its length; --json has them all."""
    if not isinstance(value, list):
        return [f"{key}={json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value}"]
    more = [f"… {len(value)} in all"] if len(value) > _ITEMS else []
    items = [*map(str, value[:_ITEMS]), *more] or [""]
    pieces = [*(f"{item}," for item in items[:-1]), f"{items[-1]}]"]
    return [f"{key}=[{pieces[0]}", *pieces[1:]]
