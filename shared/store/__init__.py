"""What PostgreSQL keeps for a service: its log, its commands, its checkpoints, its read models."""

import psycopg.waiting

from shared.store.waiting import wait

if getattr(psycopg.waiting.wait, "__name__", "") == "wait_c":
    raise ImportError(
        "psycopg was imported before `shared`, waits in C, and would block the hub: import shared first"
    )
psycopg.waiting.wait = wait
