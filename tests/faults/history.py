"""Whether what clients were told is true: a checker that reads tables with SQL and knows no code of ours.

It recomputes everything from two things: what each client asked and was told, and the bytes of the logs.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import psycopg

Connect = Callable[[str], psycopg.Connection[Any]]

# what a refusal has to leave behind: nothing, or (R015) the attempt itself
_LEAVES_AN_ATTEMPT = {"RoleNotAllowed", "DutyConflict", "SecondPersonNeeded", "NotTheCentre", "OtherStation"}
# these say: nothing is decided, ask again
ASK_AGAIN = {"Unavailable", "Busy", "Interrupted"}


@dataclass
class Asked:
    """One command of a client, and everything it was told about it; `None` is no answer."""

    service: str
    method: str
    command_id: str
    by: dict[str, str]
    message: dict[str, Any] = field(repr=False)
    answers: list[dict[str, Any] | None] = field(default_factory=list)
    refusals: list[dict[str, str]] = field(default_factory=list)

    @property
    def answered(self) -> list[dict[str, Any]]:
        return [answer for answer in self.answers if answer is not None]

    @property
    def refused(self) -> list[dict[str, str]]:
        return [refusal for refusal in self.refusals if refusal["code"] not in ASK_AGAIN]

    @property
    def told(self) -> bool:
        """Whether the client knows what became of it."""
        return bool(self.answered or self.refused)


class Log:
    """One service's log as it stands."""

    def __init__(self, service: str, connection: psycopg.Connection[Any]) -> None:
        self.service = service
        self.rows = connection.execute("SELECT position, hash, sealed FROM log ORDER BY position").fetchall()
        self.events = [json.loads(bytes(sealed)) for _, _, sealed in self.rows]
        self.drafts = connection.execute("SELECT stream, version, draft FROM events").fetchall()
        self.heads = connection.execute("SELECT position, hash FROM heads").fetchall()

    def check(self) -> None:
        """Gapless, chained, canonical, each stream in order, and every appended event once."""
        before = bytes(32)
        for place, (position, hash, sealed) in enumerate(self.rows, start=1):
            event = self.events[place - 1]
            assert position == place == event["position"]
            assert event["previoushash"] == before.hex(), f"{self.service} {position}"
            assert bytes(sealed) == _canonical(event)
            before = sha256(bytes(sealed)).digest()
            assert bytes(hash) == before
        hashes = {position: bytes(hash) for position, hash, _ in self.rows}
        assert all(hashes.get(position) == bytes(hash) for position, hash in self.heads)
        versions: dict[str, int] = defaultdict(int)
        for event in self.events:
            versions[event["subject"]] += 1
            assert event["streamversion"] == versions[event["subject"]]
        sealed_drafts = Counter(_canonical(_without_place(event)) for event in self.events)
        assert sealed_drafts == Counter(bytes(draft) for _, _, draft in self.drafts)
        assert len({event["id"] for event in self.events}) == len(self.events)

    def of(self, type: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == type]


def check(asked: Iterable[Asked], connect: Connect) -> None:
    """Raises AssertionError where anything that a client was told, or that follows from it, is not so."""
    logs = {}
    for service in ("registration", "scheduling"):
        with connect(service) as connection:
            logs[service] = Log(service, connection)
            _check_nothing_set_aside(connection)
        logs[service].check()
    _check_answers(list(asked), logs)
    _check_reactions(logs)
    with connect("registration") as connection:
        _check_register(logs["registration"], connection)
    with connect("scheduling") as connection:
        _check_board(logs["scheduling"], connection)
    with connect("audit") as connection:
        _check_audit(logs, connection)
        _check_nothing_set_aside(connection)


def _check_answers(asked: list[Asked], logs: dict[str, Log]) -> None:
    by_command: dict[str, list[dict[str, Any]]] = defaultdict(list)
    attempts: Counter[str] = Counter()
    for log in logs.values():
        for event in log.events:
            by_command[event["commandid"]].append(event)
            if event["type"] == "AttemptRefused":
                attempts[event["causationid"]] += 1
    for command in asked:
        said = by_command.pop(command.command_id, [])
        assert command.told, f"nobody knows what became of {command}"
        assert not (command.answered and command.refused), f"accepted and refused: {command}"
        if command.answered:
            _check_accepted(command, said)
        else:
            assert said == [], f"refused, and in the log: {command}"
        codes = {refusal["code"] for refusal in command.refused}
        left = attempts.pop(command.command_id, 0)
        if codes & _LEAVES_AN_ATTEMPT:
            assert left == 1, command
        else:  # an attempt that nobody was told of may be refused for another reason when it is repeated
            assert left <= (None in command.answers), command
    assert not attempts
    for said in by_command.values():  # what nobody asked for is a reaction, or an attempt
        assert all(event["role"] == "service" or event["type"] == "AttemptRefused" for event in said)


