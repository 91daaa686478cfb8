"""One process's share of the mutations, on a world of its own."""

import contextlib
import gc
import io
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from math import ceil
from pathlib import Path
from typing import Any

from tests.tamper import batches, exports, looks, notes, owners, rows, tellers, trails, views
from tests.tamper.deeds import KINDS, Chance, Expected, Kind, Seen, done
from tests.tamper.world import TRAILS, World, world

EVERYWHERE = (
    batches,
    exports,
    looks,
    notes,
    owners,
    rows,
    tellers,
    trails,
    views,
)  # each declares its classes
# a mutation that costs a look into the database stands for so many that cost only a file
_COSTS = {
    "export": 3.0, "database": 4.0, "source": 8.0, "policy": 0.4, "view": 0.4, "signer": 0.4, "witness": 0.4
}  # fmt: skip
_UNTOUCHED = 10  # mutations between two looks at what nobody has touched; of the database fewer
_COLLECTED = 1000  # mutations between two looks for what nobody refers to any more


@dataclass
class Tally:
    """What came of the mutations of one class."""

    done: int = 0
    detected: int = 0
    exact: int = 0  # a check has named the very index
    ranged: int = 0  # none could know it, and one has named where the part begins that it must be in
    unknowable: int = 0  # no entry shows it: it concerns a signature, a proof, a policy or a view as a whole
    seconds: float = 0.0
    different: set[bytes] = field(default_factory=set)  # digests of what was done
    missed: list[str] = field(default_factory=list)


@dataclass
class Share:
    """What came of one process's mutations."""

    tallies: dict[str, Tally]
    untouched: Counter[str]
    alarms: list[str]


_count: Any = None  # of the mutations of all processes so far, where somebody wants to know


def begin(count: Any) -> None:
    """A process's life begins."""
    global _count
    _count = count


def dealt(count: int, only: Iterable[str] = ()) -> dict[str, int]:
    """How many mutations of each class make up `count`: at least two of each, if there are so many."""
    chosen = [KINDS[name] for name in only] or list(KINDS.values())
    shares = {each.name: each.weight / _COSTS.get(each.where, 1.0) for each in chosen}
    numbers = dict[str, int]()
    while shares:
        a_share = (count - sum(numbers.values())) / sum(shares.values())
        found = {name: max(2, ceil(round(a_share * share, 6))) for name, share in shares.items()}
        spent = {name: most for name in found if (most := KINDS[name].most) and most <= found[name]}
        numbers |= spent or found
        shares = {name: share for name, share in shares.items() if name not in numbers}
    return {each.name: numbers[each.name] for each in chosen}


def run(seed: str, work: list[tuple[str, int]], folder: Path) -> Share:
    """Does these mutations (class and number), each of which follows from the seed and its own name alone."""
    logging.disable(logging.CRITICAL)
    share = Share({}, Counter(), [])
    gc.disable()  # as the programs do that verify: what they make refers to nothing that refers to it
    with contextlib.redirect_stderr(io.StringIO()), world(folder) as untouched:
        for turn, (name, number) in enumerate(work):
            chosen = KINDS[name]
            untouched.begin()
            began = time.monotonic()
            _one(untouched, chosen, number, seed, share.tallies.setdefault(name, Tally()))
            share.tallies[name].seconds += time.monotonic() - began
            if _count is not None:
                with _count.get_lock():
                    _count.value += 1
            if turn % _COLLECTED == 0:
                gc.collect()
            if turn % _UNTOUCHED == 0:
                _look_at_untouched(untouched, chosen.where, f"after {name} {number}", share)
    return share


def _one(untouched: World, chosen: Kind, number: int, seed: str, tally: Tally) -> None:
    chance = Chance(f"{seed}/{chosen.name}/{number}")
    chance.number = number + Chance(f"{seed}/{chosen.name}").randrange(2**32)
    with done(chosen, untouched, chance) as deed:
        assert deed.expected, f"{chosen.name} states nothing that shows it"
        assert deed.what is not None, f"{chosen.name} does not say what was done"
        what = deed.what if isinstance(deed.what, bytes) else repr(deed.what).encode()
        tally.different.add(sha256(what).digest()[:8])
        found = [(each, _seen(each)) for each in deed.expected]
    tally.done += 1
    wrong = [
        f"{each.verdicts} at {each.first} to {each.last}, not {seen}"
        for each, seen in found
        if not each.met(seen)
    ]
    if wrong:
        tally.missed.append(f"{chosen.name} {number}: {'; '.join(wrong)}")
        return
    tally.detected += 1
    if any(each.exact for each, _ in found):
        tally.exact += 1
    elif any(each.first is not None for each, _ in found):
        tally.ranged += 1
    else:
        tally.unknowable += 1


def _seen(expected: Expected) -> Seen:
    try:
        return expected.look()
    except Exception as error:  # a check that falls over has found nothing
        return Seen(f"{type(error).__name__}: {error}")


def _look_at_untouched(untouched: World, where: str, when: str, share: Share) -> None:
    for name, look, wanted in _controls(untouched, where):
        share.untouched[name] += 1
        if (seen := look()) != wanted:
            share.alarms.append(f"{name} {when}: {seen}")


def _controls(untouched: World, where: str) -> Iterator[tuple[str, looks.Look, Seen]]:
    """Checks of what nobody has touched, of the part that was just put back."""
    valid, verified = Seen("valid"), Seen("verified")
    if where in ("export", "notes"):
        yield "export", looks.newest(untouched), valid
    if where in ("trail", "policy"):
        for number, said in enumerate(untouched.trails[:-1]):
            trails.handed(untouched, said)
            yield f"trail {number}", looks.handed(untouched), valid
    if where == "database":
        yield "database", looks.verify(untouched), verified
        yield "signer", looks.signer(untouched), Seen("signed")
        yield "plain trail", looks.trail(untouched, *TRAILS[0]), Seen("whole")
        yield "published", looks.exported(untouched), Seen("exported")
    if where == "source":
        yield "own log", looks.own_log(untouched), verified
    if where == "signer":
        yield "signer's memory", looks.signer(untouched), Seen("signed")
    if where in ("view", "signer", "witness"):
        asked = untouched.witnesses[0]
        yield "witness", looks.witness(asked, untouched.honest_request), Seen("cosigned")
