"""`memory_…`: MB of each process, idle and under load. `start_…`: seconds until the embedded node is up."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from uuid import uuid4

from bench import clients, machine, signing
from bench.calling import trainers_token
from bench.figures import Figure
from bench.stage import Stage
from bench.waiting import number, until
from shared.contracts import SERVICES, SOURCES
from shared.testing.processes import PROJECT, environment
from shared.testing.rabbitmq.node import Ports

NODE_LIMIT = 300.0
_PORT = 8495


def figures(stage: Stage) -> Iterator[Figure]:
    yield from _distributed(stage)
    yield from _embedded(stage)
    yield from _starting(stage)


def _distributed(stage: Stage) -> Iterator[Figure]:
    """All processes; the load is commands to registration, so on those that its events reach."""
    idle: dict[str, list[float]] = {}
    load: dict[str, list[float]] = {}
    for _ in range(stage.plan.rounds):
        stage.fresh()
        with stage.bus() as bus, stage.processes(bus) as processes:
            running = {f"serve_{service}": processes.run("serve", service) for service in SERVICES}
            running |= {f"relay_{service}": processes.run("relay", service) for service in SOURCES}
            listens = f"127.0.0.1:{Ports.free().amqp}"
            running["serve_gateway"] = processes.run("serve", "gateway", http=listens)
            running |= signing.run(stage, processes, stage.folder / f"signer-{uuid4()}")
            with stage.admin("audit") as connection:
                until(lambda: number(connection, "SELECT count(*) FROM checkpoints") > 3, "audit asks")
            time.sleep(2)
            _note(idle, {name: machine.memory(process.id) for name, process in running.items()})
            calling = {"url": bus, "token": trainers_token(stage)}
            clients.rate("bench.calling:commanding", 2, stage.plan.steady / 6, **calling)
            _note(load, {name: machine.memory(process.id, most=True) for name, process in running.items()})
    for name in idle:
        yield Figure(f"memory_{name}_idle", "MB", idle[name], at_most=True)
        yield Figure(f"memory_{name}_load", "MB", load[name], "idle", idle[name], at_most=True)


def _note(noted: dict[str, list[float]], found: dict[str, float]) -> None:
    for name, value in found.items():
        noted.setdefault(name, []).append(value)


def _embedded(stage: Stage) -> Iterator[Figure]:
    idle, load = [], []
    for _ in range(stage.plan.rounds):
        stage.fresh()
        with Up(stage, settings={"JIANDING_HTTP": f"127.0.0.1:{_PORT}", "JIANDING_RATE": "0"}) as node:
            time.sleep(2)
            idle.append(machine.memory(node.id))
            commanding = {"port": _PORT, "kind": "command", "token": trainers_token(stage), "wanted": []}
            seconds = stage.plan.steady / 6
            clients.once("bench.door:asking", **commanding, seconds=seconds)
            load.append(machine.memory(node.id, most=True))
    yield Figure("memory_node_idle", "MB", idle, aim=NODE_LIMIT, at_most=True)
    note = "the most while a client sends commands by HTTP; PostgreSQL's processes not counted"
    yield Figure("memory_node_load", "MB", load, aim=NODE_LIMIT, at_most=True, note=note)


def _starting(stage: Stage) -> Iterator[Figure]:
    note = "PostgreSQL included, on data that exists and holds no event"
    stage.fresh()
    yield Figure("start_node_empty", "s", starts(stage), at_most=True, note=note)


def starts(stage: Stage) -> list[float]:
    """Seconds from the command `jianding up` to its ready line, PostgreSQL stopped before."""
    found = []
    for _ in range(stage.plan.rounds):
        with Up(stage, cold=True) as node:
            found.append(node.seconds)
    return found


class Up:
    """`jianding up` on the stage's data, for the length of a `with`; `cold`: PostgreSQL starts with it."""

    def __init__(
        self, stage: Stage, *, cold: bool = False, settings: Mapping[str, str] | None = None
    ) -> None:
        self._cold = cold
        self._postgres = stage.cluster.postgres
        self._environment = environment(stage.cluster) | {
            "JIANDING_DATABASE_URL": "",
            "PYTHONWARNINGS": "ignore",
            **(settings or {}),
        }

    def __enter__(self) -> "Up":
        if self._cold:
            self._postgres.stop()
        began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "shared.runtime.cli", "up"],
            cwd=PROJECT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if " are up on " in line:
                break
        else:
            raise ChildProcessError("the node ended before it was up")
        self.seconds = time.monotonic() - began
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=60)
        self._postgres.start()  # the node has stopped it, if nobody else used it

    @property
    def id(self) -> int:
        return self._process.pid
