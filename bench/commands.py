"""Our own work for clients: real commands through the real executor, one connection for each client."""

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from services.registration.domain.application import SubmitApplication
from services.scheduling.domain.batch import EnrolCandidate
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.runtime.definition import definition
from shared.runtime.executor import KNOWN_EVENTS, Answer, Call, Executor

STATION = "10012003"
BODY = f"station-{STATION}"
BATCH = "0199c0de-0000-7000-8000-00000000000b"
OCCUPATION, CATALOGUE, LEVEL = "化工分析工", "1999", 4


def application() -> dict[str, Any]:
    """The fields of `submit_application` for a new candidate, with four pieces of evidence."""
    return {
        "application": new_id(),
        "candidate": new_id(),
        "batch": BATCH,
        "station": STATION,
        "occupation": OCCUPATION,
        "catalogue": CATALOGUE,
        "level": LEVEL,
        "kind": "society",
        "held_level": 5,
        "years_in_trade": 6,
        "education": "none",
        "evidence": ("e" * 64, "d" * 64),
    }


def training() -> dict[str, Any]:
    """The fields of `record_training` for a new training of two candidates."""
    return {
        "training": new_id(),
        "batch": BATCH,
        "station": STATION,
        "occupation": OCCUPATION,
        "trainees": (new_id(), new_id()),
        "hours": 40,
    }


def submitting(dsn: str, number: int) -> Callable[[], Answer]:
    """提交申请: a new stream, one event, a claim, the command's answer."""
    connection = _connect(dsn)
    executor = Executor(definition("registration"), "/centre/registration")
    clerk = Actor(f"0199c0de-0000-7000-8000-{number:012x}", Role.EXAM_AFFAIRS, BODY)

    def once() -> Answer:
        return executor.run(connection, SubmitApplication, application(), Call(new_id(), clerk))

    once()
    return once


def enrolling(dsn: str, number: int, batches: list[str], known: bool = False) -> Callable[[], Answer]:
    """编入花名册: a stream that exists is loaded and folded (unless it is known), and grows by one event."""
    connection = _connect(dsn)
    most = KNOWN_EVENTS if known else 0
    executor = Executor(definition("scheduling"), "/centre/scheduling", known_events=most)
    registration = Actor("registration", Role.SERVICE, "centre")
    place = number

    def once() -> Answer:
        nonlocal place
        place += 1
        fields = {
            "batch": batches[place % len(batches)],
            "application": new_id(),
            "candidate": new_id(),
            "station": STATION,
            "occupation": OCCUPATION,
            "catalogue": CATALOGUE,
            "level": LEVEL,
        }
        return executor.run(connection, EnrolCandidate, fields, Call(new_id(), registration))

    for _ in batches if known else batches[:1]:
        once()
    return once


def _connect(dsn: str) -> Connection[Any]:
    return Connection.connect(dsn, autocommit=True)
