"""Many runs, each with some twenty-five faults: `python -m tests.faults.campaign --faults 1000 --minutes 44`.

A run has databases, a virtual host, processes and clients of its own. While clients work, every process dies
at one point after another and is started again, and one harm after another comes and goes under them. Then
everything settles, and the checker goes through all that clients were told. What happens in a run follows
from the seed and the run's number alone; only its timing does not.

A full campaign keeps its last line in `tests/faults/results/<date>.json`. It is not whole without full disks,
for which it has to be root or to have user namespaces; `--without-disk` says that they are left out.
"""

import argparse
import gc
import json
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.testing.rabbitmq.node import wait_until
from tests.faults import disk, history
from tests.faults.deck import Card, Tally
from tests.faults.harms import DEATHS, HARMS, NEEDS_A_DISK
from tests.faults.history import Finding
from tests.faults.stage import NotSettled, Stage
from tests.faults.theatre import Theatre

_RELAYS = ("relay registration", "relay scheduling", "relay audit")
_SAYING = _RELAYS[:2]  # audit has little to say of itself
_DECIDING = ("serve registration", "serve scheduling")
_CONSUMING = (*_DECIDING, "serve audit")
# point, who comes to it, and at the latest at which time that it does so
_DEALT = (
    ("append", _DECIDING, 9),
    ("appended", _DECIDING, 9),
    ("seal", _SAYING, 4),
    ("sign", _SAYING, 4),
    ("sealed", _SAYING, 4),
    ("publish", _SAYING, 12),
    ("confirm", _SAYING, 8),
    ("marked", _SAYING, 4),
    ("apply", _CONSUMING, 4),
    ("checkpoint", _CONSUMING, 4),
    ("applied", _CONSUMING, 4),
    ("ack", _CONSUMING, 2),
    ("acked", _CONSUMING, 2),
    ("catch-up", _CONSUMING, 1),
    ("signer-kept", ("signer",), 3),
    ("signer-stored", ("signer",), 3),
    ("witness-examined", ("witness",), 3),
    ("witness-kept", ("witness",), 3),
    ("signer-published", ("signer",), 3),
    ("clock", _DECIDING, 9),
    ("clock", ("serve audit",), 4),
    ("clock", _RELAYS, 1),  # which look once for each statement of their head
)
_PAIR = "two of every program at once"
_JUMP = "clock jumps back"  # which no harm makes, but a fault of a program
_FULL = 1000  # faults of a campaign whose result is kept
_RESULTS = Path(__file__).parent / "results"
_PAUSE = 0.3  # seconds between two harms
_PATIENCE = 30.0  # seconds for a run's last faults to be met once its harms are over


@dataclass(frozen=True)
class Plan:
    """What one run does: who dies where, and which harms come in which order."""

    number: int
    cards: list[tuple[str, Card]]
    harms: list[str]
    replicas: int

    @classmethod
    def of(cls, seed: str, number: int, left_out: set[str]) -> "Plan":
        """Every point in each run, every harm in two, two of every program in runs 1, 9, 17 …."""
        chance, pair = random.Random(f"{seed}/{number}"), random.Random(f"{seed}/{number // 2}/harms")
        cards: list[tuple[str, Card]] = []
        for point, programs, latest in _DEALT:
            dealt = Counter(program for program, _ in cards)
            fewest = min(dealt[program] for program in programs)
            program = chance.choice([each for each in programs if dealt[each] == fewest])
            cards.append((program, f"{point}:{chance.randint(1, latest)}"))
        chance.shuffle(cards)
        harms = sorted(HARMS.keys() - left_out)
        pair.shuffle(harms)
        return cls(number, cards, harms[number % 2 :: 2], 2 if number % 8 == 1 else 1)


