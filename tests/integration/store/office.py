"""An office to test in: fictional people, their commands, and a database that is theirs alone."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing
from threading import Barrier
from typing import Any

import orjson
from psycopg import Connection

from services.registration.domain.application import PassStationReview, SubmitApplication, WithdrawApplication
from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Command
from shared.kernel.ids import derived_id, new_id
from shared.runtime.definition import Definition, definition
from shared.runtime.executor import Answer, Call, Executor
from shared.security.keys import Signer
from shared.store.eventstore import Append
from shared.store.sealer import Sealer
from shared.testing.postgres import Cluster
from shared.wire.canonical import canonical
from shared.wire.envelope import GENESIS, digest

STATION = "10012003"
WELDER = "6-04-02-05"
DEADLINE = 20.0


def somebody(name: str, role: Role) -> Actor:
    """A fictional person of the station, or of the centre where only the centre has such people."""
    of_centre = role in (Role.CENTRE_REVIEWER, Role.CENTRE_OFFICER)
    return Actor(derived_id("person", name), role, "centre" if of_centre else f"station-{STATION}")


CLERK = somebody("clerk", Role.EXAM_AFFAIRS)


def claim(candidate: str, batch: str, application: str = "") -> dict[str, Any]:
    """What an application says: all its fields."""
    return {
        "application": application or new_id(),
        "candidate": derived_id("candidate", candidate),
        "batch": derived_id("batch", batch),
        "station": STATION,
        "occupation": WELDER,
        "catalogue": "1999",
        "level": 4,
        "kind": "society",
        "held_level": 5,
        "years_in_trade": 2,
        "education": "none",
        "evidence": ("0f" * 32,),
    }


class Office:
    """A service at work: its executor over its own database, and connections that the test need not close."""

    def __init__(self, cluster: Cluster, stack: ExitStack, service: str, *, empty: bool = True) -> None:
        if empty:
            cluster.clone([service])
        self.cluster = cluster
        self.service = service
        self.definition: Definition = definition(service)
        self.source = cluster.settings.source(service)
        self.executor = Executor(self.definition, self.source)
        self._stack = stack
        self.connection = self.connect()
        self.admin = self.connect("admin")

    def connect(self, role: str = "service") -> Connection[Any]:
        """Another connection, open until the test ends."""
        return self._stack.enter_context(self.visit(role))

    def visit(self, role: str = "service") -> AbstractContextManager[Connection[Any]]:
        """Another connection for a `with` block."""
        return closing(self.cluster.connect(self.service, role))

    def sealer(self, connection: Connection[Any] | None = None) -> Sealer:
        keys = self.cluster.settings.secrets / "sources"
        return Sealer(connection or self.connect("relay"), Signer.load(keys, self.source))

    def run(
        self,
        command: type[Command],
        by: Actor,
        *,
        id: str = "",
        connection: Connection[Any] | None = None,
        executor: Executor | None = None,
        **fields: Any,
    ) -> Answer:
        """One command to its answer, or the Refusal raised."""
        call = Call(id or new_id(), by)
        return (executor or self.executor).run(connection or self.connection, command, fields, call)

    def submit(self, candidate: str, batch: str, **more: Any) -> str:
        """A submitted application's id."""
        fields = claim(candidate, batch)
        self.run(SubmitApplication, CLERK, **fields, **more)
        return str(fields["application"])

    def submit_reviewed(self, candidate: str, batch: str, reviewer: str) -> str:
        """The same, once `reviewer` of the station has passed it."""
        application = self.submit(candidate, batch)
        self.run(PassStationReview, somebody(reviewer, Role.STATION_REVIEWER), application=application)
        return application

    def withdraw(self, application: str) -> None:
        self.run(WithdrawApplication, CLERK, application=application, reason="moved away")

    def count(self, table: str) -> int:
        row = self.admin.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert row is not None
        return int(row[0])

    def events(self, stream: str) -> list[str]:
        """Wire names of a stream's events."""
        return [event["type"] for event in self.drafts() if event["subject"] == stream]

    def drafts(self) -> list[dict[str, Any]]:
        """What was decided, in no order that means anything between streams."""
        rows = self.admin.execute(
            "SELECT convert_from(draft, 'UTF8')::jsonb FROM events ORDER BY stream, version"
        )
        return [row[0] for row in rows]

    def log(self) -> list[tuple[int, bytes, bytes]]:
        """(position, hash, sealed) of the whole log."""
        with self.admin.cursor(binary=True) as cursor:
            return cursor.execute("SELECT position, hash, sealed FROM log ORDER BY position").fetchall()

    def kill(self, connection: Connection[Any]) -> None:
        """Ends the server's side of a connection, and waits until it is gone."""
        self.admin.execute("SELECT pg_terminate_backend(%s, 10000)", (connection.info.backend_pid,))

    def waits_for_a_lock(self, connection: Connection[Any]) -> bool:
        return waits_for_a_lock(self.admin, connection)


def waits_for_a_lock(admin: Connection[Any], connection: Connection[Any]) -> bool:
    """Whether the server's side of a connection waits for somebody else's transaction."""
    row = admin.execute(
        "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s",
        (connection.info.backend_pid,),
    ).fetchone()
    return bool(row and row[0])


def words(stream: str, expected: int, *texts: str, command_id: str = "") -> Append:
    """An append of made-up drafts that name their place, for tests of the store alone."""
    drafts = [
        canonical({"subject": stream, "streamversion": version, "text": text})
        for version, text in enumerate(texts, start=expected + 1)
    ]
    return Append(stream, expected, drafts, command_id or new_id(), b"print", b"answer")


def assert_whole(log: Sequence[tuple[int, bytes, bytes]]) -> None:
    """Positions without a gap, every event holding the hash of the one before, streams in their own order."""
    head, versions = GENESIS, dict[str, int]()
    for place, (position, hash, raw) in enumerate(log, start=1):
        event = orjson.loads(raw)
        assert (position, event["position"]) == (place, place)
        assert event["previoushash"] == head.hex()
        assert hash == digest(raw)
        assert event["streamversion"] == versions.get(event["subject"], 0) + 1, "a stream was turned round"
        head, versions[event["subject"]] = hash, event["streamversion"]


def outcome(work: Callable[[], Any]) -> Any:
    """What `work` returned, or the exception that it raised."""
    try:
        return work()
    except Exception as error:
        return error


def at_once(works: Iterable[Callable[[], Any]]) -> list[Any]:
    """The outcomes of works that start at the same moment, each in its thread."""
    todo = list(works)
    barrier = Barrier(len(todo))

    def one(work: Callable[[], Any]) -> Any:
        barrier.wait(DEADLINE)
        return outcome(work)

    with ThreadPoolExecutor(len(todo)) as pool:
        return list(pool.map(one, todo))


def until(condition: Callable[[], Any]) -> Any:
    """The first true answer of `condition`; fails if none comes before the deadline."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.002)
    raise AssertionError("what was waited for did not happen")


def raising(code: str) -> str:
    """SQL by which the server itself raises an error of that code."""
    return f"DO $$ BEGIN RAISE EXCEPTION 'as ordered' USING ERRCODE = '{code}'; END $$"
