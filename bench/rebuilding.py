"""`rebuild`: a projection grown from the log's beginning beside a live one, which goes on answering."""

from collections.abc import Callable, Iterator

import psycopg

from bench import clients, filling, lives
from bench.figures import Figure
from bench.stage import Stage
from shared.runtime.definition import definition
from shared.runtime.rebuilding import rebuild


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
    rates = []
    for _ in range(stage.plan.rounds):
        stage.settle()
        heard = clients.once("bench.rebuilding:rebuilding", dsn=stage.dsn("registration"))
        rates.append(heard["said"] / heard["seconds"])
    note = f"{count} events of registration into its register, 7 events an application, 5 of them handled"
    yield Figure("rebuild", "events/s", rates, aim=50_000, note=note)


def installing(dsn: str) -> Callable[[], None]:
    """The live build, as the service makes it at its first start."""
    from shared.store import builds

    def install() -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            for projection in definition("registration").projections:
                builds.install(connection, projection)

    return install


def rebuilding(dsn: str) -> Callable[[], int]:
    """What `jianding rebuild registration register` does."""
    ours = definition("registration")
    connection = psycopg.connect(dsn, autocommit=True)
    return lambda: rebuild(connection, ours, ours.projection("register"), lives.SOURCE)
