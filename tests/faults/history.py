"""Whether what clients were told is true: a checker that reads tables with SQL and knows no code of ours.

It recomputes everything from three things: what each client asked and was told, the bytes of the logs, and
the public keys that sources laid down.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import reduce
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Connect = Callable[[str], psycopg.Connection[Any]]
KINDS = ("lost", "duplicated", "reordered", "divergent")
_SERVICES = ("registration", "scheduling", "audit")

# what a refusal has to leave behind: nothing, or (R015) the attempt itself
_LEAVES_AN_ATTEMPT = {"RoleNotAllowed", "DutyConflict", "SecondPersonNeeded", "NotTheCentre", "OtherStation"}
# findings that are never true here; that a source was silent for a while can be
_ACCUSATIONS = {"equivocation", "forged", "unreadable", "not-signed", "refused-by-witness"}
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
    def in_doubt(self) -> bool:
        """Whether something may have become of it once that the client was not told."""
        return None in self.answers or len(self.refused) < len(self.refusals)

    @property
    def told(self) -> bool:
        """Whether the client knows what became of it."""
        return bool(self.answered or self.refused)


@dataclass(frozen=True)
class Finding:
    """Something that is not as clients were told, or as it follows from that; `kind` is one of KINDS."""

    kind: str
    what: str


Findings = Iterator[Finding]


class Log:
    """One service's log as it stands."""

    def __init__(self, service: str, connection: psycopg.Connection[Any]) -> None:
        self.service = service
        self.rows = connection.execute("SELECT position, hash, sealed FROM log ORDER BY position").fetchall()
        self.events = [json.loads(bytes(sealed)) for _, _, sealed in self.rows]
        self.drafts = connection.execute("SELECT stream, version, draft FROM events").fetchall()
        self.heads = connection.execute("SELECT position, hash, signature FROM heads").fetchall()
        self.place = {event["id"]: place for place, event in enumerate(self.events)}

    def check(self, keys: Path) -> Findings:
        """Gapless, chained, canonical, signed, each stream in order, and every appended event once."""
        yield from _compare(
            f"{self.service}: appended and sealed",
            Counter(bytes(draft) for _, _, draft in self.drafts),
            Counter(_canonical(_without_place(event)) for event in self.events),
        )
        yield from _in_order(f"{self.service}: position", [position for position, _, _ in self.rows])
        streams: dict[str, list[int]] = defaultdict(list)
        for event in self.events:
            streams[event["subject"]].append(event["streamversion"])
        for stream, versions in streams.items():
            yield from _in_order(f"{self.service}: version of {stream}", versions)
        yield from self._chain()
        yield from self._signed(keys)

    def _chain(self) -> Findings:
        before = bytes(32)
        for (position, hash, sealed), event in zip(self.rows, self.events, strict=True):
            digest = sha256(bytes(sealed)).digest()
            if (
                event["position"] != position
                or event["previoushash"] != before.hex()
                or bytes(sealed) != _canonical(event)
                or bytes(hash) != digest
            ):
                yield Finding("divergent", f"{self.service}: position {position} does not fit its chain")
            before = digest

    def _signed(self, keys: Path) -> Findings:
        """Every head is the log's at its position, signed by its source, and there is one of all of it."""
        hashes = {position: bytes(hash) for position, hash, _ in self.rows}
        for position, hash, signature in self.heads:
            if hashes.get(position) != bytes(hash):
                yield Finding("divergent", f"{self.service}: the signed head {position} is not the log's")
            said = f"jianding head v1\n/centre/{self.service}\n{position}\n{bytes(hash).hex()}\n"
            key = Ed25519PublicKey.from_public_bytes(
                bytes.fromhex((keys / f"centre.{self.service}.pub").read_text())
            )
            try:
                key.verify(bytes(signature), said.encode())
            except InvalidSignature:
                yield Finding("divergent", f"{self.service}: nobody has signed the head {position}")
        if self.rows and self.rows[-1][0] not in {position for position, _, _ in self.heads}:
            yield Finding("lost", f"{self.service}: no head is signed of the whole log")

    def of(self, type: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == type]


