"""The table of commands. Each imports what it needs when it runs, so that `--help` is quick."""

import logging
import sys
from typing import Annotated

import typer

from shared.runtime.cli import inspect, parking, run
from shared.runtime.cli.output import explained
from shared.runtime.settings import settings

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
    help="Events that a handler could not take: list, show, repair, skip, replay.", no_args_is_help=True
)

app.command("demo")(run.demo)
app.command("up")(run.up)
app.command("serve")(run.serve)
app.command("relay")(run.relay)
app.command("migrate")(run.migrate)
app.command("send")(run.send)
app.command("doctor")(inspect.doctor)
app.command("healthy")(inspect.healthy)
app.command("verify")(inspect.verify)
app.command("trail")(inspect.trail)
app.command("rebuild")(parking.rebuild)
app.add_typer(parked, name="parked")
parked.command("list")(parking.list_)
parked.command("show")(parking.show)
parked.command("repair")(parking.repair)
parked.command("skip")(parking.skip)
parked.command("replay")(parking.replay)


@app.callback()
def _options(
    log_level: Annotated[
        str, typer.Option(help="DEBUG, INFO, WARNING or ERROR; else JIANDING_LOG_LEVEL.", metavar="LEVEL")
    ] = "",
) -> None:
    level = (log_level or settings().log_level).upper()
    if level not in logging.getLevelNamesMapping():
        raise typer.BadParameter(f"{level} is not DEBUG, INFO, WARNING or ERROR", param_hint="--log-level")
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("pika", "kombu", "amqp", "psycopg.pool"):
        logging.getLogger(noisy).setLevel(max(logging.ERROR, logging.getLevelName(level)))
    logging.getLogger("nameko.containers").setLevel(logging.ERROR)  # a refusal is an answer, not a warning


def main() -> None:
    """The console script: expected failures end with one line that says what to do, and exit code 1."""
    with explained():
        app()
