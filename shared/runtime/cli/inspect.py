"""Commands that look: doctor, healthy, verify, trail."""

import sys
import time
from enum import StrEnum
from typing import Annotated, Any

import typer
from psycopg.rows import dict_row
from rich.table import Table

from shared.contracts import SERVICES, SOURCES
from shared.runtime.cli.access import admin, connection
from shared.runtime.cli.output import Failed, Json, console, errors, tell
from shared.runtime.definition import definition
from shared.runtime.settings import Settings, explain, settings
from shared.security import heads
from shared.security.heads import Head
from shared.store import sealer

_LAGS = 5  # times that verify waits a second for a log that is behind


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
    """Find each dependency, say what is wrong and how to mend it; exit code 1 if something is."""
    from shared.runtime.checks import examine

    current = settings()
    findings = examine(current)
    if as_json:
        tell({"healthy": all(f.ok for f in findings), "findings": [f.as_data() for f in findings]})
    else:
        for finding in findings:
            console.print(
                f"{'ok  ' if finding.ok else 'FAIL'} {finding.what}: {finding.found}",
                markup=False,
                soft_wrap=True,
            )
            if not finding.ok:
                console.print(f"     {finding.mend}", markup=False)
        table = Table("setting", "value", "meaning 含义", title="Settings 设置")
        for row in explain(current):
            table.add_row(*row)
        console.print(table)
    if not all(finding.ok for finding in findings):
        sys.exit(1)


def healthy(
    service: Annotated[
        str, typer.Argument(help="registration, scheduling, scoring, certification or audit.")
    ],
    relay: Annotated[bool, typer.Option("--relay", help="As its relay would reach it.")] = False,
) -> None:
    """Exit 0 if the service's database and the bus answer, 1 otherwise. For health checks."""
    from shared.runtime.checks import reachable

    if service not in SERVICES:
        raise Failed(f"{service} is not a service")
    problem = reachable(settings(), service, "relay" if relay else "service")
    if problem:
        raise Failed(problem)
    console.print("healthy")


def verify(as_json: Json = False) -> None:
    """Check the audit log: its tree, every source's chain, what the sources have signed. Exit 1 if not."""
    current = settings()
    with admin(current) as dsn:
        verdict = _verdict(current, dsn, as_json)
        for _ in range(_LAGS):  # what was decided a moment ago may still be on its way
            if not verdict["behind"]:
                break
            time.sleep(1)
            verdict = _verdict(current, dsn, as_json)
    if as_json:
        tell(verdict)
    else:
        _show_verdict(verdict)
    if not verdict["verified"]:
        sys.exit(1)


def _verdict(current: Settings, dsn: str, quiet: bool) -> dict[str, Any]:
    tools = definition("audit").tools
    with connection(current, dsn, "audit") as connected:
        before = tools["reached"](connected)
        said = [_head(current, dsn, service) for service in SOURCES]
        found: dict[str, Any] = tools["verify"](connected, said, _progress(quiet), before).as_data()
    return found


def _head(current: Settings, dsn: str, service: str) -> Head:
    with connection(current, dsn, service) as connected:
        position, hash, signature = sealer.head(connected)
    return heads.check(current.secrets / "sources", current.source(service), position, hash, signature)


def _progress(quiet: bool) -> Any:
    def report(count: int) -> None:
        if not quiet and count % 20_000 == 0:
            errors.print(f"{count} events verified …")

    return report


def _show_verdict(verdict: dict[str, Any]) -> None:
    for problem in verdict["problems"]:
        console.print(f"index {problem['index']}: {problem['problem']}", markup=False)
    word = "verified 核验通过" if verdict["verified"] else "NOT VERIFIED 核验未通过"
    console.print(f"{word}: {verdict['size']} events, head {verdict['root']}", soft_wrap=True)
    for source, position in verdict["sources"].items():
        console.print(f"  {source} up to {position}")


def trail(
    kind: Annotated[Kind, typer.Argument(help="What ID is.")],
    id: Annotated[str, typer.Argument(metavar="ID", help="The whole id, as events show it.")],
    after: Annotated[int, typer.Option(help="Only entries behind this log index.")] = -1,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 1000,
    as_json: Json = False,
) -> None:
    """Show everything that happened around somebody or something, in the order of the audit log."""
    current = settings()
    with (
        admin(current) as dsn,
        connection(current, dsn, "audit") as connected,
        connected.cursor(row_factory=dict_row) as rows,
    ):
        steps = definition("audit").tools["trail"](rows, kind.value, id, after, limit)
    if as_json:
        tell({"kind": kind.value, "id": id, "events": steps})
        return
    if not steps:
        raise Failed(f"the log has no {kind.value} {id[:80]}; copy the whole id from an event or a report")
    table = Table("index", "time", "event 事件", "actor 操作人", "role 角色", "what 内容")
    for step in steps:
        about = ", ".join(f"{key}={value}" for key, value in step["data"].items() if key != kind.value)
        table.add_row(
            str(step["index"]),
            step["time"][:19],
            step["type"],
            step["actor"][-12:],
            step["role"],
            about[:120],
        )
    console.print(table)
