"""Keeps the embedded PostgreSQL under a node that runs: one that dies is started again, some times."""

import logging
import time

import eventlet
from eventlet.event import Event

from shared.runtime.postgres import Postgres, PostgresFailed

log = logging.getLogger(__name__)

_LOOK = 0.3  # seconds between looks
_TRIES = 6  # its own processes may take a moment to end, and until then no other starts
_LONG = 60.0  # seconds that it has to have lived for the tries to count anew


class PostgresEnded(PostgresFailed):
    """数据库已停止且无法重新启动，请用 jianding doctor 查看原因。
    PostgreSQL has ended and does not start again; `jianding doctor` says why."""


def keep(postgres: Postgres, stopped: Event) -> None:
    """Returns once somebody sends `stopped`; PostgresEnded if the server dies again and again before."""
    port, tries, began = postgres.port, 0, time.monotonic()
    while not stopped.ready():
        if postgres.alive():
            with eventlet.Timeout(_LOOK, False):
                stopped.wait()
            continue
        tries = 1 if time.monotonic() - began > _LONG else tries + 1
        if tries > _TRIES:
            raise PostgresEnded
        level = logging.WARNING if tries == 1 else logging.INFO
        log.log(level, "PostgreSQL has ended, and is started again / 数据库已停止，正在重新启动")
        _start(postgres, port)
        began = time.monotonic()


def _start(postgres: Postgres, port: int) -> None:
    try:
        postgres.start(port)
    except PostgresFailed as error:
        log.info("%s", error)
        eventlet.sleep(1)
