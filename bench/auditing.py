"""What a log that nobody can alter unseen costs: appending, signing, verifying, proving, looking up, keeping.

`audit_signed` is `audit` with a signer and a witness at work, each a process of its own. What is verified and
looked up is a log filled by audit's own consumer (bench/filling.py), signed, cosigned and exported once. The
peers get the same leaves: `pymerkle`, and what hashing alone would take.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.rows import dict_row

from bench import clients, lives, signing
from bench.consuming import consumed
from bench.figures import Figure, percentile
from bench.stage import Stage
from bench.waiting import number, until
from services.audit import export, hidden, programs
from services.audit.domain.tree import inclusion
from services.audit.tiles import StoredTiles
from services.audit.verification import verify_at_once
from shared.runtime.settings import Settings, settings
from shared.testing.processes import PROJECT, Processes

_APPENDED = 60_000  # events of one measurement
_EXPORTED = 300_000
_CORES = 2
_LOOKUPS = 1_000
_PUBLISHED = "SELECT max(size) FROM signed_checkpoints WHERE published_at IS NOT NULL"
_KINDS = {"candidate": lives.PEOPLE, "application": lives.PEOPLE, "batch": 1}  # how many there are in a batch
_TABLES = ("entries", "subjects", "tiles", "tree_heads", "signed_checkpoints", "cosignatures")


def figures(stage: Stage) -> Iterator[Figure]:
    exported = min(stage.plan.audited, _EXPORTED)
    rounds = range(stage.plan.rounds)
    signed = [_signed(stage, _appended(stage)) for _ in rounds]
    stage.fresh("audit")
    _fill(stage, 0, exported)
    ours = replace(stage.cluster.settings, var=stage.folder / "auditing")
    folder, took = _exported(stage, ours, exported)
    yield from _appending(stage, signed, folder)
    yield from _verifying(stage, ours, folder, exported, took)
    yield from _proving(stage, folder, exported)
    _fill(stage, exported, stage.plan.audited - exported)
    yield from _looking(stage)
    yield _keeping(stage)


# -- appending


def _appended(stage: Stage) -> int:
    return min(stage.plan.audited // 2, _APPENDED)


def _signed(stage: Stage, count: int) -> float:
    """Events a second from a full queue into the log, while it is signed and cosigned."""
    folder = stage.folder / f"signer-{uuid4()}"

    def beside(processes: Processes) -> None:
        signing.run(stage, processes, folder)

    return consumed(stage, "audit", count, beside, lambda: _is_published(stage, count))


def _is_published(stage: Stage, count: int) -> None:
    with stage.admin("audit") as connection:
        until(lambda: number(connection, _PUBLISHED) == count, "a checkpoint of everything is cosigned")


def _appending(stage: Stage, signed: Sequence[float], folder: Path) -> Iterator[Figure]:
    count = _appended(stage)
    path = str(stage.folder / "pymerkle")
    theirs = [
        count
        / clients.once("bench.peers.merkle:appending", folder=str(folder), path=path, count=count)["seconds"]
        for _ in range(stage.plan.rounds)
    ]
    note = f"{count} events by `jianding serve audit` beside `jianding signer` and `jianding witness`"
    yield Figure("audit_signed", "events/s", signed, aim=12_000, note=note)
    note = "which stores and hashes the same leaves, with neither subjects nor signatures"
    yield Figure("audit_signed_of_pymerkle", "events/s", signed, "pymerkle in SQLite", theirs, note=note)


# -- verifying


def _fill(stage: Stage, first: int, count: int) -> None:
    if count:
        clients.once("bench.filling:audit", dsn=stage.dsn("audit", "admin"), first=first, count=count)
    with stage.admin("audit") as connection:
        connection.execute("VACUUM ANALYZE")
    stage.settle()


def _exported(stage: Stage, ours: Settings, count: int) -> tuple[Path, tuple[float, float]]:
    """The export's folder, and the seconds that signing and exporting took."""
    began = time.monotonic()
    while not programs.sign_now(ours, stage.cluster.admin):
        pass
    signed = time.monotonic()
    folder = stage.folder / "export"
    with psycopg.connect(stage.dsn("audit"), autocommit=True) as connection:
        done = export.export(connection, ours, folder)
    if done.size != count:
        raise RuntimeError(f"{done.size} entries were exported instead of {count}")
    return folder, (signed - began, time.monotonic() - signed)


