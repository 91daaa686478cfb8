"""Looks in turns: each party once in every round, and every round begins with another of them."""

from collections.abc import Callable


def in_turns(rounds: int, *looks: Callable[[], float]) -> list[list[float]]:
    """What each of `looks` found, round by round; whoever comes first in one comes last in the next."""
    found: list[list[float]] = [[] for _ in looks]
    for place in range(rounds):
        for number in range(len(looks)):
            which = (place + number) % len(looks)
            found[which].append(looks[which]())
    return found
