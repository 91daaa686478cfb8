"""`rpc_…`: a command by nameko RPC to its commit, beside an empty nameko RPC."""

from collections.abc import Callable, Iterator
from typing import Any

from nameko.standalone.rpc import ClusterRpcProxy

from bench import clients
from bench.commands import BODY, training
from bench.figures import Figure
from bench.stage import Stage
from shared.bus.calls import context
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id

EMPTY = "empty nameko RPC"


def figures(stage: Stage) -> Iterator[Figure]:
    stage.fresh("registration")
    with stage.bus() as bus, stage.processes(bus) as processes:
        processes.run("serve", "registration")
        processes.program("-m", "bench.peers.empty", bus).await_line("ready")
        for count in (1, 16):
            a, b = [], []
            for _ in range(stage.plan.rounds):
                stage.settle()
                a.append(clients.rate("bench.calling:commanding", count, stage.plan.seconds, url=bus))
                b.append(clients.rate("bench.calling:asking", count, stage.plan.seconds, url=bus))
            note = f"培训登记 over RabbitMQ by {count} client processes; one service process each"
            yield Figure(f"rpc_{count}", "calls/s", a, EMPTY, b, 0.6, note=note)


def commanding(url: str, number: int) -> Callable[[], Any]:
    """One command after the other, each new."""
    trainer = Actor(f"0199c0de-0000-7000-8000-{number:012x}", Role.TRAINER, BODY)
    call = _proxy(url, context(trainer)).registration.record_training

    def once() -> Any:
        return call(command_id=new_id(), **training())

    once()
    return once


def asking(url: str, number: int) -> Callable[[], Any]:
    """The same fields, for a method that does nothing."""
    trainer = Actor(f"0199c0de-0000-7000-8000-{number:012x}", Role.TRAINER, BODY)
    call = _proxy(url, context(trainer)).empty.nothing

    def once() -> Any:
        return call(command_id=new_id(), **training())

    once()
    return once


def _proxy(url: str, data: dict[str, Any]) -> Any:
    return ClusterRpcProxy({"AMQP_URI": url}, context_data=data, timeout=30).start()
