"""Commands that run something: the demo, the embedded node, single services and relays, a single call."""

import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shared.contracts import SERVICES, SOURCES
from shared.runtime.cli.output import Failed, Json, console, errors, tell
from shared.runtime.cli.signals import on_signal
from shared.runtime.cli.typed import fields
from shared.runtime.settings import Settings, settings

if TYPE_CHECKING:
    from shared.runtime.demo.logins import Login

Service = StrEnum("Service", {name: name for name in SERVICES})  # type: ignore[misc]
Served = StrEnum("Served", {name: name for name in (*SERVICES, "gateway")})  # type: ignore[misc]
Source = StrEnum("Source", {name: name for name in SOURCES})  # type: ignore[misc]

_MESSAGE = (
    "The fields as a JSON object; `-` reads standard input, as it should where somebody's identity is in it:"
    " `ps` and the shell's history show arguments. 含个人信息时请用 - 从标准输入提交。"
)


def demo(
    seed: Annotated[int, typer.Option(help="Another seed, other people and scores; the sums stay.")] = 1,
    as_json: Json = False,
) -> None:
    """Play twelve assessment batches through all services in this process, and sum up their events.

    Its data stays under JIANDING_VAR (var/): `jianding up` serves it afterwards. The next demo
    begins anew, and replaces what a demo made there, never anything else.

    用虚构人员演示十二个批次的全过程，并汇总事件。
    """
    from shared.runtime.cli.summary import progress, show
    from shared.runtime.demo.run import Interrupted, run

    try:
        with progress(errors if as_json else console) as (step, say):
            report = run(settings(), seed, step, say, lambda stop: on_signal(lambda: _quietly(stop)))
    except Interrupted:
        errors.print("stopped; `make demo` begins anew / 已停止；make demo 会重新开始", soft_wrap=True)
        sys.exit(130)
    if as_json:
        tell(report)
    else:
        show(report)
    if not report["audit"]["verified"]:
        raise Failed("the audit log does not verify; `jianding verify` says where")


def up() -> None:
    """Serve the embedded node on the data under JIANDING_VAR until Ctrl-C: five services, bus in memory.

    在本机提供全部五个服务，按 Ctrl-C 停止。
    """
    import eventlet

    from shared.runtime.cli.access import admin
    from shared.runtime.demo import logins
    from shared.runtime.lease import lease
    from shared.runtime.node import Node

    stopped = eventlet.event.Event()
    on_signal(lambda: stopped.ready() or stopped.send(None))
    current = settings()
    if current.amqp_url:
        errors.print(
            "JIANDING_AMQP_URL is ignored: the bus of `jianding up` is in memory / 忽略 JIANDING_AMQP_URL",
            soft_wrap=True,
        )
        current = replace(current, amqp_url="")
    with lease(current.var), admin(current, create=True) as dsn:
        _have_keys(current, dsn)
        with Node(current, dsn, door=True) as node:
            size = node.call("audit", "head", _operator(current))["size"]
            console.print(
                f"{', '.join(SERVICES)} are up on {current.var} with {size} events in the audit log."
            )
            console.print(f"Console {node.address}/ 网页", soft_wrap=True, highlight=False)
            console.print(f"API {node.address}/api/v1/docs 接口说明", soft_wrap=True, highlight=False)
            console.print(
                "Ctrl-C stops it. 按 Ctrl-C 停止。"
                " Try: jianding verify, jianding trail batch ID, jianding doctor"
            )
            _show(logins.shown(current.var))
            _until(current, stopped)
    console.print("stopped / 已停止")


def _operator(current: Settings) -> dict[str, Any]:
    """Whoever runs the node holds all its keys: he is introduced by registration's."""
    from shared.bus.calls import context
    from shared.kernel.actors import Actor, Role
    from shared.security.tokens import Mint

    operator = Actor("operator", Role.ADMINISTRATOR, current.body)
    mint = Mint.load(current.tokens_folder, current.source("registration"))
    return context(operator, token=mint.issue(operator))