def _check_accepted(command: Asked, said: list[dict[str, Any]]) -> None:
    first = command.answered[0]
    assert all(answer == first for answer in command.answered), f"told two things: {command}"
    assert [{"id": event["id"], "type": event["type"]} for event in said] == first["events"], command
    assert said[-1]["streamversion"] == first["version"]
    assert {event["subject"] for event in said} == {first["stream"]}
    assert {event["actor"] for event in said} == {command.by["actor"]}


def _check_reactions(logs: dict[str, Log]) -> None:
    """Each candidate registered is on the roster once, because of that event."""
    wanted = Counter(
        (event["id"], event["data"]["application"], event["data"]["candidate"])
        for event in logs["registration"].of("CandidateRegistered")
    )
    enrolled = Counter(
        (event["causationid"], event["data"]["application"], event["data"]["candidate"])
        for event in logs["scheduling"].of("CandidateEnrolled")
    )
    assert wanted == enrolled
    struck = Counter(event["causationid"] for event in logs["scheduling"].of("CandidateStruckOff"))
    on_a_roster = {event["data"]["application"] for event in logs["scheduling"].of("CandidateEnrolled")}
    withdrawn = Counter(
        event["id"]
        for event in logs["registration"].of("ApplicationWithdrawn")
        if event["data"]["application"] in on_a_roster
    )
    assert struck == withdrawn


_STATUS = {
    "StationReviewPassed": "station_passed",
    "StationReviewRejected": "rejected",
    "CentreReviewRejected": "rejected",
    "CandidateRegistered": "registered",
    "ApplicationWithdrawn": "withdrawn",
}


def _check_register(log: Log, connection: psycopg.Connection[Any]) -> None:
    rows: dict[str, tuple[Any, ...]] = {}
    for event in log.events:
        data = event["data"]
        if event["type"] == "ApplicationSubmitted":
            rows[data["application"]] = data["candidate"], data["batch"], data["level"], "submitted"
        elif event["type"] in _STATUS:
            rows[data["application"]] = *rows[data["application"]][:3], _STATUS[event["type"]]
    table = _live(connection, "register", "applications")
    found = connection.execute(
        f"SELECT application::text, candidate::text, batch::text, level, status FROM {table}"
    ).fetchall()
    assert {row[0]: row[1:] for row in found} == rows
    people = connection.execute("SELECT person::text FROM vault").fetchall()
    enrolled = Counter(event["data"]["candidate"] for event in log.of("PersonEnrolled"))
    assert Counter(person for (person,) in people) == enrolled


def _check_board(log: Log, connection: psycopg.Connection[Any]) -> None:
    sittings: dict[str, tuple[Any, ...]] = {}
    batches = {}
    for event in log.events:
        data = event["data"]
        if event["type"] == "BatchApplied":
            batches[data["batch"]] = data["station"], data["planned"]
        elif event["type"] == "CandidateEnrolled":
            sittings[data["application"]] = data["candidate"], data["batch"], data["level"]
        elif event["type"] == "CandidateStruckOff":
            del sittings[data["application"]]
    table = _live(connection, "board", "sittings")
    found = connection.execute(
        f"SELECT application::text, candidate::text, batch::text, level FROM {table}"
    ).fetchall()
    assert {row[0]: row[1:] for row in found} == sittings
    table = _live(connection, "board", "batches")
    found = connection.execute(f"SELECT batch::text, station, planned FROM {table}").fetchall()
    assert {row[0]: row[1:] for row in found} == batches


def _check_audit(logs: dict[str, Log], connection: psycopg.Connection[Any]) -> None:
    """Every position of every log is an entry, with its very bytes, in its source's order."""
    rows = connection.execute("SELECT index, source, position, leaf FROM entries ORDER BY index").fetchall()
    assert [row[0] for row in rows] == list(range(len(rows)))
    entries: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    for _, source, position, leaf in rows:
        entries[source].append((position, bytes(leaf).partition(b"\n")[0]))
    wanted = {
        f"/centre/{service}": [(position, bytes(sealed)) for position, _, sealed in log.rows]
        for service, log in logs.items()
        if log.rows
    }
    assert entries == wanted


def _check_nothing_set_aside(connection: psycopg.Connection[Any]) -> None:
    for table in ("parked", "rejected"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


def _live(connection: psycopg.Connection[Any], projection: str, table: str) -> str:
    row = connection.execute("SELECT live FROM projections WHERE name = %s", (projection,)).fetchone()
    assert row is not None
    return f"{projection}_{row[0]}.{table}"


def _without_place(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("position", "previoushash")}


def _canonical(value: Any) -> bytes:
    """RFC 8785 for what our events consist of: no floats, small numbers, short keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
