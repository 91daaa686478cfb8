"""Registration's log as a test writes and reads it, past the services; and what audit has of it."""

from contextlib import ExitStack
from typing import Any

from shared.contracts.registration import PersonEnrolled, TrainingHeld
from shared.kernel.actors import Actor, Role
from shared.kernel.clock import stamp, utc_now
from shared.kernel.events import Event
from shared.kernel.ids import new_id
from shared.store import eventstore
from shared.store.eventstore import Append
from shared.testing.postgres import Cluster
from shared.testing.rabbitmq.node import wait_until
from shared.wire.envelope import Origin, draft

SOURCE = "/centre/registration"
STATION = "10012003"
SOON = 30.0
TRAINER = Actor(new_id(), Role.TRAINER, f"station-{STATION}")


class Ledger:
    """Connected as the administrator to the databases of registration and audit."""

    def __init__(self, databases: Cluster) -> None:
        self._databases = databases
        self._stack = ExitStack()

    def __enter__(self) -> "Ledger":
        self.registration = self._stack.enter_context(self._databases.connect("registration", "admin"))
        self.audit = self._stack.enter_context(self._databases.connect("audit", "admin"))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def trained(self, count: int, stream: str = "") -> str:
        """Writes `count` TrainingHeld to one stream, and returns its name."""
        return self._write(stream or f"training-{new_id()}", [_training() for _ in range(count)])

    def enrolled(self, count: int, stream: str = "") -> str:
        """The same with PersonEnrolled."""
        return self._write(stream or f"candidate-{new_id()}", [_person() for _ in range(count)])

    def _write(self, stream: str, events: list[Event]) -> str:
        version = len(eventstore.load(self.registration, stream)[0])
        command, now = new_id(), stamp(utc_now())
        origin = Origin(SOURCE, TRAINER, now, now, command, command, command)
        drafts = [
            draft(event, new_id(), stream, version + n, origin) for n, event in enumerate(events, start=1)
        ]
        eventstore.append(self.registration, Append(stream, version, drafts, command, b"", b""))
        return stream

    # -- how far the log has come

    @property
    def sealed(self) -> int:
        return int(self._one("SELECT position FROM relay"))

    @property
    def published(self) -> int:
        """The relay's mark."""
        return int(self._one("SELECT published FROM relay"))

    def await_published(self, position: int) -> None:
        assert wait_until(lambda: self.published >= position, SOON), (
            f"published {self.published} of {position}"
        )

    def await_steps(self, count: int) -> None:
        """Returns once a running relay has taken `count` more steps: it seals what is new in each."""
        for _ in range(count):
            before = self.sealed
            self.trained(1)
            assert wait_until(lambda before=before: self.sealed > before, SOON)

    def log(self) -> list[bytes]:
        rows = self.registration.execute("SELECT sealed FROM log ORDER BY position").fetchall()
        return [row[0] for row in rows]

    # -- what became of it in audit

    def entries(self) -> list[bytes]:
        """Registration's events as audit appended them."""
        rows = self.audit.execute(
            "SELECT leaf FROM entries WHERE source = %s ORDER BY index", (SOURCE,)
        ).fetchall()
        return [row[0].partition(b"\n")[0] for row in rows]

    def audited(self) -> int:
        """How far audit has applied registration's log."""
        row = self.audit.execute("SELECT position FROM checkpoints WHERE source = %s", (SOURCE,)).fetchone()
        return int(row[0]) if row else 0

    def await_audited(self, position: int) -> None:
        assert wait_until(lambda: self.audited() >= position, SOON), f"audited {self.audited()} of {position}"

    def parked(self) -> list[tuple[Any, ...]]:
        """(stream, position, reason) of what audit could not take."""
        return self.audit.execute("SELECT stream, position, reason FROM parked ORDER BY position").fetchall()

    def rejected(self) -> list[bytes]:
        """What audit kept without applying it."""
        return [row[0] for row in self.audit.execute("SELECT body FROM rejected ORDER BY id").fetchall()]

    def _one(self, query: str) -> Any:
        row = self.registration.execute(query).fetchone()
        assert row is not None
        return row[0]


def _training() -> TrainingHeld:
    return TrainingHeld(
        training=new_id(),
        batch=new_id(),
        station=STATION,
        occupation="化工分析工",
        trainer=new_id(),
        trainees=(new_id(),),
        hours=8,
    )


def _person() -> PersonEnrolled:
    return PersonEnrolled(
        candidate=new_id(), document="resident_id", identity_commitment="0" * 64, photo_commitment="0" * 64
    )


def training() -> dict[str, Any]:
    """The message of one `record_training`, of a stream of its own."""
    return {
        "command_id": new_id(),
        "training": new_id(),
        "batch": new_id(),
        "station": STATION,
        "occupation": "化工分析工",
        "trainees": [new_id()],
        "hours": 80,
    }
