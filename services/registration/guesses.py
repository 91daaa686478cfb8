"""Wrong passwords are counted, and lock: for the name that is tried, and for the address they come from.

An attempt counts before its password is looked at, so that many at once are not many for the price of one.
Whether anybody has the name makes no difference here. The address is the word of whoever calls: the door
says where a request comes from; another program with an account at the broker may say none, or any, and is
held by the count of the name alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from shared.kernel.errors import Refusal

NAME_FAILURES = 5
ADDRESS_FAILURES = 20  # many may sit behind one
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)
_FORGOTTEN = timedelta(hours=24)

_NOTED = """
INSERT INTO guesses (finder, failures, last_at, locked_until) VALUES (%(finder)s, 1, %(now)s, NULL)
ON CONFLICT (finder) DO UPDATE SET last_at = %(now)s,
   failures = CASE WHEN guesses.last_at < %(forgotten)s THEN 1 ELSE guesses.failures + 1 END
RETURNING failures, locked_until
"""
_LOCK = "UPDATE guesses SET locked_until = %s WHERE finder = %s"
_RIGHT = "DELETE FROM guesses WHERE finder = %s"
_TAKEN_BACK = """
UPDATE guesses SET failures = greatest(failures - 1, 0),
       locked_until = CASE WHEN failures > %(most)s THEN locked_until END WHERE finder = %(finder)s
"""
_SWEEP = "DELETE FROM guesses WHERE last_at < %s"


class LoginLocked(Refusal):
    """登录失败次数过多，已暂时锁定；请稍后再试。

    Too many attempts have failed, so this is locked for a while; try again later.
    """

    field = "name"

    def __init__(self, seconds: int = 0) -> None:
        self.retry_after = seconds
        super().__init__(zh=f"{seconds} 秒后可再试。", en=f"In {seconds} seconds it is open again.")

    def problem(self) -> dict[str, Any]:
        """`retry_after`, in seconds, beside the rest."""
        return {**super().problem(), "retry_after": self.retry_after}


@dataclass(frozen=True)
class Counter:
    """What is counted under a keyed hash, and how many failures lock it."""

    finder: bytes
    most: int


@dataclass(frozen=True)
class Locked:
    """A count that has just locked its name or address."""

    failures: int
    until: datetime


def count(connection: Connection[Any], counters: Sequence[Counter], now: datetime) -> list[Locked | None]:
    """Counts one attempt under each, all or none; what each locks from now on. LoginLocked if one is already.

    In a transaction of the caller's, which a refusal ends: what is locked counts no further.
    """
    return [_count(connection, counter, now) for counter in counters]


def _count(connection: Connection[Any], counter: Counter, now: datetime) -> Locked | None:
    said = {"finder": counter.finder, "now": now, "forgotten": now - _FORGOTTEN}
    row = connection.execute(_NOTED, said).fetchone()
    assert row is not None
    failures, locked_until = row
    if locked_until and locked_until > now:
        raise LoginLocked(int((locked_until - now).total_seconds()) + 1)
    if failures < counter.most:
        return None
    until = now + min(_FIRST * 2 ** min(failures - counter.most, 20), _LONGEST)
    connection.execute(_LOCK, (until, counter.finder))
    return Locked(failures, until)


def forgive(connection: Connection[Any], name: Counter, address: Counter | None) -> None:
    """It was right: nothing is held against the name; of the address, this attempt is taken back."""
    connection.execute(_RIGHT, (name.finder,))
    if address is not None:  # others behind it, or he himself with other names, may have guessed
        connection.execute(_TAKEN_BACK, {"finder": address.finder, "most": address.most})


def sweep(connection: Connection[Any], now: datetime) -> None:
    """Drops what is forgotten anyway."""
    connection.execute(_SWEEP, (now - _FORGOTTEN,))
