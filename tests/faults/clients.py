"""Clients that ask over RPC until they are told, each repetition with the same command_id."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from threading import Event, Lock
from typing import Any

from kombu.pools import reset
from nameko.exceptions import RemoteError
from nameko.standalone.rpc import ClusterRpcProxy

from shared.bus.calls import Refused, context
from shared.kernel.actors import Actor, Role
from shared.kernel.clock import stamp
from shared.kernel.ids import new_id
from shared.runtime.demo.people import Person, fictional
from tests.faults.history import Asked

STATION = "10012003"
_PATIENCE = 10.0  # seconds for one answer; then the client asks again
# a broker that was killed needs half a minute on a busy machine, and nameko then looks for it every half
_DEADLINE = 120.0
_CROWD = 12  # candidates of a batch
_CENTRE, _OURS = "centre", f"station-{STATION}"


class NobodyAnswers(Exception):
    """A client asked again and again, and was never told."""


class Clients:
    """Some clients at once, and all that they asked and were told."""

    def __init__(self, url: str, threads: int = 6, seed: str = "") -> None:
        self.asked: list[Asked] = []
        self.tired = Event()  # set: nobody asks again
        self._url = url
        self._threads = threads
        self._free: deque[ClusterRpcProxy] = deque()  # a proxy serves one thread at a time
        self._chance = random.Random(seed)
        self._met = count(step=100)
        self._staff = {(role, number): new_id() for role in Role for number in (1, 2)}

    def apply_for_batch(self) -> str:
        """A new batch of our station, large enough for a round."""
        batch = new_id()
        exam = datetime.now(UTC) + timedelta(days=40)
        self.ask(
            "scheduling",
            "apply_for_batch",
            self._who(Role.STATION_DIRECTOR),
            batch=batch,
            station=STATION,
            occupation="化工分析工",
            catalogue="1999",
            levels=[4],
            planned=200,
            theory_at=stamp(exam),
            practical_at=stamp(exam + timedelta(hours=5)),
        )
        return batch

    @contextmanager
    def work(self) -> Iterator[None]:
        """Candidates for one batch after another, some of them with rivals.

        Nobody begins anything new once the block has ended; when this returns, everybody was told.
        """
        over = Event()
        ways, one_at_a_time = self._all_ways(over), Lock()

        def work() -> None:
            while True:
                with one_at_a_time:
                    way = next(ways, None)
                if way is None:
                    return
                way()

        with ThreadPoolExecutor(self._threads) as pool:
            workers = [pool.submit(work) for _ in range(self._threads)]
            try:
                yield
            except BaseException:
                self.tired.set()
                raise
            finally:
                over.set()
            for worker in workers:
                worker.result()

    def _all_ways(self, over: Event) -> Iterator[Callable[[], None]]:
        while True:
            crowd = fictional(_CROWD, self._chance, new_id, next(self._met))
            for way in self._ways(self.apply_for_batch(), crowd):
                yield way
                if over.is_set():
                    return

    def repeat(self, commands: list[Asked]) -> None:
        """Asks again what was asked before; whoever knows is told the same."""
        for command in commands:
            self._once(command)

    def ask(self, service: str, method: str, by: dict[str, Any], **message: Any) -> Asked:
        """One command, repeated until the client is told what became of it."""
        command = Asked(service, method, new_id(), by, message)
        self.asked.append(command)
        deadline = time.monotonic() + _DEADLINE
        while not command.told:
            if self.tired.is_set() or time.monotonic() > deadline:
                raise NobodyAnswers(f"{service}.{method} in {len(command.answers)} attempts: {command}")
            self._once(command)
        return command

    def close(self) -> None:
        while self._free:
            self._free.pop().stop()
        reset()  # nameko leaves its publishing connections in kombu's pool

    def _once(self, command: Asked) -> None:
        message = {"command_id": command.command_id, **command.message}
        try:
            with self._proxy(command.by) as proxy:
                command.answers.append(getattr(proxy[command.service], command.method)(**message))
        except Refused as refusal:
            command.refusals.append(refusal.problem)
        except RemoteError:
            raise  # the service fell over our message
        except Exception:  # timeouts, lost connections, a broker that is away: the client knows nothing
            command.answers.append(None)

    @contextmanager
    def _proxy(self, by: dict[str, str]) -> Iterator[Any]:
        """A connection on which `by` calls; one that a call broke is not used again."""
        try:
            cluster = self._free.pop()
        except IndexError:
            cluster = ClusterRpcProxy({"AMQP_URI": self._url}, timeout=_PATIENCE)
            cluster.start()
        cluster._worker_ctx.data = dict(by)
        try:
            yield cluster._proxy
        except (Refused, RemoteError):
            self._free.append(cluster)
            raise
        except Exception:
            with suppress(Exception):
                cluster.stop()
            raise
        self._free.append(cluster)

    def come(self, application: str) -> None:
        """One candidate, with this application, while others work."""
        (person,) = fictional(1, self._chance, new_id, next(self._met))
        self._way(1, person, application, self.apply_for_batch())

    # -- what they do

    def _ways(self, batch: str, crowd: list[Person]) -> Iterator[Callable[[], None]]:
        for place, person in enumerate(crowd):
            application = new_id()
            yield lambda place=place, person=person, one=application: self._way(place, person, one, batch)
            if place % 3 == 0:
                yield lambda one=application: self._rival(one)
            if place % 4 == 1:
                yield lambda one=application: self._withdraws(one)
            if place % 5 == 2:
                yield lambda: self.apply_for_batch() and None

    def _way(self, place: int, person: Person, application: str, batch: str) -> None:
        clerk = self._who(Role.EXAM_AFFAIRS)
        self.ask("registration", "enrol_person", clerk, **person.enrolment())
        if place % 4 == 0:  # the same card under another id
            self.ask("registration", "enrol_person", clerk, **{**person.enrolment(), "candidate": new_id()})
        self._submit(application, person, batch)
        if place % 4 == 2:  # a second application beside an open one
            self._submit(new_id(), person, batch)
        first, second = (1, 2) if place % 2 else (2, 1)
        review = self._who(Role.STATION_REVIEWER, first)
        self.ask("registration", "pass_station_review", review, application=application)
        if place % 6 == 3:  # a clerk reviews; a station's reviewer reviews for the centre
            self.ask("registration", "pass_centre_review", clerk, application=application)
            actor = self._staff[Role.STATION_REVIEWER, second]
            both = context(Actor(actor, Role.CENTRE_REVIEWER, _CENTRE))
            self.ask("registration", "pass_centre_review", both, application=application)
        centre = self._who(Role.CENTRE_REVIEWER, first, _CENTRE)
        self.ask("registration", "pass_centre_review", centre, application=application)

    def _rival(self, application: str) -> None:
        """Does the same reviews at the same time: of each pair one is accepted at most."""
        for role, method, body in (
            (Role.STATION_REVIEWER, "pass_station_review", _OURS),
            (Role.CENTRE_REVIEWER, "pass_centre_review", _CENTRE),
        ):
            for _ in range(3):
                self.ask("registration", method, self._who(role, 1, body), application=application)

    def _withdraws(self, application: str) -> None:
        for _ in range(4):
            clerk = self._who(Role.EXAM_AFFAIRS)
            done = self.ask(
                "registration", "withdraw_application", clerk, application=application, reason="本人放弃"
            )
            if done.answered:
                return

    def _submit(self, application: str, person: Person, batch: str) -> None:
        self.ask(
            "registration",
            "submit_application",
            self._who(Role.EXAM_AFFAIRS),
            application=application,
            candidate=person.id,
            batch=batch,
            station=STATION,
            occupation="化工分析工",
            catalogue="1999",
            level=4,
            kind="student",
            held_level=0,
            years_in_trade=0,
            education="vocational_school",
            evidence=[sha256(application.encode()).hexdigest()],
        )

    def _who(self, role: Role, number: int = 1, body: str = _OURS) -> dict[str, Any]:
        return context(Actor(self._staff[role, number], role, body))