def _show(logins: Iterable["Login"]) -> None:
    for place, login in enumerate(logins):
        if place == 0:
            console.print(
                f"Demo logins, not for production; the password is {login.password}."
                f" 演示账号，仅供演示，密码均为 {login.password}：",
                soft_wrap=True,
            )
        console.print(f"    {login.name:<22} {login.appointment}", markup=False, soft_wrap=True)


def _until(current: Settings, stopped: Any) -> None:
    """Returns once the node is to be stopped. Without its database there is nothing to stop in order."""
    from shared.runtime.keeper import PostgresEnded, keep
    from shared.runtime.postgres import Postgres

    if not current.embedded_postgres:
        stopped.wait()
        return
    postgres = Postgres(current)
    try:
        keep(postgres, stopped)
    except PostgresEnded as ended:
        errors.print(f"jianding: {' '.join(str(ended.__doc__).split())}", soft_wrap=True, markup=False)
        _leave(1)
    if not postgres.alive():
        console.print("stopped / 已停止")
        _leave(0)


def _leave(code: int) -> None:
    """At once: whoever waits for the database would wait for as long as its pool has patience."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def serve(service: Annotated[Served, typer.Argument(help="Which one.")]) -> None:
    """Run one service over RabbitMQ (JIANDING_AMQP_URL) and PostgreSQL until SIGTERM. 运行一个服务。

    `gateway` is the door: HTTP at JIANDING_HTTP, and no database.
    """
    from shared.runtime.processes import serve as run

    current = _over_rabbit() if service.value == "gateway" else _distributed()
    if not run(current, service.value, lambda: _ready(f"{service.value} serves"), on_signal):
        _ready(f"{service.value} was stopped before it served / 启动前已停止")


def relay(service: Annotated[Source, typer.Argument(help="Whose log.")]) -> None:
    """Seal a service's log and publish it to RabbitMQ until SIGTERM. Several may run; one leads.

    封存并发布一个服务的事件。
    """
    from shared.runtime.processes import relay as run

    current, stopping = _distributed(), []
    on_signal(lambda: stopping.append(True))
    _ready(f"relay of {service.value} runs")
    run(current, service.value, lambda: bool(stopping))


def migrate(as_json: Json = False) -> None:
    """Bring databases, roles and tables of all services up to date; safe to repeat. 更新数据库结构。"""
    from shared.runtime import databases
    from shared.runtime.cli.access import admin
    from shared.runtime.definition import definition
    from shared.runtime.postgres import wait_for_database

    current = settings()
    with admin(current, create=True) as dsn:
        wait_for_database(dsn, 60)
        _is_ours(current, dsn)
        applied = {name: databases.prepare(current, dsn, name, definition(name).package) for name in SERVICES}
    if as_json:
        tell({"applied": applied})
    else:
        for name, scripts in applied.items():
            console.print(f"{name}: {', '.join(scripts) or 'up to date'}")


def send(
    service: Annotated[Service, typer.Argument(help="Which service is asked.")],
    command: Annotated[
        str,
        typer.Argument(help="Such as submit_application; `list` shows them all, with fields and roles."),
    ],
    message: Annotated[str, typer.Argument(help=_MESSAGE)] = "{}",
    actor: Annotated[str, typer.Option(help="Who asks: an opaque id.")] = "",
    role: Annotated[str, typer.Option(help="In which role, such as exam_affairs.")] = "",
    body: Annotated[str, typer.Option(help="For which body: centre, or station-<8 digits>.")] = "",
    as_json: Json = False,
) -> None:
    """Send one command or question to a service, and print its answer. 向一个服务提交命令或查询。

    A command needs a command_id; sending the same one again gives the same answer.
    Identity goes through standard input: `send registration enrol_person - … < person.json`.
    """
    from shared.runtime.manual import methods

    if command == "list":
        _list_methods(service.value, as_json)
        return
    if command not in methods(service.value):
        raise Failed(_unknown(service.value, command))
    given = _given(message)
    data = {"actor": actor, "role": role, "body": body}
    try:
        _name_the_caller(data)
        answer = _ask(service.value, command, data, given)
    except Exception as error:
        problem = getattr(error, "problem", None)
        if problem is None or not as_json:
            raise
        tell({"error": problem})
        sys.exit(1)
    tell(answer) if as_json else console.print_json(json.dumps(answer, ensure_ascii=False))


def _given(message: str) -> dict[str, Any]:
    given = fields(message, "message")
    if "self" in given:  # which every method has already
        raise Failed("message: 没有字段 self，请删除。 The field self is unknown; leave it out.")
    return given


def _ask(service: str, command: str, data: dict[str, Any], fields: dict[str, Any]) -> Any:
    from shared.runtime.cli.access import admin
    from shared.runtime.demo.mark import somebodys
    from shared.runtime.processes import call_embedded, call_over_rabbit, is_command

    current = settings()
    if not current.embedded_bus:
        return call_over_rabbit(current, service, command, data, fields)
    with admin(current) as dsn:
        _have_keys(current, dsn)
        with somebodys(current.var) if is_command(fields) else nullcontext():
            return call_embedded(current, dsn, service, command, data, fields)


def _have_keys(current: Settings, dsn: str) -> None:
    """Before a service makes other keys, or speaks as another body, which would not fit the data."""
    from shared.runtime.checks import lost_keys

    _is_ours(current, dsn)
    for lost in lost_keys(current, dsn):
        raise Failed(f"密钥文件缺失，请从备份恢复。 {lost.found}; {lost.mend}")


def _is_ours(current: Settings, dsn: str) -> None:
    from shared.runtime.checks import foreign
    from shared.runtime.databases import AnotherBody

    if whose := foreign(current, dsn):
        raise AnotherBody(whose)


def _unknown(service: str, command: str) -> str:
    from shared.kernel.errors import UnknownCommand

    return f"{UnknownCommand()} ({service} {command[:60]})"


def _name_the_caller(data: dict[str, str]) -> None:
    """All that is missing, at once."""
    from shared.bus.calls import Refused
    from shared.kernel.actors import Role
    from shared.kernel.errors import InvalidInput

    missing = [name for name, value in data.items() if not value]
    if missing:
        options = ", ".join(f"--{name}" for name in missing)
        roles = ", ".join(role for role in Role if role is not Role.SERVICE)
        zh = f"请加上 {options}：操作人编号（不含个人信息）、角色、所属机构（centre 或 station-八位代码）。"
        en = (
            f"Add {options}: every call names who asks, by an opaque id such as a UUID, in which role"
            f" ({roles}), and for which body (centre, or station- and 8 digits)."
        )
        raise Refused.of(InvalidInput(missing[0], zh=zh, en=en))


def _list_methods(service: str, as_json: bool) -> None:
    from shared.runtime.manual import manual

    found = manual(service)
    if as_json:
        tell({method.name: method.as_data() for method in found})
        return
    for method in found:
        about = f"  {method.about}" if method.about else ""
        console.print(f"{method.name} ({method.kind}){about}", markup=False, soft_wrap=True)
        console.print(f"    roles 角色: {_roles(method.roles)}", markup=False, soft_wrap=True)
        for field in method.fields:
            optional = "" if field.required else "  (optional 可省略)"
            console.print(f"    {field.name}: {field.type}{optional}", markup=False, soft_wrap=True)


def _roles(roles: tuple[str, ...]) -> str:
    from shared.kernel.actors import Role

    others = [role for role in Role if role not in roles and role is not Role.SERVICE]
    if len(others) > 3:
        return ", ".join(roles)
    return f"every role but {', '.join(others)}" if others else "every role"


def _over_rabbit() -> Settings:
    current = settings()
    if current.embedded_bus:
        raise Failed(
            "set JIANDING_AMQP_URL to run the door as a process of its own; `jianding up` needs none"
        )
    return current


def _distributed() -> Settings:
    current = settings()
    if current.embedded_bus or current.embedded_postgres:
        raise Failed(
            "set JIANDING_AMQP_URL and JIANDING_DATABASE_URL to run services as processes of their own;"
            " `jianding up` needs neither"
        )
    return current


def _ready(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _quietly(stop: Callable[[], Any]) -> None:
    """Stops; whatever is cut off in the middle has nothing to say any more."""
    from eventlet import debug

    logging.disable()
    warnings.simplefilter("ignore")
    debug.hub_exceptions(False)
    stop()
