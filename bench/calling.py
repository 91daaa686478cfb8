"""`rpc_…`: a command by nameko RPC to its commit, beside an empty nameko RPC."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jwt
from nameko.standalone.rpc import ClusterRpcProxy

from bench.commands import BODY, training
from bench.figures import Figure
from bench.stage import Stage
from bench.turns import in_turns
from shared.bus.calls import context
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.security.tokens import Mint

EMPTY = "empty nameko RPC"


def figures(stage: Stage) -> Iterator[Figure]:
    stage.fresh("registration")
    with stage.bus() as bus, stage.processes(bus) as processes:
        processes.run("serve", "registration")
        processes.program("-m", "bench.peers.empty", bus).await_line("ready")
        for count in (1, 16):
            a, b = in_turns(
                stage.plan.rounds,
                partial(stage.rate, "bench.calling:commanding", count, url=bus, token=trainers_token(stage)),
                partial(stage.rate, "bench.calling:asking", count, url=bus),
            )
            note = (
                f"培训登记 with a token over RabbitMQ by {count} client processes; one service process each"
            )
            yield Figure(f"rpc_{count}", "calls/s", a, EMPTY, b, 0.6, note=note)


def trainers_token(stage: Stage) -> str:
    """What a trainer has after logging in."""
    mint = Mint.load(stage.cluster.settings.tokens_folder, "/centre/registration")
    return mint.issue(Actor(new_id(), Role.TRAINER, BODY))


def commanding(url: str, token: str, number: int) -> Callable[[], Any]:
    """One command after the other, each new, in the name of whom the token names."""
    said = jwt.decode(token, options={"verify_signature": False})
    trainer = Actor(said["sub"], Role.TRAINER, BODY)
    call = _proxy(url, context(trainer, token=token)).registration.record_training

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
