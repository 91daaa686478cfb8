"""What is left to chance, and how anybody recomputes it from the log alone (R060, R081).

The names of the algorithms stand on the events: one that changes gets a new name, and the old one stays.
"""

import hashlib
import json
from collections.abc import Iterable

SEAT_ORDER = "sha256-order-1"
PAPER_DRAW = "sha256-mod-1"


def in_seat_order(applications: Iterable[str], seed: str) -> tuple[str, ...]:
    """`sha256-order-1`: the applications by the sha256 of `seed/application`."""
    return tuple(sorted(applications, key=lambda application: _sha256(f"{seed}/{application}")))


def digest_of(papers: Iterable[str]) -> str:
    """The sha256 of the sorted papers as a JSON array without spaces: the same for the same set."""
    return _sha256(json.dumps(sorted(papers), separators=(",", ":")))


def drawn(papers: Iterable[str], pool_digest: str, lot: str, application: str) -> str:
    """`sha256-mod-1`: the sha256 of `lot/pool_digest/application`, modulo their number, picks a sorted paper.

    The pool's digest takes part, so that a lot fits one pool only; the application, so that one lot seen
    by a neighbour tells him nothing.
    """
    pool = sorted(papers)
    return pool[int(_sha256(f"{lot}/{pool_digest}/{application}"), 16) % len(pool)]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
