"""Several processes that read one snapshot of the log side by side."""

import gc
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from typing import Any

import psycopg
from psycopg import Connection, sql

from shared.runtime.definition import Impossible

SNAPSHOT = """
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL idle_in_transaction_session_timeout = 0;
"""
Work = Callable[[Connection[Any], Callable[[int], None]], Any]
"""Something to find out in a snapshot, telling its progress."""


class ReaderDied(Impossible):
    """核验进程意外结束；请重新运行。
    A process that was verifying ended before its time; run it again."""


@contextmanager
def working(dsn: str, snapshot: str, works: Sequence[Work]) -> Iterator[list[Pipe]]:
    """A process for each work, and a pipe from each."""
    context = get_context("spawn")  # a fork would share our connection
    pairs = [context.Pipe(duplex=False) for _ in works]
    readers = [
        context.Process(target=_work, args=(dsn, snapshot, work, theirs), daemon=True)
        for work, (_, theirs) in zip(works, pairs, strict=True)
    ]
    try:
        for reader, (_, theirs) in zip(readers, pairs, strict=True):
            reader.start()
            theirs.close()  # so that the end of a process is the end of its pipe
        yield [ours for ours, _ in pairs]
    finally:
        for reader in readers:
            if reader.pid is not None:
                reader.terminate()
                reader.join()


def _work(dsn: str, snapshot: str, work: Work, pipe: Pipe) -> None:
    """The life of a process. Ctrl-C is for the one who waits for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # nothing here refers to itself, and there are millions of things
    with psycopg.connect(dsn, autocommit=True) as connection, connection.transaction():
        connection.execute(SNAPSHOT)
        connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        pipe.send((True, work(connection, lambda count: pipe.send((False, count)))))


def gathered(pipes: Sequence[Any], progress: Callable[[int], None]) -> list[Any]:
    """What the works have found, in their order; `progress` is told the sum."""
    counts: dict[Any, int] = dict.fromkeys(pipes, 0)
    found: dict[Any, Any] = {}
    pipe: Any
    while waiting := [pipe for pipe in pipes if pipe not in found]:
        for pipe in wait(waiting):
            try:
                done, said = pipe.recv()
            except EOFError:
                raise ReaderDied from None
            if done:
                found[pipe] = said
            else:
                counts[pipe] = said
                progress(sum(counts.values()))
    return [found[pipe] for pipe in pipes]
