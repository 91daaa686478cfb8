"""What is still to happen to whom, and what has happened."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from threading import Lock

from shared.kernel.faults import POINTS

Card = str  # a JIANDING_FAULT, such as "seal:2"


class Tally:
    """What was injected: deaths by point, everything by kind; and who ended without having been told to.

    `beside`: what happened too, and is no fault that counts.
    """

    def __init__(self) -> None:
        self.points: Counter[str] = Counter(dict.fromkeys(POINTS, 0))
        self.kinds: Counter[str] = Counter()
        self.beside: Counter[str] = Counter()
        self.ended: list[str] = []
        self._lock = Lock()

    @property
    def injected(self) -> int:
        return sum(self.kinds.values())

    def died(self, point: str) -> None:
        with self._lock:
            self.points[point] += 1
            self.kinds["process dies at a point"] += 1

    def happened(self, kind: str) -> None:
        with self._lock:
            self.kinds[kind] += 1


class Deck:
    """Faults for the programs of a run, drawn by whoever starts a program; thread-safe."""

    def __init__(self) -> None:
        self._cards: defaultdict[str, deque[Card]] = defaultdict(deque)
        self._armed: Counter[Card] = Counter()
        self._lock = Lock()

    def deal(self, cards: Iterable[tuple[str, Card]]) -> None:
        with self._lock:
            for program, card in cards:
                self._cards[program].append(card)

    def first(self, program: str, card: Card) -> None:
        """The next that is drawn for the program."""
        with self._lock:
            self._cards[program].appendleft(card)

    def draw(self, program: str) -> Card:
        """The program's next fault, or nothing."""
        with self._lock:
            if not self._cards[program]:
                return ""
            card = self._cards[program].popleft()
            self._armed[card] += 1
            return card

    def waits(self, program: str) -> bool:
        """Whether there is something to draw."""
        with self._lock:
            return bool(self._cards[program])

    def done(self, program: str, card: Card, *, met: bool) -> None:
        """One that was drawn; what was not met comes again."""
        with self._lock:
            self._armed[card] -= 1
            if not met:
                self._cards[program].append(card)

    def played(self) -> bool:
        """Whether all have happened."""
        with self._lock:
            return not any(self._cards.values()) and not self._armed.total()

    def clear(self) -> list[Card]:
        """Nothing more is drawn; what was left."""
        with self._lock:
            left = [card for cards in self._cards.values() for card in cards]
            self._cards.clear()
            return left
