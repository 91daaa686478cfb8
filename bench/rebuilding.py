"""`rebuild`: a projection grown from the log's beginning beside a live one, which goes on answering."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from bench import clients, filling, lives
from bench.figures import Figure, percentile
from bench.stage import Stage
from shared.runtime.definition import definition
from shared.runtime.rebuilding import rebuild
from shared.store import builds

_ASKED = 20  # times a second that somebody looks at the live register


def figures(stage: Stage) -> Iterator[Figure]:
    count = stage.plan.events
    stage.fresh("registration")
    secrets = str(stage.cluster.settings.secrets / "sources")
    admin = stage.dsn("registration", "admin")
    clients.once("bench.filling:source", dsn=admin, secrets=secrets, first=0, count=count)
    clients.once("bench.rebuilding:installing", dsn=stage.dsn("registration"))
    filling.caught_up(stage, "registration")
    with stage.admin("registration") as connection:
        connection.execute("VACUUM ANALYZE log")  # as PostgreSQL does by itself where a log has grown
    _rebuilt(stage)  # so that there is something live
    rates, late = [], []
    for _ in range(stage.plan.rounds):
        stage.settle()
        rate, times = _rebuilt(stage)
        rates.append(rate)
        late.append(percentile(times, 0.99) * 1000)
    note = (
        f"{count} events of registration into its register, 7 events an application, 5 of them handled; the"
        f" live one answers meanwhile, {_ASKED} times a second"
    )
    yield Figure("rebuild", "events/s", rates, aim=50_000, note=note)
    yield Figure("rebuild_read_p99", "ms", late, at_most=True, note="of an application in the live one")


def _rebuilt(stage: Stage) -> tuple[float, list[float]]:
    """Events a second, and the seconds that each look at the live build took meanwhile."""
    done = stage.folder / "rebuilt"
    done.unlink(missing_ok=True)
    dsn = stage.dsn("registration")
    with clients.together(
        {"work": "bench.rebuilding:rebuilding", "times": 1, "arguments": {"dsn": dsn, "done": str(done)}},
        {"work": "bench.rebuilding:reading", "times": 1, "arguments": {"dsn": dsn, "done": str(done)}},
    ) as (rebuilder, reader):
        heard = rebuilder.heard()
        return heard["said"] / heard["seconds"], reader.heard()["said"]


def installing(dsn: str) -> Callable[[], None]:
    """The live build, as the service makes it at its first start."""

    def install() -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            for projection in definition("registration").projections:
                builds.install(connection, projection)

    return install


def rebuilding(dsn: str, done: str) -> Callable[[], int]:
    """What `jianding rebuild registration register` does."""
    ours = definition("registration")
    connection = psycopg.connect(dsn, autocommit=True)

    def grow() -> int:
        try:
            return rebuild(connection, ours, ours.projection("register"), lives.SOURCE)
        finally:
            Path(done).touch()

    return grow


def reading(dsn: str, done: str) -> Callable[[], list[float]]:
    """Looks at an application in the live build, by the clock, until the rebuild is done."""
    connection, chance = psycopg.connect(dsn, autocommit=True), random.Random(0)

    def read() -> list[float]:
        times = []
        while not Path(done).exists():
            began = time.monotonic()
            with connection.transaction():
                builds.see_live(connection)
                id = lives.id_of("application", chance.randrange(lives.PEOPLE))
                connection.execute("SELECT * FROM applications WHERE application = %s", (id,)).fetchall()
            times.append(time.monotonic() - began)
            time.sleep(1 / _ASKED)
        return times

    return read
