"""The table of commands. Each imports what it needs when it runs, so that `--help` is quick."""

import logging
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from shared.runtime.cli import accounts, audit, calling, inspect, parking, run, signing, trail, verifying
from shared.runtime.cli.output import explained
from shared.runtime.settings import LEVELS, settings

app = typer.Typer(
    name="jianding",
    help="Jianding 职业技能鉴定: run the services, look into them, and check that nothing was altered.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Settings are environment variables; `jianding doctor` lists them with their meaning.",
)
parked = typer.Typer(
    help="Events that a handler could not take: list, rejected, show, repair, skip, replay.",
    no_args_is_help=True,
)
account = typer.Typer(
    help="Who may log in, and as what, straight on registration's database: open, list, appoint, close.",
    no_args_is_help=True,
)
audited = typer.Typer(
    help="The audit log for others to check: export, bundle, checkpoint, policy, findings, rotate-key.",
    no_args_is_help=True,
)

app.command("demo", short_help="Play twelve assessment batches. 演示")(run.demo)
app.command("up", short_help="Serve the data: all services in one process. 启动")(run.up)
app.command("serve", short_help="Run one service over RabbitMQ. 单个服务")(run.serve)
app.command("relay", short_help="Publish one service's log over RabbitMQ. 发布")(run.relay)
app.command("migrate", short_help="Bring databases up to date. 更新数据库")(run.migrate)
app.command("send", short_help="Ask a service for something. 提交命令或查询")(calling.send)
app.command("login", short_help="Log in, so that `send` asks as you. 登录")(calling.login)
app.command("logout", short_help="End that. 退出登录")(calling.logout)
app.command("doctor", short_help="Say what is wrong, and how to mend it. 检查")(inspect.doctor)
app.command("healthy", short_help="Exit 0 if database and bus answer. 探活")(inspect.healthy)
app.command("verify", short_help="Check that nothing was altered. 核验")(verifying.verify)
app.command("trail", short_help="Show all about somebody or something. 追溯")(trail.trail)
app.command("signer", short_help="Sign the audit log. 签署日志")(signing.signer)
app.command("witness", short_help="Cosign a log that only grows. 见证日志")(signing.witness)
app.command("rebuild", short_help="Build a projection anew. 重建视图")(parking.rebuild)
app.add_typer(parked, name="parked", short_help="Events that a handler could not take. 搁置的事件")
app.add_typer(account, name="account", short_help="Who may log in, and as what. 账号")
app.add_typer(audited, name="audit", short_help="The log for others to check. 日志导出与自证")
audited.command("export", short_help="Write the whole log as files. 导出")(audit.export)
audited.command("bundle", short_help="Write a trail that proves itself. 自证的追溯")(audit.bundle)
audited.command("checkpoint", short_help="Print the newest checkpoint. 检查点")(audit.checkpoint)
audited.command("policy", short_help="Print whose signatures count. 信任策略")(audit.policy)
audited.command("evidence", short_help="Print what shows a finding. 证据")(audit.evidence)
audited.command("findings", short_help="List what needs looking at. 发现")(audit.findings)
audited.command("rotate-key", short_help="Change the log's key. 更换密钥")(audit.rotate_key)
account.command("open", short_help="Open one; the first administrator's too. 开户")(accounts.open_)
account.command("list", short_help="List them. 列出")(accounts.list_)
account.command("appoint", short_help="Give one more appointment. 任职")(accounts.appoint)
account.command("close", short_help="Close one. 销户")(accounts.close)
parked.command("list", short_help="List what is parked. 列出")(parking.list_)
parked.command("rejected", short_help="List bodies that were no events. 拒收")(parking.rejected)
parked.command("show", short_help="Show one event, and why it is parked. 查看")(parking.show)
parked.command("repair", short_help="Give another payload for the replay. 修正")(parking.repair)
parked.command("skip", short_help="Go on without the event. 跳过")(parking.skip)
parked.command("replay", short_help="Hand the events on, in order. 重放")(parking.replay)


def _show_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"jianding {_version()}\n")
        raise typer.Exit


def _version() -> str:
    try:
        return version("jianding")
    except PackageNotFoundError:  # run from its folder, without having been installed
        project = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
        return str(tomllib.loads(project)["project"]["version"])


@app.callback()
def _options(
    log_level: Annotated[
        str, typer.Option(help="DEBUG, INFO, WARNING or ERROR; else JIANDING_LOG_LEVEL.", metavar="LEVEL")
    ] = "",
    _asked: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    level = (log_level or settings().log_level).upper()
    if level not in LEVELS:
        known = ", ".join(LEVELS)
        raise typer.BadParameter(f"{log_level[:20]} is not one of {known}", param_hint="--log-level")
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("kombu", "amqp", "psycopg.pool"):
        logging.getLogger(noisy).setLevel(max(logging.ERROR, logging.getLevelName(level)))
    logging.getLogger("nameko.containers").setLevel(logging.ERROR)  # a refusal is an answer, not a warning
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # of a broker that is away our own warning says all


def main() -> None:
    """The console script: expected failures end with one line that says what to do, and exit code 1."""
    with explained():
        app()
