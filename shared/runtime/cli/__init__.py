"""`jianding`, the command line: one module for each group of commands."""

import gc
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

from shared.runtime.cli.signals import handle

_SERVERS = {"up", "serve", "relay", "signer", "witness"}


def main() -> None:
    """The console script. Eventlet is patched before anything else is imported; the relay waits with pika."""
    gc.disable()  # what is imported stays: to look for garbage among it is a tenth of a start
    _open_what_is_closed()
    for stream in (sys.stdin, sys.stdout, sys.stderr):  # whatever the locale says: ours are two languages
        if stream is not None:
            errors = "surrogateescape" if stream is sys.stdin else "backslashreplace"
            stream.reconfigure(encoding="utf-8", errors=errors)  # type: ignore[union-attr]
    handle(_stopped)
    warnings.filterwarnings(
        "ignore", message=r"\s*Eventlet is deprecated"
    )  # it says so itself; nameko needs it
    if "relay" not in sys.argv[1:4]:
        _patch()
    from shared.runtime.cli.main import main as run

    gc.freeze()
    gc.enable()
    run()


def _patch() -> None:
    if not _SERVERS & set(sys.argv[1:4]):
        # a resolver that waits cooperatively takes longer to import than many a command to run
        os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
    from shared.runtime import hub

    hub.patch()


def _open_what_is_closed() -> None:
    """Without standard output there is no answer: one line says so, where there is somebody to read it."""
    nowhere = Path(os.devnull)
    sys.stdin = sys.stdin or nowhere.open(encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")
    if sys.stdout is None:
        sys.stderr.write(
            "jianding: 标准输出已关闭，请打开或重定向。 Standard output is closed; redirect it.\n"
        )
        sys.exit(1)


def _stopped(number: int, _frame: Any) -> None:
    """Ends in one line whatever is not yet, or never, told of signals; servers are stopped by SIGTERM."""
    sys.stderr.write("stopped / 已停止\n")
    sys.exit(
        0 if number in (signal.SIGTERM, signal.SIGHUP) and _SERVERS & set(sys.argv[1:3]) else 128 + number
    )