def check(
    asked: Iterable[Asked], connect: Connect, keys: Path, services: Iterable[str] = _SERVICES
) -> list[Finding]:
    """Everything that a client was told, or that follows from it, and is not so; of these services' logs.

    `keys` is the folder with each source's public key.
    """
    return list(_check(list(asked), connect, keys, services))


def _check(asked: list[Asked], connect: Connect, keys: Path, services: Iterable[str]) -> Findings:
    logs = {}
    for service in services:
        with closing(connect(service)) as connection:
            logs[service] = Log(service, connection)
            yield from _check_nothing_set_aside(service, connection)
        yield from logs[service].check(keys)
    yield from _check_answers(asked, logs)
    yield from _check_reactions(logs)
    with closing(connect("registration")) as connection:
        yield from _check_register(logs["registration"], connection)
    with closing(connect("scheduling")) as connection:
        yield from _check_board(logs["scheduling"], connection)
    with closing(connect("audit")) as connection:
        yield from _check_audit(logs, connection)
        yield from _check_tree(connection)


def _compare(what: str, wanted: Counter[Any], found: Counter[Any]) -> Findings:
    """Each of the wanted as often as it is wanted, and nothing else."""
    for each in wanted.keys() | found.keys():
        missing = wanted[each] - found[each]
        if missing > 0:
            yield Finding("lost", f"{what}: {_short(each)} is missing")
        elif missing < 0:
            kind = "duplicated" if wanted[each] else "divergent"
            yield Finding(kind, f"{what}: {_short(each)} stands there {found[each]} times")


def _in_order(what: str, numbers: list[int]) -> Findings:
    """1, 2, 3 … without a gap or a repetition."""
    yield from _compare(what, Counter(range(1, max(numbers, default=0) + 1)), Counter(numbers))
    yield from _ascending(what, numbers)


def _ascending(what: str, numbers: list[int]) -> Findings:
    if any(later < earlier for earlier, later in pairwise(numbers)):
        yield Finding("reordered", f"{what} does not ascend: {_short(numbers)}")


def _same(what: str, wanted: dict[Any, Any], found: dict[Any, Any]) -> Findings:
    """Rows of a table by their key."""
    for key in wanted.keys() | found.keys():
        if wanted.get(key) != found.get(key):
            yield Finding("divergent", f"{what} {key}: {found.get(key)} instead of {wanted.get(key)}")


def _short(thing: Any) -> str:
    return str(thing)[:400]


def _check_answers(asked: list[Asked], logs: dict[str, Log]) -> Findings:
    by_command: dict[str, list[dict[str, Any]]] = defaultdict(list)
    attempts: Counter[str] = Counter()
    for log in logs.values():
        for event in log.events:
            by_command[event["commandid"]].append(event)
            if event["type"] == "AttemptRefused":
                attempts[event["causationid"]] += 1
    for command in asked:
        said = by_command.pop(command.command_id, [])
        if not command.told:
            yield Finding("lost", f"nobody knows what became of {command}")
        elif command.answered:
            yield from _check_accepted(command, said)
        elif said:
            yield Finding("divergent", f"refused, and in the log: {command}")
        yield from _check_attempt(command, attempts.pop(command.command_id, 0))
    for cause in attempts:
        yield Finding("divergent", f"an attempt that nobody made: {cause}")
    for said in by_command.values():  # what nobody asked for is a reaction, or an attempt
        if not all(event["role"] == "service" or event["type"] == "AttemptRefused" for event in said):
            yield Finding("divergent", f"events that nobody asked for: {_short(said)}")