def _verifying(
    stage: Stage, ours: Settings, folder: Path, count: int, took: tuple[float, float]
) -> Iterator[Figure]:
    own, files, bare, theirs = [], [], [], []
    for _ in range(stage.plan.rounds):
        own.append(count / clients.once("bench.auditing:reading", dsn=stage.dsn("audit"))["said"])
        files.append(count / _read_alone(folder, ours.policy_file, count))
        bare.append(_hashed(folder, count))
        heard = clients.once("bench.peers.merkle:rooting", folder=str(folder), count=count)
        theirs.append(count / heard["seconds"])
    note = f"{count} events with two processes; signed in {took[0]:.0f} s, exported in {took[1]:.0f} s"
    yield Figure("verify_postgres", "events/s", own, aim=250_000, note=note)
    yield Figure("verify_export", "events/s", files, aim=250_000, note=note)
    what = "hashlib: leaf, event and tree, two processes"
    yield Figure("verify_postgres_of_hashing", "events/s", own, what, bare)
    yield Figure("verify_export_of_hashing", "events/s", files, what, bare)
    note = "which computes the root from the leaves in memory, and checks neither chains nor links"
    yield Figure("verify_export_of_pymerkle", "events/s", files, "pymerkle's root", theirs, note=note)


def reading(dsn: str) -> Callable[[], float]:
    """What `jianding verify` does; the seconds that it took."""

    def once() -> float:
        began = time.monotonic()
        verdict = verify_at_once(dsn, [], processes=_CORES)
        if not verdict.verified:
            raise RuntimeError(verdict.problems[:3])
        return time.monotonic() - began

    return once


def _read_alone(folder: Path, policy: Path, count: int) -> float:
    """What `jianding-verify` does; the seconds that it took."""
    words = [str(folder), "--policy", str(policy), "--json", "--workers", str(_CORES)]
    command = [sys.executable, "-m", "services.audit.verifier", *words]
    done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, check=True)
    verdict: dict[str, Any] = json.loads(done.stdout)
    if (verdict["verdict"], verdict["size"]) != ("valid", count):
        raise RuntimeError(f"{verdict}")
    return float(verdict["seconds"])


def _hashed(folder: Path, count: int) -> float:
    jobs = [
        {
            "work": "bench.peers.hashing:hashing",
            "times": 1,
            "arguments": {"folder": str(folder), "number": place, "clients": _CORES},
        }
        for place in range(_CORES)
    ]
    with clients.together(*jobs) as running:
        heard = [client.heard() for client in running]
    if sum(each["said"] for each in heard) != count:
        raise RuntimeError("not all leaves were hashed")
    return count / max(float(each["seconds"]) for each in heard)


# -- proofs and trails


def _proving(stage: Stage, folder: Path, count: int) -> Iterator[Figure]:
    ours, theirs, first = [], [], []
    path, seconds, dsn = str(stage.folder / "pymerkle-proofs"), stage.plan.seconds, stage.dsn("audit")
    for _ in range(stage.plan.rounds):
        ours.append(clients.rate("bench.auditing:proving", 1, seconds, dsn=dsn, count=count))
        peer = "bench.peers.merkle:proving"
        theirs.append(clients.rate(peer, 1, seconds, folder=str(folder), path=path, count=count))
        heard = clients.once("bench.auditing:proving", dsn=dsn, count=count, number=0, warm=False)
        first.append(heard["seconds"] * 1000)
    note = f"of {count} entries, each party with what it has read before, as within one bundle"
    yield Figure("proofs", "proofs/s", ours, "pymerkle in SQLite", theirs, note=note)
    note = "the first one of a bundle, which reads the right edge of the tree"
    yield Figure("first_proof", "ms", first, at_most=True, note=note)


