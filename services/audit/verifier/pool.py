"""Ranges of the log in several processes, in order and with an end to everything.

A worker is never killed: one that died while it was telling what it had found would leave us listening to the
end of its sentence. It is asked to stop, and looks between two entry bundles whether it is.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from gc import disable as never_collect
from multiprocessing.synchronize import Event
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_asked: Event | None = None
_LOOK = 0.5  # seconds between two looks at the clock while a worker is at it


def processors() -> int:
    """How many we may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Pool:
    """Up to `workers` processes; with one, this one does everything.

    `method` is how they come to be: "fork" is quicker, and only for a process without threads and hubs.
    """

    def __init__(self, workers: int, idle: Callable[[], None] = lambda: None, method: str = "spawn") -> None:
        self._context = multiprocessing.get_context(method)
        self._workers = workers
        self._idle = idle
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Pool":
        if self._workers > 1:
            # workers that are not copies of this process have to hash texts as each other do
            os.environ.setdefault("PYTHONHASHSEED", str(int.from_bytes(os.urandom(4), "big") or 1))
            self._stop = self._context.Event()
            self._executor = ProcessPoolExecutor(self._workers, self._context, _begin, (self._stop,))
        return self

    def __exit__(self, *ended: Any) -> None:
        if self._executor is None:
            return
        self._stop.set()
        if isinstance(ended[1], BrokenProcessPool):  # somebody has killed one: the others wait for ever
            for worker in multiprocessing.active_children():
                worker.kill()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def each(self, work: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """The results in the order of the tasks; few are ahead of whoever takes them, which bounds memory."""
        if self._executor is None:
            for task in tasks:
                yield work(task)
            return
        under_way: deque[Future[Result]] = deque()
        for task in tasks:
            with _undisturbed():
                under_way.append(self._executor.submit(work, task))
            if len(under_way) > 2 * self._workers:
                yield self._result(under_way.popleft())
        while under_way:
            yield self._result(under_way.popleft())

    def _result(self, future: "Future[Result]") -> Result:
        while True:
            try:
                return future.result(_LOOK)
            except NotYet:
                if future.done():  # the work itself ran into a timeout
                    raise
                self._idle()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No signal comes between the birth of a worker and our knowing of it; the worker takes none ever."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def stopped() -> bool:
    """Whether this worker is to stop."""
    return _asked is not None and _asked.is_set()


def _begin(asked: Event) -> None:
    """A worker: what stops it is its parent, also by dying."""
    global _asked
    _asked = asked
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    never_collect()  # nothing here refers to itself, and looking for it costs a fifth of the time
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
