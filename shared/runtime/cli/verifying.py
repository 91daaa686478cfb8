"""The command verify: whether anything was altered, apart from what is only still on its way."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import Connection

from shared.contracts import SOURCES
from shared.kernel.ids import new_id
from shared.runtime import databases, ownlogs
from shared.runtime.cli.access import admin, connection, say
from shared.runtime.cli.output import Json, console, errors, tell
from shared.runtime.definition import definition
from shared.runtime.settings import Settings, settings
from shared.security import heads
from shared.security.heads import Head
from shared.store import migrations, sealer, standing

_OFTEN = 50_000  # events after which verify tells how far it is
_LAGS = 5  # seconds at most that verify waits for a log that is behind
_OF_A_SOURCE = 10  # differences that are told; of the others, how many they are
_CODES = {"verified": 0, "altered": 1, "behind": 3, "unwitnessed": 4}


def verify(as_json: Json = False) -> None:
    """Check that nothing was altered: the audit log's tree, what was published of it, every source's chain.

    With the embedded PostgreSQL, every service's own log is compared with what the audit log has of it, event
    by event; with another one, its signed head is. Exit code 0: verified. 1: something was altered, and is
    named. 3: nothing was, but events are not in the audit log yet; `jianding up` lets them arrive. 4: nothing
    was, but the newest published checkpoint lacks the witnesses that the policy asks for now.

    核验日志未被改动。退出码：0 通过；1 有改动；3 有事件尚未到达审计日志；4 已发布的检查点会签不足。
    """
    current = settings()
    with admin(current) as dsn:
        verdict = _verdict(current, dsn, as_json)
        _tell(current, dsn, verdict)
    if as_json:
        tell(verdict)
    else:
        _show(verdict)
    sys.exit(_CODES[verdict["verdict"]])


def _verdict(current: Settings, dsn: str, quiet: bool) -> dict[str, Any]:
    tools = definition("audit").tools
    with connection(current, dsn, "audit") as connected:
        before = tools["reached"](connected)
        said, taken = _arrived(current, dsn, connected)
        promise = tools["promise"](connected, current)
        own = databases.as_role(current, dsn, "audit", migrations.service_role("audit"))
        verdict = tools["verify"](own, said, _progress(quiet), before)
        verdict.problems += tools["broken"](connected, current, promise, verdict)
        verdict.lacking = tools["lacking"](promise)
    found: dict[str, Any] = verdict.as_data()
    _part(found, said, taken)
    if current.embedded_postgres:
        found["problems"] += _of_own_logs(current, dsn)
        indexes = [each["index"] for each in found["problems"] if each["index"] is not None]
        found["first"] = min(indexes, default=None)
    found["own_logs"] = "compared" if current.embedded_postgres else "heads"
    found["verdict"] = next((word for word, is_so in _graver(found) if is_so), "verified")
    return found


def _graver(found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "altered", found["problems"]
    yield "unwitnessed", found["lacking"]
    yield "behind", found["missing"]


def _tell(current: Settings, dsn: str, found: dict[str, Any]) -> None:
    """That it was verified is an event; but a database that takes none does not hide what was found in it."""
    id = new_id()
    said = definition("audit").tools["say_verified"](id, found, found["verdict"])
    try:
        with connection(current, dsn, "audit") as connected:
            say(current, connected, said, id)
    except psycopg.DatabaseError as error:
        errors.print(
            f"核验未能记入审计日志 the verification could not be recorded: {type(error).__name__}",
            soft_wrap=True,
        )


def _arrived(current: Settings, dsn: str, audit: Connection[Any]) -> tuple[list[Head], dict[str, int]]:
    """The sources' heads, and how far audit has taken each; what was decided a moment ago is waited for."""
    for left in reversed(range(_LAGS + 1)):
        said = [_head(current, dsn, service) for service in SOURCES]
        taken = {source: at for (name, source), at in standing.applied(audit).items() if name == "log"}
        if not left or all(head.position <= taken.get(head.source, 0) for head in said):
            break
        time.sleep(1)
    return said, taken


