"""A long run: eight writers, every program killed in between, and in the end audit has found nothing.

`python -m tests.faults.endurance --events 200000 --minutes 15`, with `make endure`. The whole distributed
edition runs, with its signer and a witness over HTTP, each program under a supervisor that starts it again.
Kills come at even shares of the way, and a run that spares a kind of program has failed. Then everything
settles; the checker goes through what the writers were told and through all logs; `jianding verify` reads all
of the audit log, and `jianding-verify` its export with the checkpoint that the witness has cosigned. The last
line of output is all of it as one JSON object.

A program comes back within seconds, as under any supervisor: had one stayed away for longer than the limits,
then audit's finding would be true, and be counted here all the same.
"""

import argparse
import json
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from shared.contracts import DECIDING, SERVICES, SOURCES
from shared.testing.rabbitmq.node import wait_until
from tests.faults import history, journal
from tests.faults.campaign import say
from tests.faults.deck import Tally
from tests.faults.harms import broker_is_killed
from tests.faults.history import Finding
from tests.faults.keeper import Keeper
from tests.faults.stage import NotSettled, Stage
from tests.faults.theatre import Theatre

_LOOK = 0.1
_AGAIN = 60.0  # seconds for a killed program to come back
KINDS = ("writer", "relay", "serve", "audit", "signer", "witness", "broker")  # each has to die
_FOUND = "SELECT kind, source, first_position, last_position, detail::text FROM findings ORDER BY id"
_CHECKPOINT = (
    "SELECT coalesce(max(size), 0) FROM signed_checkpoints JOIN cosignatures USING (origin, size)"
    " WHERE published_at IS NOT NULL"
)
_SLOWEST = "SELECT coalesce(min(position), 0) FROM checkpoints WHERE source = '/centre/registration'"
_SIZE = "SELECT coalesce(max(size), 0) FROM tree_heads"


class TimeIsOver(Exception):
    """The run did not come to its end in its time; says how far it was."""


class Endurance(Stage):
    """Every program of the distributed edition, and the writers."""

    deciding = DECIDING
    ready = MappingProxyType({**Stage.ready, "writer": "writer {} writes"})

    def __init__(self, theatre: Theatre, folder: Path, writers: int) -> None:
        super().__init__(theatre, "endurance", folder, Tally())
        self.folder, self.writers = folder, writers
        self.programs = (
            "witness",
            *(f"serve {service}" for service in SERVICES),
            *(f"relay {service}" for service in SOURCES),
            "signer",
            *(f"writer {number}" for number in range(writers)),
        )

    def _links(self) -> tuple[str, str]:
        return self.bus, self.theatre.dsn

    def _words(self, program: str) -> list[str]:
        command, _, which = program.partition(" ")
        if command == "writer":
            return ["-m", "tests.faults.writer", which, str(self.folder)]
        return super()._words(program)

    # -- the work

    def named(self, *commands: str) -> list[Keeper]:
        return [keeper for keeper in self.keepers if keeper.program.startswith(commands)]

    def kill(self, program: str) -> None:
        """One of these, as soon as it is at work again after an earlier death."""
        keeper = next(each for each in self.keepers if each.program == program)
        keeper.process.await_line(self.readiness(program), _AGAIN)
        keeper.kill()

    def begin(self, seconds: float = 60) -> None:
        """Returns when something has come all the way to audit."""
        if not wait_until(lambda: bool(self.number(_SIZE)), seconds):
            raise NotSettled(f"{self.positions()}")

    def pace(self, ahead: int) -> int:
        """How many events are in the audit log; writers that are so far ahead of whoever listens wait.

        So kills meet everybody at work, all the way.
        """
        slowest = min(self.number(_SLOWEST, service) for service in (*self.deciding, "audit"))
        wait = self.folder / "wait"
        if self.number("SELECT count(*) FROM events", "registration") > slowest + ahead:
            wait.touch()
        else:
            wait.unlink(missing_ok=True)
        return self.number(_SIZE)

    def number(self, query: str, service: str = "audit") -> int:
        with self.admin(service) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def enough(self) -> None:
        """The writers end what they are at."""
        for keeper in self.named("writer"):
            keeper.may_finish = True
        (self.folder / "wait").unlink(missing_ok=True)
        (self.folder / "enough").touch()
        for keeper in self.named("writer"):
            keeper.join(_AGAIN)

    # -- whether it is true

    def check(self) -> list[Finding]:
        asked = [
            command
            for number in range(self.writers)
            for command in journal.read(self.folder / f"writer-{number}.jsonl")
        ]
        return [*history.check(asked, self.admin, self.keys, self.sources), *self.rebuilt()]

    def found(self) -> list[str]:
        """What audit has found, and what contradicts its log."""
        with self.admin("audit") as connection:
            rows = connection.execute(_FOUND).fetchall()
            rows += connection.execute("SELECT reason, source, position FROM evidence").fetchall()
        return [" ".join(map(str, row)) for row in rows]

    def verified(self, deadline: float) -> bool:
        """The whole log and its export are verified, under a checkpoint of all of it that is cosigned."""
        size = self.number(_SIZE)
        while self.number(_CHECKPOINT) < size:
            if time.monotonic() > deadline:
                raise TimeIsOver(f"no cosigned checkpoint of {size} entries")
            time.sleep(_LOOK)
        policy, export = self.settings.policy_file, self.folder / "export"
        said = self._told("shared.runtime.cli", "verify", "--json")
        self._told("shared.runtime.cli", "audit", "export", str(export))
        others = self._told("services.audit.verifier", str(export), "--policy", str(policy), "--json")
        say(f"verified: {said['size']} entries in the database, {others['size']} in an export")
        # verifying and exporting are events, so the log has grown by them
        return (said["verdict"] == "verified" and said["size"] >= size) and (
            others["verdict"] == "valid" and others["size"] >= size and len(others["cosigned_by"]) == 1
        )

    def _told(self, module: str, *words: str) -> dict[str, Any]:
        with self._one_at_a_time:
            process = self.processes.program("-m", module, *words)
        process.wait(_AGAIN * 5)
        last = process.last_line
        found: dict[str, Any] = json.loads(last) if last.startswith("{") else {}
        return found


