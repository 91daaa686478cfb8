"""What somebody does to the audit log or its proofs, and what has to come of it.

A class of mutations is a function that chooses one of its kind by a random number generator. It says what has
to be found before anybody looks: by whom, with which verdict, and at which index. It may only be wrong by
changing nothing, which it says by returning None: then another one of its kind is chosen.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any


class Chance(Random):
    """What a mutation is chosen by; `number` goes through all that there are, where they can be counted."""

    number = 0


@dataclass(frozen=True)
class Seen:
    """What a check of the product has said: its verdict, and the first index that it names."""

    verdict: str
    index: int | None = None


Look = Callable[[], Seen]


@dataclass(frozen=True)
class Expected:
    """`look` has to say one of `verdicts`, and to name an index from `first` to `last`.

    Where they are equal it is the exact one. Where none can be known, they are None, and none may be named.
    """

    look: Look
    verdicts: tuple[str, ...]
    first: int | None
    last: int | None

    def met(self, seen: Seen) -> bool:
        if seen.verdict not in self.verdicts:
            return False
        if self.first is None or self.last is None or seen.index is None:
            return seen.index is None and self.first is None
        return self.first <= seen.index <= self.last

    @property
    def exact(self) -> bool:
        return self.first is not None and self.first == self.last


def at(look: Look, verdict: str, index: int | None) -> Expected:
    """That verdict, at exactly this index; None: at none, for none can be known."""
    return Expected(look, (verdict,), index, index)


def within(look: Look, verdict: str, first: int, last: int) -> Expected:
    """That verdict, at an index of these: nobody can know which of them it was."""
    return Expected(look, (verdict,), first, last)


@dataclass
class Deed:
    """A change that was made when this exists, what has to be found, and how to undo it.

    `what` was done: two deeds of a class that are alike say the same.
    """

    expected: list[Expected]
    undo: Callable[[], Any] = lambda: None
    what: Any = None


@dataclass(frozen=True)
class Kind:
    """A class of mutations; `again`: the attacker computes everything anew that follows from the change.

    `most`: how many different ones there are, where there are few; more are not done.
    """

    name: str
    about: str
    again: bool
    where: str
    weight: float
    make: Callable[[Any, Any], Deed | None] = field(repr=False)
    most: int | None = None


KINDS: dict[str, Kind] = {}


def kind(
    where: str, *, again: bool = False, weight: float = 1.0, most: int | None = None
) -> Callable[[Any], Any]:
    """Declares a class of mutations, named after its function and described by its docstring."""

    def declared(make: Callable[[Any, Any], Deed | None]) -> Callable[[Any, Any], Deed | None]:
        name = make.__name__.replace("_", "-")
        assert make.__doc__, name
        assert name not in KINDS
        KINDS[name] = Kind(name, make.__doc__, again, where, weight, make, most)
        return make

    return declared


@contextmanager
def done(chosen: Kind, world: Any, chance: Chance) -> Iterator[Deed]:
    """For the block, one mutation of that kind is done."""
    with ExitStack() as stack:
        for _ in range(1000):
            deed = chosen.make(world, chance)
            if deed is not None:
                stack.callback(deed.undo)
                yield deed
                return
        raise AssertionError(f"{chosen.name}: nothing of that kind can be done")
