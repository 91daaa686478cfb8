"""Keeps a program running as a supervisor does, and arms each new life with the next fault."""

import time
from collections.abc import Callable
from threading import Event, Thread

from shared.testing.processes import KILLED, Process
from tests.faults.deck import Card, Deck, Tally

_PATIENCE = 20.0  # seconds for an armed process to meet its fault; then it is killed where it stands
_STANDING_BY = 6.0  # and for one whose twin keeps it from that
_AFTER_A_JUMP = 2.0  # seconds that a process works with a clock that went back
_LOOK = 0.05
_KILLED_BY_US = -9


class Keeper(Thread):
    """One program of a run, from one life to the next."""

    def __init__(self, program: str, start: Callable[[str, Card], Process], deck: Deck, tally: Tally) -> None:
        super().__init__(name=program, daemon=True)
        self.program = program
        self.over = Event()
        self.may_finish = False  # ending with 0 is then no fault, and nobody starts it again
        self.twins: list[Keeper] = []  # the others that keep the same program
        self._start_program, self._deck, self._tally = start, deck, tally
        self.card: Card = ""
        self.process = start(program, "")  # the first life has no fault

    def run(self) -> None:
        while not self.over.is_set():
            met = self._outlast(self.card)
            if self.card:
                self._deck.done(self.program, self.card, met=met)
            if not self.over.is_set():
                self.card = self._deck.draw(self.program)
                self.process = self._start_program(self.program, self.card)

    def kill(self) -> None:
        """Ends this life where it stands."""
        self.process.kill()

    def _leader(self) -> "Keeper":
        """Whoever keeps us from meeting our fault: a twin that leads while we stand by, or nobody but us."""
        return next((twin for twin in self.twins if self.card and not twin.card), self)

    def _outlast(self, card: Card) -> bool:
        """Waits until the process has ended; whether its fault was met."""
        point, _, _ = card.partition(":")
        began, jumped = time.monotonic(), False
        deadline = began + _PATIENCE if card else float("inf")
        while self.process.running and not self.over.wait(_LOOK):
            if point == "clock" and not jumped and self.process.said("the clock jumps back"):
                jumped, deadline = True, time.monotonic() + _AFTER_A_JUMP
                self._tally.happened("clock jumps back")
            if not card and self._deck.waits(self.program):
                deadline = 0.0
            leader = self if jumped else self._leader()
            if leader is not self:
                deadline = min(deadline, began + _STANDING_BY)
            if time.monotonic() > deadline:
                leader.kill()  # only for the next life to be armed: no fault that counts
                self._tally.beside["re-armed"] += 1
                began = time.monotonic()
                deadline = began + _PATIENCE
        if self.over.is_set():
            return True
        code = self.process.wait()
        if code == 0 and self.may_finish:
            self.over.set()
        elif code == KILLED:
            self._tally.died(point)
        elif code != _KILLED_BY_US:
            self._tally.ended.append(f"{self.program} ended with {code}:\n{self.process.last_words}")
        return jumped or code == KILLED
