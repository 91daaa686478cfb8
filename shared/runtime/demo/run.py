"""The demo: a fresh node, twelve batches, a summary out of the audit log, a stopped node."""

import logging
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import eventlet
from eventlet.event import Event

from shared.bus.calls import context
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import new_id
from shared.runtime.demo import logins, practice
from shared.runtime.demo.desk import DemoStuck
from shared.runtime.demo.mark import NotOurs, mark, marked
from shared.runtime.demo.people import fictional
from shared.runtime.demo.play import Play
from shared.runtime.demo.summary import Summary, rate, together
from shared.runtime.demo.term import SITTING, Plan, latest_year, plans
from shared.runtime.lease import lease
from shared.runtime.node import Node
from shared.runtime.postgres import Postgres
from shared.runtime.settings import Settings
from shared.runtime.standing import settled
from shared.wire.envelope import read

log = logging.getLogger(__name__)

_TOGETHER = 4  # batches that are played at the same time
_LONG_AGO = 800
_PATIENCE = 60.0  # seconds for the last reactions to reach everybody

Step = Callable[[str, int], None]
Say = Callable[[str], None]
OnSignal = Callable[[Callable[[], Any]], None]


class Interrupted(Exception):
    """Somebody stopped the demo; nothing runs any more, and the next one begins anew."""


def run(settings: Settings, seed: int, step: Step, say: Say, on_signal: OnSignal) -> dict[str, Any]:
    """Plays everything on an empty node under `settings.var`, and returns the summary (see `report`).

    `on_signal` is told what a signal has to call; Interrupted once one has come and everything has stopped.
    """
    settings = replace(
        settings, tokens="accepted", late_days=_LONG_AGO
    )  # its batches are those of a spring term that is over
    done = Event()
    on_signal(lambda: done.ready() or done.send_exception(Interrupted()))
    ours(settings)
    with lease(settings.var):
        say("starting PostgreSQL and five services … 启动数据库与五个服务")
        began = time.monotonic()
        postgres = fresh(settings)  # to its end: half started, nobody would stop it
        try:
            with Node(settings, postgres.dsn) as node:
                eventlet.spawn(_perform, done, node, settings, postgres.dsn, seed, step, say)
                summary, verdict, seconds = done.wait()
        except Interrupted:
            postgres.stop("immediate")
            raise
        finally:
            postgres.stop()
    return report(summary, verdict, seconds, time.monotonic() - began)


def _perform(done: Event, *words: Any) -> None:
    """Sends what came of it, unless somebody else has sent that it shall stop."""
    try:
        found = _performance(*words)
    except Exception as error:
        if not done.ready():
            done.send_exception(error)
    else:
        if not done.ready():
            done.send(found)


def _performance(
    node: Node, settings: Settings, admin: str, seed: int, step: Step, say: Say
) -> tuple[Summary, dict[str, Any], float]:
    playing = time.monotonic()
    plays = _play(node, plans(latest_year(date.today())), seed, step)
    _settle(settings, admin)
    for play in plays:
        play.close()
    logins.open_all(node.call, settings.var)
    say("waiting for the audit log … 等待审计日志")
    _settle(settings, admin)
    say("verifying the audit log … 核验审计日志")
    verdict = node.call("audit", "verify", _supervisor())
    summary = _read_log(node, verdict["size"])
    seconds = time.monotonic() - playing
    practice.begin(node.call, step)
    _settle(settings, admin)  # what was said of verifying and reading belongs to the log as well
    return summary, verdict, seconds


def _settle(settings: Settings, admin: str) -> None:
    with eventlet.Timeout(_PATIENCE, DemoStuck("the audit log")):
        while not settled(settings, admin):
            eventlet.sleep(0.1)


