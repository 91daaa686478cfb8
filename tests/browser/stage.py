"""A node with a door and a small batch that is over, for a browser to look at; ends with its standard input.

python -m tests.browser.stage   prints `ready ADDRESS`. Its data goes under JIANDING_VAR.
"""

from shared.runtime.hub import patch

patch()

import random  # noqa: E402
import sys  # noqa: E402
from dataclasses import replace  # noqa: E402
from datetime import date  # noqa: E402
from typing import Any  # noqa: E402

import psycopg  # noqa: E402
from eventlet import tpool  # noqa: E402
from psycopg.conninfo import make_conninfo  # noqa: E402

from shared.kernel.actors import Role  # noqa: E402
from shared.kernel.ids import new_id  # noqa: E402
from shared.runtime.demo import logins  # noqa: E402
from shared.runtime.demo.people import fictional  # noqa: E402
from shared.runtime.demo.play import Play  # noqa: E402
from shared.runtime.demo.term import SITTING, Plan  # noqa: E402
from shared.runtime.node import Node  # noqa: E402
from shared.runtime.postgres import Postgres  # noqa: E402
from shared.runtime.settings import settings  # noqa: E402
from shared.store import migrations  # noqa: E402

_LONG_AGO = 800
_PLAN = Plan(logins.KEY, "4月16日", SITTING, 8, {3: 2, 4: 4}, {3: 2, 4: 2}, date(2026, 4, 16), 1, 0, 1)
# what a consumer could not take: two real events of the log, as if its handler had failed once
_PARK = """
INSERT INTO parked (consumer, source, position, stream, type, sealed, reason)
SELECT 'register', convert_from(sealed, 'UTF8')::json ->> 'source', position, 'a-test-' || position,
       convert_from(sealed, 'UTF8')::json ->> 'type', sealed, 'KeyError: of a test'
  FROM log WHERE convert_from(sealed, 'UTF8')::json ->> 'type' = 'CandidateRegistered'
 ORDER BY position LIMIT 2
"""


def perform() -> None:
    """Everything in order; the node stops when whoever started it is gone."""
    current = replace(settings(), http="127.0.0.1:0", late_days=_LONG_AGO)
    postgres = Postgres(current)
    postgres.start()
    try:
        with Node(current, postgres.dsn, door=True) as node:
            people = _people()
            Play(node.call, _PLAN, people, 1, lambda *_: None).run()
            logins.open_all(node.call, current.var)
            _park(postgres.dsn)
            print(f"ready {node.address}", flush=True)
            tpool.execute(sys.stdin.read)
    finally:
        postgres.stop("immediate")


def _people() -> list[Any]:
    """One of them is the candidate who may log in."""
    first, *others = fictional(_PLAN.applying, random.Random(7), new_id)
    return [replace(first, id=logins.account(logins.KEY, Role.CANDIDATE)), *others]


def _park(dsn: str) -> None:
    with psycopg.connect(make_conninfo(dsn, dbname=migrations.database("registration"))) as connection:
        connection.execute(_PARK)


if __name__ == "__main__":
    perform()
