"""A source's own log beside what audit has of it: who alters a service's database alters only one of them."""

from collections.abc import Iterable, Iterator
from typing import Any

from psycopg import Connection

from shared.store import sealer

_PAGE = 10_000
_ROWS = "SELECT position, hash, sha256(sealed) FROM log WHERE position > %s ORDER BY position LIMIT %s"
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def differences(log: Connection[Any], heard: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, str]]:
    """(position, what is wrong there). `heard`: (position, hash) of what audit has, in order.

    What audit has not heard yet is no difference, up to the source's newest signed head.
    """
    with log.transaction():
        log.execute(_SNAPSHOT)
        head, newest, _ = sealer.head(log)
        told, last = iter(heard), b""
        known = next(told, None)
        expected = 1
        for position, hash, digest in _rows(log):
            yield from _missing(expected, position)
            while known is not None and known[0] < position:
                known = next(told, None)
            yield from _row(position, hash, digest, known, head)
            expected = position + 1
            last = hash if position == head else last
        yield from _missing(expected, head + 1)
    if last and last != newest:
        yield head, "its bytes are not those that its newest head was signed for"


def _row(
    position: int, hash: bytes, digest: bytes, known: tuple[int, bytes] | None, head: int
) -> Iterator[tuple[int, str]]:
    if digest != hash:
        yield position, "its bytes were altered"
    elif known is not None and known[0] == position and known[1] != hash:
        yield position, "it is another event in the audit log"
    if position > head:
        yield position, "no signed head speaks of it"


def _missing(first: int, stop: int) -> Iterator[tuple[int, str]]:
    for position in range(first, stop):
        yield position, "it is missing"


def _rows(log: Connection[Any]) -> Iterator[tuple[int, bytes, bytes]]:
    after = 0
    while True:
        with log.cursor(binary=True) as cursor:
            rows = cursor.execute(_ROWS, (after, _PAGE)).fetchall()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]
