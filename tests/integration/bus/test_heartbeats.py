"""Sources over real programs: they state their heads, and audit notices who falls silent or takes back."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.contracts import SOURCES
from shared.testing.postgres import Cluster
from shared.testing.processes import Processes, environment
from shared.testing.rabbitmq.node import wait_until
from tests.integration.bus.ledger import SOON, SOURCE, Ledger
from tests.integration.bus.queues import Queues

QUICK = {"heartbeat_seconds": 0.3, "silence_seconds": 2, "missing_seconds": 1}


@pytest.fixture
def processes(databases: Cluster, bus: str, tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path, environment(databases, bus, catch_up_seconds=3600, **QUICK)) as processes:
        yield processes


def found(ledger: Ledger) -> list[tuple[str, int | None, int | None]]:
    rows = ledger.audit.execute(
        "SELECT kind, first_position, last_position FROM findings WHERE source = %s ORDER BY id", (SOURCE,)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def stated(ledger: Ledger) -> int:
    row = ledger.audit.execute("SELECT position FROM source_heads WHERE source = %s", (SOURCE,)).fetchone()
    return int(row[0]) if row else -1


def restore(ledger: Ledger, position: int) -> None:
    """The source's database as a backup had it."""
    admin = ledger.registration
    with admin.transaction():
        admin.execute("DELETE FROM log WHERE position > %s", (position,))
        admin.execute("DELETE FROM heads WHERE position > %s", (position,))
        admin.execute(
            "UPDATE relay SET position = %s, published = %s,"
            " hash = (SELECT hash FROM log WHERE position = %s)",
            (position, position, position),
        )


def test_a_source_whose_relay_dies_is_silent_and_one_whose_database_is_set_back_is_found(
    ledger: Ledger, processes: Processes
) -> None:
    processes.run("serve", "audit")
    processes.run("serve", "registration")
    relay = processes.run("relay", "registration")
    ledger.trained(7)
    ledger.await_audited(7)
    assert wait_until(lambda: stated(ledger) == 7, SOON)
    relay.kill()
    assert wait_until(lambda: ("source-silent", 7, None) in found(ledger), SOON)
    assert {kind for kind, *_ in found(ledger)} <= {"source-silent", "source-returned"}
    restore(ledger, 4)
    processes.run("relay", "registration")
    assert wait_until(lambda: ("rolled-back", 5, 7) in found(ledger), SOON)
    assert wait_until(lambda: ("source-returned", 7, None) in found(ledger), SOON)
    assert stated(ledger) == 7


def test_audit_told_to_end_does_not_wait_for_sources_that_do_not_answer(
    queues: Queues, processes: Processes
) -> None:
    for source in SOURCES:
        queues.silence(source)
    audit = processes.run("serve", "audit")
    time.sleep(1)
    assert audit.stop(12) == 0
    assert not audit.said("Traceback")
