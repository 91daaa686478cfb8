"""Waiting for servers and consumers, from outside."""

import time
from collections.abc import Callable
from typing import Any

from psycopg import Connection

LONG = 600.0


class TooSlow(Exception):
    """What was waited for did not come about."""


def until(condition: Callable[[], bool], what: str, pause: float = 0.02, seconds: float = LONG) -> float:
    """Returns the moment (time.monotonic) at which `condition` was first seen to hold."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TooSlow(what)
        time.sleep(pause)
    return time.monotonic()


def number(connection: Connection[Any], query: str, *values: object) -> int:
    """The one number that a query answers; 0 for none."""
    row = connection.execute(query, values).fetchone()  # type: ignore[arg-type]
    return int(row[0] or 0) if row else 0


def pace(progress: Callable[[], int], goal: int, what: str) -> float:
    """How much is done in a second, from the first that is seen until `goal`."""
    began = until(lambda: progress() > 0, what, pause=0.005)
    first = progress()
    began = time.monotonic() if first else began
    if first >= goal:
        raise TooSlow(f"{what}: there was too little to measure")
    ended = until(lambda: progress() >= goal, what, pause=0.005)
    return (goal - first) / (ended - began)