class Campaign:
    """Runs until enough was injected or the time is over; `report()` says what came of it."""

    def __init__(self, theatre: Theatre, seed: str, left_out: set[str], clients: int) -> None:
        self._theatre, self._seed, self._left_out, self._clients = theatre, seed, left_out, clients
        self._began = time.monotonic()
        self.tally = Tally()
        self.runs = 0
        self.found: Counter[str] = Counter(dict.fromkeys(history.KINDS, 0))
        self.failed: list[int] = []
        self.in_doubt = 0  # commands that a client was not told of at once

    def run(self, number: int) -> None:
        plan = Plan.of(self._seed, number, self._left_out)
        began, before, ended = time.monotonic(), self.tally.injected, len(self.tally.ended)
        folder = self._theatre.folder / f"run-{number}"
        folder.mkdir()
        self._theatre.repair()
        findings, reasons = self._played(plan, folder)
        reasons += self.tally.ended[ended:]
        self.runs += 1
        self.found.update(finding.kind for finding in findings)
        words = [f"{finding.kind}: {finding.what}" for finding in findings] + reasons
        faults, took = self.tally.injected - before, time.monotonic() - began
        say(f"run {number}: {faults} faults in {took:.0f} s, {verdict(findings, reasons)}")
        if words:
            self._failed(number, folder, words)
        else:
            shutil.rmtree(folder)
        gc.collect()  # nameko's client forgets the sockets of connections that broke

    def _failed(self, number: int, folder: Path, words: list[str]) -> None:
        (folder / "why.txt").write_text("\n".join(words))
        for line in words[:8]:
            say(f"  {line[:1500]}")
        say(f"  evidence in {folder}")
        say(f"  again: python -m tests.faults.campaign --seed {self._seed} --run {number}")
        self.failed.append(number)

    def _played(self, plan: Plan, folder: Path) -> tuple[list[Finding], list[str]]:
        seed = f"{self._seed}/{plan.number}"
        stage = Stage(self._theatre, f"run-{plan.number}", folder, self.tally, seed, self._clients)
        findings: list[Finding] = []
        reasons: list[str] = []
        with stage.open(plan.replicas):
            with _noted(reasons):
                self._play(plan, stage, reasons)
                findings += self._checked(stage, reasons)
            if findings or reasons:
                self._theatre.repair()
                stage.keep(folder)
        return findings, reasons

    def _play(self, plan: Plan, stage: Stage, reasons: list[str]) -> None:
        chance = random.Random(f"{self._seed}/{plan.number}/how")
        if plan.replicas > 1:
            self.tally.beside[_PAIR] += 1
        with stage.clients.work():
            stage.begin()
            stage.deck.deal(plan.cards)
            for name in plan.harms:
                with _noted(reasons):
                    HARMS[name](stage, chance)
                    if name not in DEATHS:
                        self.tally.happened(name)
                time.sleep(_PAUSE)
            self._theatre.repair()
            wait_until(stage.deck.played, _PATIENCE)
            if left := stage.deck.clear():
                say(f"  run {plan.number}: not met in time: {', '.join(left)}")

    def _checked(self, stage: Stage, reasons: list[str]) -> list[Finding]:
        findings: list[Finding] = []
        try:
            stage.settle()
        except NotSettled as behind:
            findings.append(Finding("lost", f"on its way for ever: {behind}"))
        with _noted(reasons):
            findings += stage.cure()
            stage.clients.repeat([command for command in stage.clients.asked if command.answered][::9])
            self.in_doubt += sum(command.in_doubt for command in stage.clients.asked)
            with stage.still():
                findings += stage.check()
        return findings

    def report(self, faults: int) -> dict[str, Any]:
        missed = [point for point, hit in self.tally.points.items() if not hit]
        kinds = HARMS.keys() - DEATHS - self._left_out | {_JUMP}
        missed += [kind for kind in kinds if not self.tally.kinds[kind]]
        missed += [_PAIR] * (not self.tally.beside[_PAIR])
        return {
            "injected": self.tally.injected,
            "runs": self.runs,
            **{kind: self.found[kind] for kind in history.KINDS},
            "seconds": round(time.monotonic() - self._began),
            "points": dict(self.tally.points),
            "kinds": dict(sorted(self.tally.kinds.items())),
            "beside": dict(sorted(self.tally.beside.items())),
            "in_doubt": self.in_doubt,
            "never": sorted(missed),
            "left_out": sorted(self._left_out),
            "failed": self.failed,
            "enough": self.tally.injected >= faults,
            "seed": self._seed,
        }


@contextmanager
def _noted(reasons: list[str]) -> Iterator[None]:
    """What goes wrong is a reason for the run to have failed, and the rest goes on."""
    try:
        yield
    except Exception as error:
        reasons.append("".join(traceback.format_exception(error)))


def verdict(findings: list[Finding], reasons: list[str]) -> str:
    counted = Counter(finding.kind for finding in findings)
    parts = [f"{counted[kind]} {kind}" for kind in history.KINDS if counted[kind]]
    return ", ".join(parts + [f"{len(reasons)} failures"] * bool(reasons)) or "all true"


def say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    asked = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.disable(logging.WARNING)  # kombu and pika say what we do to them
    if not disk.may_mount():
        disk.enter(["-m", "tests.faults.campaign", *sys.argv[1:]])
    place = Path(tempfile.mkdtemp(prefix="jianding-faults-"))
    place.chmod(0o711)  # the database's user has to pass
    left_out = set() if disk.may_mount() and not asked.without_disk else NEEDS_A_DISK
    say(f"seed {asked.seed}" + (f"; left out: {', '.join(sorted(left_out))}" if left_out else ""))
    theatre = Theatre(place)
    campaign = Campaign(theatre, asked.seed, left_out, asked.clients)
    interrupted = False
    try:
        with theatre.open():
            for number in _numbers(asked, campaign):
                campaign.run(number)
    except KeyboardInterrupt:
        interrupted = True
        say("interrupted")
    report = campaign.report(asked.faults)
    if not report["failed"]:
        shutil.rmtree(place)
    line = json.dumps(report, ensure_ascii=False)
    if asked.run is None and asked.faults >= _FULL and not interrupted:
        _RESULTS.mkdir(exist_ok=True)
        (_RESULTS / f"{datetime.now(UTC).date()}.json").write_text(f"{line}\n", encoding="utf-8")
    say(line)
    return 130 if interrupted else int(_is_bad(report, asked))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description=__doc__)
    parser.add_argument("--faults", type=int, default=_FULL, help="how many to inject")
    parser.add_argument("--minutes", type=float, default=44, help="no run begins that could end later")
    parser.add_argument("--clients", type=int, default=6, help="how many ask at once")
    parser.add_argument("--seed", default="jianding", help="another seed, other faults")
    parser.add_argument(
        "--without-disk", action="store_true", help="fill no disk, where we may not mount any"
    )
    parser.add_argument("--run", type=int, help="only the run of this number")
    return parser.parse_args()


def _numbers(asked: argparse.Namespace, campaign: Campaign) -> Iterator[int]:
    if asked.run is not None:
        yield asked.run
        return
    number, deadline, longest = 0, time.monotonic() + asked.minutes * 60, 0.0
    while campaign.tally.injected < asked.faults and time.monotonic() + longest < deadline:
        began = time.monotonic()
        yield number
        number, longest = number + 1, max(longest, time.monotonic() - began)


def _is_bad(report: dict[str, Any], asked: argparse.Namespace) -> bool:
    wrong = any(report[kind] for kind in history.KINDS) or report["failed"]
    left_out = report["left_out"] and not asked.without_disk
    return bool(wrong or (asked.run is None and (report["never"] or left_out or not report["enough"])))


if __name__ == "__main__":
    sys.exit(main())
