"""One writer: decides and appends as a service does, and notes what it asks and what it is told.

`python -m tests.faults.writer NUMBER FOLDER` until there is a file `enough` in the folder; while there is one
called `wait`, it begins nothing. Started again after a death, it first asks once more what it was not told.
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import shared
from services.registration import schemas as registration
from services.scheduling import schemas as scheduling
from shared.kernel.actors import Actor, Role
from shared.kernel.clock import stamp
from shared.kernel.errors import Refusal
from shared.kernel.ids import new_id
from shared.runtime import databases
from shared.runtime.definition import definition
from shared.runtime.executor import Call, Executor
from shared.runtime.settings import settings
from shared.store import migrations
from shared.store.errors import PASSING
from shared.wire.schemas import CommandSchema
from tests.faults.history import ASK_AGAIN, Asked
from tests.faults.journal import Journal

assert shared  # imported before psycopg, whose way of waiting it chooses
import psycopg  # noqa: E402

STATION = "10012003"
_OURS, _CENTRE = f"station-{STATION}", "centre"
_CROWD = 24  # candidates of a batch
_LOOK = 0.05
_SCHEMAS: dict[str, type[CommandSchema]] = {
    "apply_for_batch": scheduling.ApplyForBatch,
    "submit_application": registration.SubmitApplication,
    "pass_station_review": registration.PassStationReview,
    "reject_at_station": registration.RejectAtStation,
    "pass_centre_review": registration.PassCentreReview,
    "withdraw_application": registration.WithdrawApplication,
}


class Writer:
    """Has a connection of its own to each of the two logs, and staff of its own."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._journal = Journal(folder / f"writer-{number}.jsonl")
        self._settings = settings()
        self._executors = {
            name: Executor(definition(name), self._settings.source(name))
            for name in ("registration", "scheduling")
        }
        self._connections: dict[str, psycopg.Connection[Any]] = {}
        self._staff = {(role, place): new_id() for role in Role for place in (1, 2)}

    def work(self) -> None:
        """Batch after batch, until it is enough."""
        if self._journal.open is not None:
            self._until_told(self._journal.open)
        while not (self._folder / "enough").exists():
            if (self._folder / "wait").exists():
                time.sleep(_LOOK)
            else:
                self._batch(new_id())

    def _batch(self, batch: str) -> None:
        exam = datetime.now(UTC) + timedelta(days=40)
        self._ask(
            "scheduling", "apply_for_batch", Role.STATION_DIRECTOR,
            batch=batch, station=STATION, occupation="化工分析工", catalogue="1999", levels=[4],
            planned=200, theory_at=stamp(exam), practical_at=stamp(exam + timedelta(hours=5)),
        )  # fmt: skip
        for place in range(_CROWD):
            if (self._folder / "enough").exists():
                return
            self._way(place, new_id(), batch)

    def _way(self, place: int, application: str, batch: str) -> None:
        """From 报名 to the roster; some are rejected on the way, some change their mind."""
        self._submit(application, batch)
        if place % 8 == 5:  # a clerk reviews
            self._ask("registration", "pass_centre_review", Role.EXAM_AFFAIRS, application=application)
        if place % 3 == 0:
            self._reject(application)
            return
        self._ask("registration", "pass_station_review", Role.STATION_REVIEWER, application=application)
        if place % 3 == 1:  # withdrawn before the centre has looked, so it comes to nobody's roster
            self._withdraw(application)
        self._ask("registration", "pass_centre_review", Role.CENTRE_REVIEWER, application=application)
        if place % 6 == 2:
            self._withdraw(application)

    def _reject(self, application: str) -> None:
        self._ask(
            "registration", "reject_at_station", Role.STATION_REVIEWER,
            application=application, reason="材料不全",
        )  # fmt: skip

    def _withdraw(self, application: str) -> None:
        self._ask(
            "registration", "withdraw_application", Role.EXAM_AFFAIRS,
            application=application, reason="本人放弃",
        )  # fmt: skip

    def _submit(self, application: str, batch: str) -> None:
        self._ask(
            "registration", "submit_application", Role.EXAM_AFFAIRS,
            application=application, candidate=new_id(), batch=batch, station=STATION,
            occupation="化工分析工", catalogue="1999", level=4, kind="student", held_level=0,
            years_in_trade=0, education="vocational_school",
            evidence=[sha256(application.encode()).hexdigest()],
        )  # fmt: skip

    def _ask(self, service: str, method: str, role: Role, **message: Any) -> None:
        body = _CENTRE if role is Role.CENTRE_REVIEWER else _OURS
        by = {"actor": self._staff[role, 1], "role": role.value, "body": body}
        command = Asked(service, method, new_id(), by, message)
        self._journal.ask(command)
        self._until_told(command)

    def _until_told(self, command: Asked) -> None:
        while not command.told:
            try:
                self._journal.told(self._decided(command))
            except Refusal as refusal:
                self._journal.refused(refusal.problem())
                if refusal.code in ASK_AGAIN:
                    time.sleep(_LOOK)
            except PASSING:  # the database is away: nobody knows whether it has taken it
                self._connections.pop(command.service).close()
                self._journal.told(None)
                time.sleep(_LOOK)

    def _decided(self, command: Asked) -> dict[str, Any]:
        schema, executor = _SCHEMAS[command.method], self._executors[command.service]
        fields = schema().read({"command_id": command.command_id, **command.message})
        actor = Actor(command.by["actor"], Role(command.by["role"]), command.by["body"])
        call = Call(fields.pop("command_id"), actor)
        fields.pop("occurred_at", None)
        connection = self._connection(command.service)
        if actor.role not in executor.roles(schema.command):
            executor.refuse(connection, schema.command, fields, call)
        return executor.run(connection, schema.command, fields, call)

    def _connection(self, service: str) -> psycopg.Connection[Any]:
        if service not in self._connections:
            role = migrations.service_role(service)
            dsn = databases.as_role(self._settings, self._settings.database_url, service, role)
            self._connections[service] = psycopg.connect(dsn, autocommit=True)
        return self._connections[service]


if __name__ == "__main__":
    writer = Writer(Path(sys.argv[2]), int(sys.argv[1]))
    print(f"writer {sys.argv[1]} writes", flush=True)
    writer.work()
