"""A signer of the audit log and a witness of it, each a process of its own."""

from dataclasses import replace
from pathlib import Path

from bench.stage import Stage
from services.audit import keyring
from services.audit.domain.policy import Log, Witness, trusting
from shared.testing.processes import Process, Processes
from shared.testing.rabbitmq.node import Ports

_WITNESS = "witness.example/bench"


def run(stage: Stage, processes: Processes, folder: Path) -> dict[str, Process]:
    """Both, ready; they have signed nothing yet. `folder`, which does not exist yet, becomes theirs."""
    folder.mkdir()
    ours = replace(stage.cluster.settings, var=folder)
    listens, policy = f"127.0.0.1:{Ports.free().amqp}", folder / "policy"
    key = keyring.witness_key(keyring.own_witness(ours), _WITNESS).verifier
    logs = [Log(each.verifier) for each in keyring.log_keys(ours, make=True)]
    policy.write_text(trusting(logs, [Witness(_WITNESS, key, f"http://{listens}")]).text)
    running = {}
    for name, ready, words in (
        ("witness", "witness on", ("--listen", listens, "--name", _WITNESS)),
        ("signer", "signer of", ()),
    ):
        running[name] = processes.program("-m", "shared.runtime.cli", name, *words, var=folder, policy=policy)
        running[name].await_line(ready)
    return running
