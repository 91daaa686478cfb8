"""Dealing scores: as many passes as planned, to blind codes, since nobody who scores knows a candidate."""

import random
from collections.abc import Iterator, Mapping

PASS = 60
Scores = dict[str, int]


def deal(
    levels: Mapping[str, int], passing: Mapping[int, int], chance: random.Random
) -> Iterator[tuple[str, Scores]]:
    """(blind code, {theory, practical}) for each code of `levels`; `passing` says how many of a level pass.

    Which code gets which scores depends on the codes; the scores as such only on `chance`.
    """
    for level, wanted in sorted(passing.items()):
        of_level = sorted(code for code in levels if levels[code] == level)
        for place, code in enumerate(of_level):
            yield code, _passing(chance) if place < wanted else _failing(chance)


def _passing(chance: random.Random) -> Scores:
    return {part: min(100, PASS + int(chance.triangular(0, 38, 14))) for part in ("theory", "practical")}


def _failing(chance: random.Random) -> Scores:
    """Failing in theory, in practice (more often), or in both."""
    failed = chance.choice((["theory"], ["practical"], ["practical"], ["theory", "practical"]))
    return {**_passing(chance), **{part: chance.randint(31, 59) for part in failed}}