def _check_accepted(command: Asked, said: list[dict[str, Any]]) -> Findings:
    first = command.answered[0]
    if command.refused or any(answer != first for answer in command.answered):
        yield Finding("divergent", f"told two things: {command}")
    wanted, found = [event["id"] for event in first["events"]], [event["id"] for event in said]
    yield from _compare(f"events of {command}", Counter(wanted), Counter(found))
    if wanted != found and Counter(wanted) == Counter(found):
        yield Finding("reordered", f"events of {command}: {found} instead of {wanted}")
    for event, told in zip(said, first["events"], strict=False):
        if (event["type"], event["subject"], event["actor"]) != (
            told["type"],
            first["stream"],
            command.by["actor"],
        ):
            yield Finding("divergent", f"{_short(event)} is not what was told to {command}")
    if said and said[-1]["streamversion"] != first["version"]:
        yield Finding("divergent", f"another version than was told: {command}")


def _check_attempt(command: Asked, left: int) -> Findings:
    """A refused role or duty leaves one attempt, anything else none."""
    codes = {refusal["code"] for refusal in command.refused}
    if codes & _LEAVES_AN_ATTEMPT:
        yield from _compare(f"the attempt of {command}", Counter([1]), Counter([1] * left))
    elif left > command.in_doubt:
        # an attempt that nobody was told of may be refused for another reason when it is repeated
        yield Finding("divergent", f"an attempt was recorded that was none: {command}")


def _check_reactions(logs: dict[str, Log]) -> Findings:
    """Each candidate registered is on the roster once, because of that event, and in that order."""
    registration, scheduling = logs["registration"], logs["scheduling"]
    enrolled = scheduling.of("CandidateEnrolled")
    yield from _compare(
        "on the roster",
        Counter(
            (event["id"], event["data"]["application"], event["data"]["candidate"])
            for event in registration.of("CandidateRegistered")
        ),
        Counter(
            (event["causationid"], event["data"]["application"], event["data"]["candidate"])
            for event in enrolled
        ),
    )
    on_a_roster = {event["data"]["application"] for event in enrolled}
    yield from _compare(
        "off the roster",
        Counter(
            event["id"]
            for event in registration.of("ApplicationWithdrawn")
            if event["data"]["application"] in on_a_roster
        ),
        Counter(event["causationid"] for event in scheduling.of("CandidateStruckOff")),
    )
    causes = [registration.place.get(event["causationid"], 0) for event in enrolled]
    yield from _ascending("causes of enrolments", causes)


_STATUS = {
    "StationReviewPassed": "station_passed",
    "StationReviewRejected": "rejected",
    "CentreReviewRejected": "rejected",
    "CandidateRegistered": "registered",
    "ApplicationWithdrawn": "withdrawn",
}


def _check_register(log: Log, connection: psycopg.Connection[Any]) -> Findings:
    rows: dict[str, tuple[Any, ...]] = {}
    for event in log.events:
        data = event["data"]
        if event["type"] == "ApplicationSubmitted":
            rows[data["application"]] = data["candidate"], data["batch"], data["level"], "submitted"
        elif event["type"] in _STATUS and data["application"] in rows:
            rows[data["application"]] = *rows[data["application"]][:3], _STATUS[event["type"]]
    table = _live(connection, "register", "applications")
    found = connection.execute(
        f"SELECT application::text, candidate::text, batch::text, level, status FROM {table}"
    ).fetchall()
    yield from _same("register", rows, {row[0]: row[1:] for row in found})
    people = connection.execute("SELECT person::text FROM vault").fetchall()
    enrolled = Counter(event["data"]["candidate"] for event in log.of("PersonEnrolled"))
    yield from _compare("people in the vault", enrolled, Counter(person for (person,) in people))


def _check_board(log: Log, connection: psycopg.Connection[Any]) -> Findings:
    sittings: dict[str, tuple[Any, ...]] = {}
    batches = {}
    for event in log.events:
        data = event["data"]
        if event["type"] == "BatchApplied":
            batches[data["batch"]] = data["station"], data["planned"]
        elif event["type"] == "CandidateEnrolled":
            sittings[data["application"]] = data["candidate"], data["batch"], data["level"]
        elif event["type"] == "CandidateStruckOff":
            sittings.pop(data["application"], None)
    table = _live(connection, "board", "sittings")
    found = connection.execute(
        f"SELECT application::text, candidate::text, batch::text, level FROM {table}"
    ).fetchall()
    yield from _same("sittings", sittings, {row[0]: row[1:] for row in found})
    table = _live(connection, "board", "batches")
    found = connection.execute(f"SELECT batch::text, station, planned FROM {table}").fetchall()
    yield from _same("batches", batches, {row[0]: row[1:] for row in found})