def ours(settings: Settings) -> None:
    """NotOurs, rather than touch anybody's data."""
    if settings.secrets.parent != settings.var or not settings.embedded_postgres:
        raise NotOurs(
            "请取消 JIANDING_SECRETS 与 JIANDING_DATABASE_URL。"
            " Unset JIANDING_SECRETS and JIANDING_DATABASE_URL; the demo uses its own."
        )
    if (settings.var / "postgres").exists() and not marked(settings.var):
        raise NotOurs(
            f"{settings.var} 中有您的数据，请将 JIANDING_VAR 设为另一目录；不再需要时可用 make clean 删除。"
            f" {settings.var} holds data of yours: set JIANDING_VAR to another folder; `make clean` gives"
            " var/ up."
        )


def fresh(settings: Settings) -> Postgres:
    """The embedded PostgreSQL with nothing in it; NotOurs if somebody is at the data."""
    postgres = Postgres(settings)
    if (settings.var / "postgres").exists():
        if postgres.running() and postgres.in_use():
            raise NotOurs(
                f"{settings.var} 正被另一命令使用，请等它结束。"
                f" Another command is at the data under {settings.var}; wait for its end."
            )
        postgres.stop("immediate")
        # with the data goes what was signed of it: a new log must not have to continue the old one
        for name in ("postgres", "signer", "witness", "policy"):
            _remove(settings.var / name)
        _remove(settings.secrets)
        logins.forget(settings.var)
    mark(settings.var)
    postgres.start()
    return postgres


def _remove(path: Path) -> None:
    target = path.resolve()
    if target.is_dir():
        shutil.rmtree(target)
    if path.is_symlink() or path.is_file():
        path.unlink()


def _play(node: Node, planned: list[Plan], seed: int, step: Step) -> list[Play]:
    pool, chance, met = eventlet.GreenPool(_TOGETHER), random.Random(seed), 0  # noqa: S311
    plays = []
    for plan in planned:
        count = max(plan.trained, plan.applying)
        people = fictional(count, chance, _ids(plan), met)
        plays.append(Play(node.call, plan, people, seed, step))
        met += count
    for _ in pool.imap(Play.run, plays):  # raises what a play raised
        pass
    return plays


def _ids(plan: Plan) -> Callable[[], str]:
    """New ones; the first of a batch may be that of somebody who can log in."""
    known = [first] if (first := logins.account(plan.key, Role.CANDIDATE)) else []
    return lambda: known.pop() if known else new_id()


def _read_log(node: Node, size: int) -> Summary:
    """Folds the first `size` entries, those that were verified: reading them leaves further ones."""
    summary, after, by = Summary(), -1, _supervisor()
    while after < size - 1:
        limit = min(1000, size - 1 - after)
        bodies = node.call("audit", "entries", by, after=after, limit=limit)
        for body in bodies:
            summary.add(read(body.encode()))
        after += len(bodies)
    return summary


def _supervisor() -> dict[str, str]:
    return context(Actor(new_id(), Role.SUPERVISOR, "centre"))


def report(summary: Summary, verdict: dict[str, Any], playing: float, seconds: float) -> dict[str, Any]:
    """Everything that the demo prints; `trained`, `assessed` and `certified` are those of the ten batches."""
    rows = summary.batches()
    april = [row for row in rows if row["occupation"] == SITTING]
    term = [row for row in rows if row["occupation"] != SITTING]
    ten, first, second = together(term), april[0], april[1]
    events = sum(summary.types.values())
    return {
        **{key: ten[key] for key in ("trained", "assessed", "certified")},
        "certificate_rate": rate(ten["certified"], ten["trained"], 1),
        "certified_of_assessed": rate(ten["certified"], ten["assessed"], 1),
        "sittings": [
            {**first, "pass_rate": rate(first["passed"], first["assessed"], 2)},
            {**second, "pass_rate": rate(second["passed"], second["assessed"], 0)},
        ],
        "batches": term,
        "all": together(rows),
        "events": events,
        "examples": summary.examples(),
        "events_by_type": dict(sorted(summary.types.items())),
        "audit": {
            "size": verdict["size"],
            "head": verdict["root"],
            "verified": verdict["verified"],
            "sources": verdict["sources"],
        },
        "seconds": round(seconds, 2),
        "events_per_second": round(events / playing, 1),
    }
