"""The relay between an honest log and an honest outlet, through every failure that either may have."""

from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.bus.relay import Relay
from shared.bus.window import Window

SIZE = 4


class Lost(Exception):
    """A connection is gone."""


@dataclass
class Trouble:
    """Which calls fail, and how many go well before: `{"send": 2}` is the third `send` from now on."""

    due: dict[str, int] = field(default_factory=dict)

    def may_strike(self, call):
        if self.due.get(call) == 0:
            del self.due[call]
            raise Lost(call)
        if call in self.due:
            self.due[call] -= 1


class Log:
    """A log in memory: what is committed waits to be sealed; the mark is kept only if the call came back."""

    def __init__(self, trouble):
        self._trouble = trouble
        self.committed = 0
        self.sealed = 0
        self.mark = 0

    def seal(self):
        self._trouble.may_strike("seal")
        new, self.sealed = self.committed - self.sealed, self.committed
        return new

    def published(self):
        self._trouble.may_strike("published")
        return self.mark

    def sealed_after(self, position, limit):
        self._trouble.may_strike("sealed_after")
        last = min(self.sealed, position + limit)
        return [(each, b"event %d" % each, b"") for each in range(position + 1, last + 1)]

    def mark_published(self, position):
        self._trouble.may_strike("mark_published")
        self.mark = position


class Bus:
    """What has arrived, ever: it outlives outlets."""

    def __init__(self):
        self.arrived = []


class Outlet:
    """One channel. A message is on its way when sent, on the bus when it arrives, confirmed after that."""

    def __init__(self, bus, trouble):
        self._bus, self._trouble = bus, trouble
        self._window = Window(SIZE)
        self._travelling = []
        self._unconfirmed = []
        self._tag = 0

    @property
    def confirmed(self):
        return self._window.confirmed

    @confirmed.setter
    def confirmed(self, position):
        self._window.confirmed = position

    def room(self):
        return self._window.room()

    def send(self, position, sealed):
        self._trouble.may_strike("send")
        assert sealed == b"event %d" % position
        self._tag += 1
        self._window.sent(position)
        self._travelling.append((self._tag, position))

    def arrive(self, count):
        """The next messages reach the bus, in the order they were sent."""
        for tag, position in self._travelling[:count]:
            self._bus.arrived.append(position)
            self._unconfirmed.append(tag)
        del self._travelling[:count]

    def confirm(self, choose, multiple):
        """The broker confirms one of those that arrived, or all up to it."""
        tag = self._unconfirmed[choose % len(self._unconfirmed)]
        self._unconfirmed = [
            each for each in self._unconfirmed if each > tag or (not multiple and each != tag)
        ]
        self._window.ack(tag, multiple)

    @property
    def waiting(self):
        return len(self._unconfirmed)


class RelayedLog(RuleBasedStateMachine):
    """Commits, steps, arrivals, confirms and failures in any order."""

    def __init__(self):
        super().__init__()
        self.trouble, self.bus = Trouble(), Bus()
        self.log = Log(self.trouble)
        self.start()

    def start(self):
        """A new outlet, and a new relay that knows nothing but the log."""
        self.outlet = Outlet(self.bus, self.trouble)
        self.relay = None
        self.relay = Relay(self.log, self.outlet)

    @rule(count=st.integers(1, 6))
    def commit(self, count):
        self.log.committed += count

    @rule()
    def step(self):
        self.attempt(lambda: self.relay.step())

    @rule(count=st.integers(1, SIZE))
    def arrive(self, count):
        self.outlet.arrive(count)

    @precondition(lambda self: self.outlet.waiting)
    @rule(choose=st.integers(0, SIZE), multiple=st.booleans())
    def confirm(self, choose, multiple):
        self.outlet.confirm(choose, multiple)

    @rule(
        call=st.sampled_from(["seal", "published", "sealed_after", "send", "mark_published"]),
        after=st.integers(0, 3),
    )
    def strike(self, call, after):
        self.trouble.due[call] = after

    @rule()
    def restart(self):
        """The process dies: what travels is lost, what arrived but was not confirmed comes again."""
        self.attempt(self.start)

    def attempt(self, call):
        while True:
            try:
                if self.relay is None:
                    self.start()
                else:
                    call()
            except Lost:
                self.relay = None
            else:
                return

    @invariant()
    def the_mark_is_never_ahead_of_what_arrived(self):
        assert set(range(1, self.log.mark + 1)) <= set(self.bus.arrived)

    @invariant()
    def the_confirmed_prefix_is_never_ahead_of_what_arrived(self):
        assert set(range(1, self.outlet.confirmed + 1)) <= set(self.bus.arrived)
        assert self.log.mark <= self.outlet.confirmed

    @invariant()
    def what_arrives_for_the_first_time_arrives_in_order(self):
        first = list(dict.fromkeys(self.bus.arrived))
        assert first == list(range(1, len(first) + 1))

    def teardown(self):
        """Once nothing fails any more, everything arrives, and the mark says so."""
        self.trouble.due.clear()
        self.attempt(self.start)
        for _ in range(2 * self.log.committed + 2):
            self.relay.step()
            self.outlet.arrive(SIZE)
            while self.outlet.waiting:
                self.outlet.confirm(0, multiple=False)
        assert set(self.bus.arrived) == set(range(1, self.log.committed + 1))
        assert self.log.mark == self.log.committed
        assert not self.relay.step()


TestRelayedLog = RelayedLog.TestCase


@pytest.fixture
def log():
    return Log(Trouble())


@pytest.fixture
def outlet(log):
    return Outlet(Bus(), Trouble())


def test_an_idle_relay_has_nothing_to_do(log, outlet):
    assert not Relay(log, outlet).step()


def test_no_more_is_sent_than_there_is_room_for(log, outlet):
    log.committed = 10
    relay = Relay(log, outlet)
    assert relay.step()
    assert outlet.room() == 0
    assert not relay.step()


def test_a_new_relay_begins_behind_the_confirmed_prefix(log, outlet):
    log.committed, log.mark = 3, 2
    relay = Relay(log, outlet)
    assert outlet.confirmed == 2
    relay.step()
    outlet.arrive(SIZE)
    assert outlet._bus.arrived == [3]


def test_the_mark_moves_only_when_something_was_confirmed(log, outlet):
    log.committed = 2
    relay = Relay(log, outlet)
    relay.step()
    outlet.arrive(2)
    assert log.mark == 0
    outlet.confirm(1, multiple=False)
    relay.step()
    assert log.mark == 0
    outlet.confirm(0, multiple=False)
    relay.step()
    assert log.mark == 2
