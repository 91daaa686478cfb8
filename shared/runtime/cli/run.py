"""Commands that run something: the demo, the embedded node, single services and relays."""

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shared.contracts import SERVICES, SOURCES
from shared.runtime.cli.output import Failed, Json, console, errors, tell
from shared.runtime.cli.signals import on_signal
from shared.runtime.settings import Settings, settings

if TYPE_CHECKING:
    from shared.runtime.demo.logins import Login

Served = StrEnum("Served", {name: name for name in (*SERVICES, "gateway")})  # type: ignore[misc]
Source = StrEnum("Source", {name: name for name in SOURCES})  # type: ignore[misc]


def demo(
    seed: Annotated[int, typer.Option(help="Another seed, other people and scores; the sums stay.")] = 1,
    as_json: Json = False,
) -> None:
    """Play twelve assessment batches through all services in this process, and sum up their events.

    Then three small batches are left under way, so that each demo login finds work to do.

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

    from shared.runtime.cli.access import admin, have_keys
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
        have_keys(current, dsn)
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

    def ready(address: str) -> None:
        _ready(f"{service.value} serves" + (f" {address}" if address else ""))

    if not run(current, service.value, ready, on_signal):
        _ready(f"{service.value} was stopped before it served / 启动前已停止")


def relay(service: Annotated[Source, typer.Argument(help="Whose log.")]) -> None:
    """Seal a service's log and publish it to RabbitMQ until SIGTERM. Several may run; one leads.

    封存并发布一个服务的事件。
    """
    from shared.runtime.relaying import relay as run

    current, stopping = _distributed(), []
    on_signal(lambda: stopping.append(True))
    _ready(f"relay of {service.value} runs")
    run(current, service.value, lambda: bool(stopping))


def migrate(as_json: Json = False) -> None:
    """Bring databases, roles and tables of all services up to date; safe to repeat. 更新数据库结构。"""
    from shared.runtime import databases
    from shared.runtime.cli.access import admin, is_ours
    from shared.runtime.definition import definition
    from shared.runtime.postgres import wait_for_database

    current = settings()
    with admin(current, create=True) as dsn:
        wait_for_database(dsn, 60)
        is_ours(current, dsn)
        applied = {name: databases.prepare(current, dsn, name, definition(name).package) for name in SERVICES}
    if as_json:
        tell({"applied": applied})
    else:
        for name, scripts in applied.items():
            console.print(f"{name}: {', '.join(scripts) or 'up to date'}")


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
