"""Programs around the audit log's signatures: its signer, and witnesses of any log."""

import sys
import time
from collections.abc import Callable
from typing import Annotated

import typer

from shared.runtime.cli.output import Failed
from shared.runtime.cli.signals import on_signal
from shared.runtime.definition import definition
from shared.runtime.settings import settings

_PORT = 8460


def signer() -> None:
    """Sign the audit log of JIANDING_DATABASE_URL until SIGTERM; `jianding up` does so by itself.

    签署审计日志。 It needs the role audit_signer, secrets/signer/log.key, the policy, and its memory in
    JIANDING_VAR.
    """
    current, stopping = settings(), []
    if current.embedded_postgres:
        raise Failed(
            "set JIANDING_DATABASE_URL to run the signer as a program of its own; `jianding up` signs itself"
        )
    tools = definition("audit").tools
    tools["policy"](current)
    on_signal(lambda: stopping.append(True))
    _say(f"signer of {current.origin} runs")
    tools["sign"](current, current.database_url, lambda: bool(stopping))


def witness(
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where to listen; port 0 takes a free one.")
    ] = f"127.0.0.1:{_PORT}",
    name: Annotated[str, typer.Option(help="Its name, such as witness.example.cn/1.")] = "",
    log: Annotated[
        list[str] | None,
        typer.Option(metavar="VKEY", help="Public key of a log to cosign, once for each; else the policy's."),
    ] = None,
) -> None:
    """Cosign the checkpoints of logs, each only if it continues the last, until SIGTERM. 见证审计日志。

    It keeps its key in secrets/witness and what it has cosigned in JIANDING_VAR/witness: lose neither.
    Give the public key that it prints to the log, for its policy.
    """
    stopping: list[bool] = []
    on_signal(lambda: stopping.append(True))
    definition("audit").tools["witness"](
        settings(),
        _place(listen),
        name,
        log or [],
        lambda place, vkey: _say(f"witness on http://{place} {vkey}"),
        lambda: _until(lambda: bool(stopping)),
    )


def _place(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise Failed(f"--listen {listen[:100]}: HOST:PORT is needed, such as 0.0.0.0:{_PORT}")
    return host.strip("[]"), int(port)


def _until(done: Callable[[], bool]) -> None:
    """Looks from time to time: a hub that waits for nobody else would not notice what a signal has said."""
    while not done():
        time.sleep(0.2)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