def _part(found: dict[str, Any], said: list[Head], taken: dict[str, int]) -> None:
    """Puts what is only behind from `problems` into `missing`: {source: how many events}."""
    found["missing"] = {}
    for head in said:
        has = found["sources"].get(head.source, 0)
        if head.source not in found["behind"] or head.position <= has:
            continue
        if has < (had := taken.get(head.source, 0)):  # so they have been there
            found["problems"].append(_problem(f"{head.source}: of {had} events that it had, it has {has}"))
        found["missing"][head.source] = head.position - has
        late = _problem(f"{head.source}: its head {head.position} has not reached the log")
        found["problems"] = [problem for problem in found["problems"] if problem != late]


def _problem(what: str, index: int | None = None) -> dict[str, Any]:
    return {"index": index, "problem": what}


def _of_own_logs(current: Settings, dsn: str) -> list[dict[str, Any]]:
    """With the index of what audit has of the event: one of the two is not what it was."""
    tools, told, counts = definition("audit").tools, [], Counter[str]()
    for service in SOURCES:
        source = current.source(service)
        with connection(current, dsn, "audit") as audit, connection(current, dsn, service) as log:
            for position, what in ownlogs.differences(log, tools["hashes"](audit, source)):
                counts[source] += 1
                if counts[source] <= _OF_A_SOURCE:
                    index = tools["index"](audit, source, position)
                    told.append(_problem(f"{source}: position {position} of its own log: {what}", index))
    more = [(source, count - _OF_A_SOURCE) for source, count in counts.items() if count > _OF_A_SOURCE]
    return told + [_problem(f"{source}: {count} more positions of its own log") for source, count in more]


def _head(current: Settings, dsn: str, service: str) -> Head:
    with connection(current, dsn, service) as connected:
        position, hash, signature = sealer.head(connected)
    return heads.check(current.secrets / "sources", current.source(service), position, hash, signature)


def _progress(quiet: bool) -> Any:
    told = 0

    def report(count: int) -> None:
        nonlocal told
        if not quiet and count >= told + _OFTEN:
            told = count
            errors.print(f"{count} events verified … 已核验 {count} 条")

    return report


def _show(verdict: dict[str, Any]) -> None:
    for problem in verdict["problems"]:
        place = "" if problem["index"] is None else f"index {problem['index']}: "
        console.print(f"{place}{problem['problem']}", markup=False, soft_wrap=True)
    for more in verdict["more"]:
        line = f"and {more['count']} more 另有 {more['count']} 处: {more['problem']}"
        console.print(line, markup=False, soft_wrap=True)
    for source, count in verdict["missing"].items():
        console.print(
            f"{count} events of {source} are not in the log yet; run `jianding up` so that they arrive"
            f" / {source} 有 {count} 条事件尚未到达审计日志，请运行 jianding up",
            soft_wrap=True,
        )
    if verdict["lacking"]:
        console.print(
            f"{verdict['lacking']}; after a change of the policy, `jianding up` waits for its witnesses"
            " / 会签未达到现行策略的要求；策略刚变更时，请运行 jianding up 等待见证人会签",
            soft_wrap=True,
        )
    words = {
        "verified": "verified 核验通过",
        "behind": "NOT ALL ARRIVED 尚未全部到达; nothing is altered 未发现改动",
        "unwitnessed": "UNWITNESSED 见证不足; nothing is altered 未发现改动",
        "altered": "NOT VERIFIED 核验未通过",
    }
    size, root = verdict["size"], verdict["root"]
    console.print(f"{words[verdict['verdict']]}: {size} events, head {root}", soft_wrap=True)
    if verdict["first"] is not None:
        console.print(f"  first bad index 首个异常位置: {verdict['first']}")
    for source, position in verdict["sources"].items():
        console.print(f"  {source} up to {position}")
    compared = {
        "compared": "the sources' own logs were compared event by event / 已逐条比对各来源自身的日志",
        "heads": "of the sources' own logs, the signed heads were compared / 已比对各来源签名的日志头",
    }
    console.print(f"  {compared[verdict['own_logs']]}")