def kills(events: int, writers: int, chance: random.Random) -> list[str]:
    """Who dies, in which order: so many of each that every 5,000 events somebody of each kind does.

    At least one of each of KINDS, however short the run is.
    """
    each = max(1, events // 5_000)
    others = [service for service in SERVICES if service != "audit"]
    dealt = [f"writer {number % writers}" for number in range(2 * each)]
    dealt += [f"relay {SOURCES[number % len(SOURCES)]}" for number in range(each)]
    dealt += ["serve audit"] * each
    dealt += [f"serve {others[number % len(others)]}" for number in range(max(1, each // 2))]
    dealt += ["signer", "witness"] * max(1, each // 4) + ["broker"] * max(1, each // 5)
    chance.shuffle(dealt)
    return dealt


def kind(whom: str) -> str:
    """What counts as one kind of program: the service that audits, and those that are asked, are two."""
    return "audit" if whom == "serve audit" else whom.partition(" ")[0]


class Run:
    """One run of so many events; `report()` says what came of it."""

    def __init__(self, stage: Endurance, events: int, deadline: float, seed: str) -> None:
        self._stage, self._events, self._deadline = stage, events, deadline
        self._chance = random.Random(seed)
        self._began = time.monotonic()
        self._findings: list[Finding] = []
        self._reasons: list[str] = []
        self.kills: Counter[str] = Counter()
        self.verified = False

    def play(self) -> None:
        stage = self._stage
        stage.begin()
        dealt = kills(self._events, stage.writers, self._chance)
        for place, whom in enumerate(dealt, start=1):
            self._until(self._events * place // (len(dealt) + 1))
            self._kill(whom)
        self._until(self._events)
        stage.enough()
        stage.settle(max(30.0, self._deadline - time.monotonic()))
        say(f"settled after {time.monotonic() - self._began:.0f} s: {stage.number(_SIZE)} events")
        self._findings += stage.check()
        self.verified = stage.verified(self._deadline)

    def _until(self, size: int) -> None:
        while self._stage.pace(min(5_000, self._events // 4)) < size:
            if time.monotonic() > self._deadline:
                raise TimeIsOver(f"{self._stage.positions()}")
            time.sleep(_LOOK)

    def _kill(self, whom: str) -> None:
        if whom == "broker":
            broker_is_killed(self._stage, self._chance)
        else:
            self._stage.kill(whom)
        self.kills[kind(whom)] += 1

    def report(self) -> dict[str, Any]:
        found = self._stage.found()
        counted = Counter(finding.kind for finding in self._findings)
        self._reasons += self._stage.tally.ended
        for line in [*found, *(f"{each.kind}: {each.what}" for each in self._findings), *self._reasons][:20]:
            say(line[:1500])
        return {
            "events": self._stage.number(_SIZE),
            "writers": self._stage.writers,
            "kills": dict(sorted(self.kills.items())),
            "spared": sorted(set(KINDS) - set(self.kills)),
            "findings": len(found),
            **{kind: counted[kind] for kind in history.KINDS},
            "verified": self.verified,
            "ended": len(self._reasons),
            "seconds": round(time.monotonic() - self._began),
        }


@contextmanager
def opened(theatre: Theatre, folder: Path, writers: int) -> Iterator[Endurance]:
    stage = Endurance(theatre, folder, writers)
    with stage.open():
        yield stage


def is_bad(report: dict[str, Any], events: int) -> bool:
    wrong = any(report[what] for what in (*history.KINDS, "findings", "ended", "spared"))
    return wrong or not report["verified"] or report["events"] < events


def main() -> int:
    asked = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.disable(logging.WARNING)  # kombu and pika say what we do to them
    place = Path(tempfile.mkdtemp(prefix="jianding-endurance-"))
    place.chmod(0o711)  # the database's user has to pass
    theatre, report = Theatre(place, megabytes=0), dict[str, Any]()
    folder = place / "run"
    folder.mkdir()
    with theatre.open(), opened(theatre, folder, asked.writers) as stage:
        run = Run(stage, asked.events, time.monotonic() + asked.minutes * 60, asked.seed)
        try:
            run.play()
        except (TimeIsOver, NotSettled) as late:
            say(f"not in time: {late}")
        report = run.report()
    bad = is_bad(report, asked.events)
    if bad:
        say(f"evidence in {place}")
    else:
        shutil.rmtree(place)
    say(json.dumps(report))
    return int(bad)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.endurance", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000, help="how many the logs shall have at least")
    parser.add_argument("--writers", type=int, default=8, help="how many processes append")
    parser.add_argument("--minutes", type=float, default=15, help="in which it has to be over")
    parser.add_argument("--seed", default="jianding", help="another seed, another order of kills")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
