"""Client processes that begin together: how much work is done in a second."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.testing.processes import PROJECT


class Client:
    """A process of bench/client.py that has prepared its work."""

    def __init__(self, job: dict[str, Any]) -> None:
        # a peer waits for its database as it would without us
        environment = {name: value for name, value in os.environ.items() if name != "PSYCOPG_WAIT_FUNC"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.client"],
            cwd=PROJECT,
            env=environment | {"PYTHONWARNINGS": "ignore"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell(json.dumps(job))

    @property
    def id(self) -> int:
        return self._process.pid

    def ready(self) -> None:
        self.heard()

    def go(self) -> None:
        self._tell("go")

    def heard(self) -> Any:
        """What it says next; ChildProcessError if it ended instead, its traceback being on standard error."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ChildProcessError(f"a client ended with {self._process.wait()}")
        return json.loads(line)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


@contextmanager
def together(*jobs: dict[str, Any]) -> Iterator[list[Client]]:
    """Clients for these jobs, all prepared and then told to begin."""
    clients = [Client(job) for job in jobs]
    try:
        for client in clients:
            client.ready()
        for client in clients:
            client.go()
        yield clients
    finally:
        for client in clients:
            client.end()


def rate(work: str, clients: int, seconds: float, **arguments: Any) -> float:
    """Repetitions in a second, of all clients together; each gets its `number` besides the arguments."""
    jobs = [
        {"work": work, "seconds": seconds, "arguments": {"number": number, **arguments}}
        for number in range(clients)
    ]
    with together(*jobs) as running:
        return sum(heard["done"] / heard["seconds"] for heard in [client.heard() for client in running])


def once(work: str, **arguments: Any) -> dict[str, Any]:
    """The work done a single time: `{seconds, said}`."""
    with together({"work": work, "times": 1, "arguments": arguments}) as (client,):
        heard: dict[str, Any] = client.heard()
        return heard