def proving(dsn: str, count: int, number: int, warm: bool = True) -> Callable[[], int]:
    """A proof that an entry chosen by chance is included, as a bundle has it; how many hashes it has."""
    connection, chance = psycopg.connect(dsn, autocommit=True), random.Random(number)
    tiles = StoredTiles(connection)

    def once() -> int:
        return len(inclusion(chance.randrange(count), count, tiles))

    if warm:
        once()
    return once


def _looking(stage: Stage) -> Iterator[Figure]:
    size = stage.plan.audited
    middle, late = [], []
    for place in range(stage.plan.rounds):
        where = {"dsn": stage.dsn("audit"), "var": str(stage.cluster.settings.var)}
        heard = clients.once("bench.auditing:looking", **where, size=size, seed=place)
        middle.append(percentile(heard["said"], 0.5))
        late.append(percentile(heard["said"], 0.99))
    note = f"at {size} events: trails of a candidate, an application (7 and 6 entries), a batch (100 of 420)"
    yield Figure("trail_p50", "ms", middle, at_most=True, note=note)
    yield Figure("trail_p99", "ms", late, aim=20, at_most=True, note=f"{note}; {_ten_millions(stage, size)}")


def looking(dsn: str, var: str, size: int, seed: int) -> Callable[[], list[float]]:
    """Looks trails up as audit's service does, hidden entries too, but for the event that says so.

    On one connection; the milliseconds of each.
    """
    chance, connection = random.Random(seed), psycopg.connect(dsn, autocommit=True)
    current = replace(settings(), var=Path(var))
    batches = size // (lives.PEOPLE * lives.STEPS)  # that are complete

    def look() -> list[float]:
        took = []
        with connection.cursor(row_factory=dict_row) as rows:
            for place in range(_LOOKUPS + 20):
                kind = chance.choice(tuple(_KINDS))
                id = lives.id_of(kind, chance.randrange(batches * _KINDS[kind]))
                began = time.perf_counter()
                steps = hidden.trail(current, rows, kind, id)
                if place >= 20:  # after some, the statement is prepared
                    took.append((time.perf_counter() - began) * 1000)
                if not steps:
                    raise LookupError(f"{kind} {id}")
        return took

    return look


def _ten_millions(stage: Stage, size: int) -> str:
    """What a look-up would cost there: not measured, but read off the index that it walks down."""
    with stage.admin("audit") as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pageinspect")
        level = number(connection, "SELECT level FROM bt_metap('subjects_pkey')")
        pages = number(connection, "SELECT relpages FROM pg_class WHERE relname = 'subjects_pkey'")
        connection.execute("DROP EXTENSION pageinspect")
    times = 10_000_000 / size
    return (
        f"the index of subjects has {level + 1} levels and {pages} pages here; with 10 million events some"
        f" {pages * times:.0f} pages and at most {'one level' if times <= 20 else 'two levels'} more, so at"
        " most as many pages more for each subject asked for, extrapolated and not measured"
    )


# -- keeping


def _keeping(stage: Stage) -> Figure:
    with stage.admin("audit") as connection:
        size = number(connection, "SELECT count(*) FROM entries")
        stored = sum(number(connection, "SELECT pg_total_relation_size(%s)", name) for name in _TABLES)
        leaves = number(connection, "SELECT sum(length(leaf)) FROM entries")
        below = number(connection, "SELECT pg_relation_size('entries')")
    note = f"of it {below / size:.0f} the entries, the rest indexes, subjects and tiles; {size} events"
    return Figure(
        "stored_bytes", "bytes/event", [stored / size], "its leaf", [leaves / size], at_most=True, note=note
    )
