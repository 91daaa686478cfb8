"""psycopg under eventlet: waiting for the database does not stop the process."""

from pathlib import Path

from shared.testing.postgres import Cluster
from shared.testing.processes import Processes, environment

FIVE = """
import os
from shared.runtime import hub

hub.patch()
import eventlet
import psycopg
import shared.store

connections = [psycopg.connect(os.environ["JIANDING_DATABASE_URL"]) for _ in range(5)]

def sleep(number, connection):
    print("asks", number)
    connection.execute("SELECT pg_sleep(0.5)")
    print("answered", number)

greenlets = [eventlet.spawn(sleep, number, each) for number, each in enumerate(connections)]
for greenlet in greenlets:
    greenlet.wait()
for connection in connections:
    connection.close()
"""

WRONG_ORDER = """
import psycopg
assert psycopg.waiting.wait.__name__ == "wait_c", "this psycopg has no waiter in C to be caught"
import shared.store
"""

RIGHT_ORDER = """
import shared
import psycopg
import shared.store
print(psycopg.waiting.wait.__module__)
"""


def test_five_queries_of_five_greenlets_are_asked_before_the_first_is_answered(
    cluster: Cluster, tmp_path: Path
) -> None:
    with Processes(tmp_path, environment(cluster)) as processes:
        program = processes.program("-c", FIVE)
        assert program.wait() == 0, program.log.read_text()
        assert [line.split()[0] for line in program.said("")] == ["asks"] * 5 + ["answered"] * 5


def test_psycopg_imported_before_us_with_its_waiter_in_c_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    with Processes(tmp_path, environment(cluster)) as processes:
        program = processes.program("-c", WRONG_ORDER)
        assert program.wait() == 1
        assert program.said("ImportError: psycopg was imported before `shared`")


def test_imported_after_us_psycopg_waits_as_the_process_does(cluster: Cluster, tmp_path: Path) -> None:
    with Processes(tmp_path, environment(cluster)) as processes:
        program = processes.program("-c", RIGHT_ORDER)
        assert program.wait() == 0
        assert program.said("shared.store.waiting")
