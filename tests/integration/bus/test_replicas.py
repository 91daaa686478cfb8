"""Two of everything at once: one log, whole and in order."""

import orjson

from shared.testing.calls import calling
from shared.testing.processes import Processes
from shared.testing.rabbitmq.node import wait_until
from shared.wire.envelope import GENESIS, digest
from tests.integration.bus.ledger import SOON, TRAINER, Ledger, training


def test_two_services_and_two_relays_accept_each_of_two_hundred_commands_once(
    bus: str, ledger: Ledger, processes: Processes
) -> None:
    processes.run("serve", "audit")
    for _ in range(2):
        processes.run("serve", "registration")
    relays = [processes.run("relay", "registration") for _ in range(2)]
    commands = [training() for _ in range(200)]
    with calling(bus, TRAINER) as ask:
        asked = [
            ask("registration", "record_training", later=True, **command)
            for command in commands
            for _ in range(2)  # everything is said twice, and meets both services
        ]
        answers = [orjson.dumps(each.result()) for each in asked]
    assert answers[::2] == answers[1::2]
    assert len(set(answers)) == 200
    ledger.await_audited(200)
    assert chained(ledger.log()) == 200
    assert sorted(orjson.loads(sealed)["commandid"] for sealed in ledger.log()) == sorted(
        str(command["command_id"]) for command in commands
    )
    assert ledger.entries() == ledger.log()
    for relay in relays:
        assert relay.running


def test_a_relay_that_stands_by_takes_over_from_a_killed_one(ledger: Ledger, processes: Processes) -> None:
    processes.run("serve", "audit")
    leading = processes.run("relay", "registration")
    ledger.trained(10)
    ledger.await_audited(10)
    processes.run("relay", "registration")
    leading.kill()
    ledger.trained(10)
    assert wait_until(lambda: ledger.audited() == 20, SOON)
    assert chained(ledger.log()) == 20
    assert ledger.entries() == ledger.log()


def chained(log: list[bytes]) -> int:
    """How many events of a log have the position and the previous hash that they should have."""
    head, count = GENESIS, 0
    for place, sealed in enumerate(log, start=1):
        event = orjson.loads(sealed)
        if (event["position"], event["previoushash"]) != (place, head.hex()):
            break
        head, count = digest(sealed), place
    return count
