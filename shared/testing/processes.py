"""Services and relays as processes, as an operator starts them; for tests that stop and kill them.

with Processes(folder, environment(cluster, bus)) as processes:
    audit = processes.run("serve", "audit", fault="ack:1")
    assert audit.wait() == KILLED
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from shared.testing.postgres import Cluster
from shared.testing.rabbitmq.node import wait_until

PROJECT = Path(__file__).parents[2]
KILLED = 137  # the exit code of a process that a fault ended
_READY = {"serve": "{} serves", "relay": "relay of {} runs"}


class ProcessNotAsExpected(Exception):
    """A process did not do what was waited for; its last words follow."""


class Process:
    """One running program; all that it says goes to the file `log`."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def id(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def said(self, text: str) -> list[str]:
        """The lines that contain `text`."""
        return [
            line
            for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            if text in line
        ]

    @property
    def last_words(self) -> str:
        """The end of what it said."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]

    @property
    def last_line(self) -> str:
        """What it said last; empty if nothing."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else ""

    def await_line(self, text: str, seconds: float = 30) -> None:
        """Returns once it has said `text`; ProcessNotAsExpected if it ends or `seconds` pass before."""
        wait_until(lambda: bool(self.said(text)) or not self.running, seconds)
        if not self.said(text):
            raise self._not(f"did not say {text!r}")

    def stop(self, seconds: float = 20) -> int:
        """Asks it to end (SIGTERM) and waits; its exit code."""
        self._process.terminate()
        return self.wait(seconds)

    def wait(self, seconds: float = 30) -> int:
        """Its exit code, once it has ended by itself; ProcessNotAsExpected if it does not."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self._not("did not end") from None

    def expect(self, code: int, seconds: float = 30) -> None:
        """Returns once it has ended with this exit code; ProcessNotAsExpected if it does not."""
        if self.wait(seconds) != code:
            raise self._not(f"should have ended with {code}")

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def _not(self, what: str) -> ProcessNotAsExpected:
        code = self._process.poll()
        return ProcessNotAsExpected(f"{self.log.name} {what} (exit code {code}):\n{self.last_words}")


def environment(cluster: Cluster, bus: str = "", **settings: object) -> dict[str, str]:
    """What a process needs to find the servers; `catch_up_seconds=3600` sets JIANDING_CATCH_UP_SECONDS."""
    ours = {
        "JIANDING_VAR": cluster.settings.var,
        "JIANDING_SECRETS": cluster.settings.secrets,
        "JIANDING_AMQP_URL": bus,
        "JIANDING_DATABASE_URL": cluster.admin,
        "EVENTLET_NO_GREENDNS": "yes",  # takes a quarter of a start to import, and all servers have numbers
        "JIANDING_TOKENS": "accepted",  # tests that are about tokens say otherwise
        "PYTHONPATH": PROJECT,
        "PYTHONUNBUFFERED": 1,
        **{f"JIANDING_{name.upper()}": value for name, value in settings.items()},
    }
    theirs = {
        name: value for name, value in os.environ.items() if not name.startswith(("JIANDING_", "PSYCOPG_"))
    }
    return theirs | {name: str(value) for name, value in ours.items()}


class Processes:
    """The processes of one test; whatever still runs at the end is killed."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._all: list[Process] = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._all:
            process.kill()

    def run(
        self, command: str, service: str, *, fault: str = "", ready: bool = True, **settings: object
    ) -> Process:
        """`jianding serve SERVICE` or `jianding relay SERVICE`, ready unless `ready=False`.

        `fault` is a JIANDING_FAULT, such as `ack:1`; then only `.wait()` for its death, or pass `ready=False`
        if it may die before it is ready. Other settings as in `environment`.
        """
        if fault:
            settings["fault"] = fault
        process = self._start(
            f"{command}-{service}", ["-m", "shared.runtime.cli", command, service], settings
        )
        if ready:
            process.await_line(_READY[command].format(service))
        return process

    def program(self, *arguments: str | Path, **settings: object) -> Process:
        """Any other Python program with the same environment: `program("-c", "...")`, `program(path)`."""
        words = [str(word) for word in arguments]
        return self._start(Path(words[0]).stem.strip("-"), words, settings)

    def _start(self, name: str, words: list[str], settings: dict[str, object]) -> Process:
        more = {f"JIANDING_{name.upper()}": str(value) for name, value in settings.items()}
        log = self._folder / f"{len(self._all)}-{name}.log"
        self._all.append(Process(words, self._environment | more, log))
        return self._all[-1]
