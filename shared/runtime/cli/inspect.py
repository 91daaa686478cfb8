"""Commands that look: doctor, healthy, trail."""

import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from psycopg.rows import dict_row
from rich.cells import cell_len

from shared.contracts import SERVICES
from shared.kernel.clock import moment, stamp
from shared.runtime.cli.access import admin, connection
from shared.runtime.cli.output import Failed, Json, console, tell
from shared.runtime.cli.typed import printable, printables
from shared.runtime.definition import definition
from shared.runtime.settings import Settings, explain, settings

if TYPE_CHECKING:
    from shared.runtime.checks import Finding

_WHOLE_ID = "The whole id, as events show it."
_ITEMS = 3  # of a list that a trail shows


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


def doctor(as_json: Json = False) -> None:
    """Look at everything that is needed, and say how to mend what is wrong; exit code 1 if something is.

    逐项检查并给出处理办法。 `warn` is what works but waits for somebody: parked events, bodies that were set
    aside, relays and consumers that are behind.
    """
    from shared.runtime.checks import examine

    current = settings()
    findings = examine(current)
    wrong, waiting = [f for f in findings if not f.ok], [f for f in findings if f.warns]
    if as_json:
        counts = {"healthy": not wrong and not waiting, "failures": len(wrong), "warnings": len(waiting)}
        tell({**counts, "findings": [f.as_data() for f in findings]})
    else:
        _show_settings(current)
        for finding in findings:
            _show_finding(finding)
        console.print(
            f"{len(findings)} checks, {len(wrong)} failed, {len(waiting)} warnings"
            f" / 检查 {len(findings)} 项，{len(wrong)} 项失败，{len(waiting)} 项提醒"
        )
    if wrong:
        sys.exit(1)


def _show_finding(finding: "Finding") -> None:
    word = "FAIL" if not finding.ok else "warn" if finding.warns else "ok  "
    console.print(f"{word} {finding.what}: {finding.found}", markup=False, soft_wrap=True)
    if word != "ok  ":
        console.print(f"     {finding.mend}", markup=False, soft_wrap=True)


def _show_settings(current: Settings) -> None:
    console.print("Settings 设置")
    for variable, value, meaning in explain(current):
        console.print(f"  {variable}={value}", markup=False, soft_wrap=True)
        console.print(f"      {meaning}", markup=False, soft_wrap=True)


def healthy(
    service: Annotated[
        str, typer.Argument(help="registration, scheduling, scoring, certification or audit.")
    ],
    relay: Annotated[bool, typer.Option("--relay", help="As its relay would reach it.")] = False,
    signer: Annotated[bool, typer.Option("--signer", help="As the log's signer would; audit only.")] = False,
    as_json: Json = False,
) -> None:
    """Exit 0 if the service's database and the bus answer, 1 otherwise; for health checks of containers.

    It does not say that the service itself runs, nor that nobody is behind: `jianding doctor` does.
    """
    from shared.runtime.checks import reachable

    if service not in SERVICES:
        raise Failed(f"{service} is not a service")
    if signer and service != "audit":
        raise Failed("only audit has a signer")
    problem = reachable(settings(), service, "signer" if signer else "relay" if relay else "service")
    if as_json:
        tell({"healthy": not problem, "service": service, "problem": problem})
        sys.exit(1 if problem else 0)
    if problem:
        raise Failed(problem)
    if signer:
        console.print(f"healthy: database of {service} answers")
        return
    bus = "bus in memory" if settings().embedded_bus else "bus answers"
    console.print(f"healthy: database of {service} answers, {bus}")


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

    TIME is an ISO 8601 time with its offset, such as 2026-04-16T09:30:00+08:00 or 2026-04-16T01:30:00Z.
    """
    moments = {"as_of": _moment(as_of), "since": _moment(since), "until": _moment(until)}
    filters = {**moments, "types": type or (), "actor": actor}
    current = settings()
    with (
        admin(current) as dsn,
        connection(current, dsn, "audit") as connected,
        connected.cursor(row_factory=dict_row) as rows,
    ):
        find = definition("audit").tools["trail"]
        steps = find(rows, kind.value, id, after, limit, **filters)
        known = bool(steps or find(rows, kind.value, id, -1, 1))
    unknown = {} if known else {"error": _unknown(kind.value)}
    if as_json:
        tell({"kind": kind.value, "id": id, "events": steps, **unknown})
    elif known:
        _show_trail(steps, kind.value, after, filtered=any(filters.values()))
    if unknown and not as_json:
        raise Failed(f"{id[:80]}: {unknown['error']['zh']} {unknown['error']['en']}")
    if unknown:
        sys.exit(1)


def _show_trail(steps: list[dict[str, Any]], kind: str, after: int, *, filtered: bool) -> None:
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
    console.print(f"{step['index']}  {step['time'][:19]}  {step['type']}", style="bold", soft_wrap=True)
    said = {"actor": step["actor"], "role": step["role"], "body": step["body"], **step["data"]}
    line = ""
    for key, value in said.items():
        for piece in _pieces(key, value) if key != kind or key == "actor" else ():
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