def _check_audit(logs: dict[str, Log], connection: psycopg.Connection[Any]) -> Findings:
    """Every position of every log is an entry, with its very bytes, in its source's order."""
    rows = connection.execute("SELECT index, source, position, leaf FROM entries ORDER BY index").fetchall()
    yield from _in_order("audit: index", [row[0] + 1 for row in rows])
    entries: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    for _, source, position, leaf in rows:
        entries[source].append((position, bytes(leaf).partition(b"\n")[0]))
    for service, log in logs.items():
        found = entries.pop(f"/centre/{service}", [])
        positions = [position for position, _ in found]
        what = f"audit: position of {service}"
        yield from _compare(what, Counter(position for position, _, _ in log.rows), Counter(positions))
        yield from _ascending(what, positions)
        bytes_ = {position: bytes(sealed) for position, _, sealed in log.rows}
        for position, sealed in found:
            if position in bytes_ and bytes_[position] != sealed:
                yield Finding("divergent", f"{what} {position} has other bytes")
    for source in entries:
        yield Finding("divergent", f"audit: entries of {source}")
    for found in connection.execute("SELECT kind, source, detail::text FROM findings").fetchall():
        if found[0] in _ACCUSATIONS:
            yield Finding("divergent", f"audit accuses somebody wrongly: {_short(found)}")


def _check_tree(connection: psycopg.Connection[Any]) -> Findings:
    """Every root that audit has stored or signed is that of its leaves (RFC 6962, 2.1); one is of all."""
    leaves = connection.execute("SELECT leaf FROM entries ORDER BY index").fetchall()
    roots: dict[int, set[bytes]] = defaultdict(set)
    for table in ("signed_checkpoints", "tree_heads"):
        stored = connection.execute(f"SELECT size, root FROM {table}").fetchall()
        for size, root in stored:
            roots[size].add(bytes(root))
    if leaves and len(leaves) not in {size for size, _ in stored}:
        yield Finding("lost", f"audit: no tree head has all {len(leaves)} entries")
    full: list[tuple[int, bytes]] = []  # (leaves, root) of the full subtrees from left to right
    for size, (leaf,) in enumerate(leaves, start=1):
        full.append((1, sha256(b"\0" + bytes(leaf)).digest()))
        while len(full) > 1 and full[-1][0] == full[-2][0]:
            (width, right), (_, left) = full.pop(), full.pop()
            full.append((2 * width, _node(left, right)))
        if size in roots and roots.pop(size) != {_root(full)}:
            yield Finding("divergent", f"audit: tree of {size} entries has another root than its leaves")
    for size in roots:
        yield Finding("divergent", f"audit: tree of {size} entries, and there are {len(leaves)}")


def _root(full: list[tuple[int, bytes]]) -> bytes:
    return reduce(lambda right, left: _node(left, right), [root for _, root in reversed(full)])


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def _check_nothing_set_aside(service: str, connection: psycopg.Connection[Any]) -> Findings:
    for table in ("parked WHERE status = 'parked'", "rejected"):
        for row in connection.execute(f"SELECT * FROM {table}").fetchall():
            yield Finding("lost", f"{service}: set aside: {_short(row)}")


def _live(connection: psycopg.Connection[Any], projection: str, table: str) -> str:
    row = connection.execute("SELECT live FROM projections WHERE name = %s", (projection,)).fetchone()
    assert row is not None
    return f"{projection}_{row[0]}.{table}"


def _without_place(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("position", "previoushash")}


def _canonical(value: Any) -> bytes:
    """RFC 8785 for what our events consist of: no floats, small numbers, short keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
