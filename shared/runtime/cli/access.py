"""How commands reach the databases: the configured server, or the embedded one for as long as needed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection

from shared.kernel.actors import Actor, Role
from shared.kernel.events import Event
from shared.runtime import databases, reading
from shared.runtime.cli.output import Failed
from shared.runtime.lease import holder
from shared.runtime.postgres import BeingSetUp, Postgres
from shared.runtime.settings import Settings
from shared.store import migrations


@contextmanager
def admin(settings: Settings, *, create: bool = False) -> Iterator[str]:
    """The administrator's DSN. The embedded PostgreSQL is started for it, stopped once nobody uses it."""
    if not settings.embedded_postgres:
        yield settings.database_url
        return
    if not create and not (settings.var / "postgres").exists():
        raise Failed(
            f"{settings.var} 中还没有数据，请先运行 jianding demo 或 jianding up。"
            f" There is no data under {settings.var} yet; run `jianding demo` or `jianding up` first."
        )
    postgres = Postgres(settings)
    postgres.start()
    dsn, shared = postgres.dsn, postgres.in_use()
    try:
        yield dsn
    finally:
        if not (shared and postgres.in_use()):
            postgres.leave()  # also one that a killed program left behind


def have_keys(current: Settings, dsn: str) -> None:
    """Before a service makes other keys, or speaks as another body, which would not fit the data."""
    from shared.runtime.checks import lost_keys

    is_ours(current, dsn)
    for lost in lost_keys(current, dsn):
        raise Failed(f"密钥文件缺失，请从备份恢复。 {lost.found}; {lost.mend}")


def is_ours(current: Settings, dsn: str) -> None:
    """AnotherBody where the data is not that of JIANDING_BODY."""
    from shared.runtime.checks import foreign
    from shared.runtime.databases import AnotherBody

    if whose := foreign(current, dsn):
        raise AnotherBody(whose)


@contextmanager
def connection(
    settings: Settings, dsn: str, service: str, role: str = "service"
) -> Iterator[Connection[Any]]:
    """An autocommit connection to a service's database, as its `service` or its `relay`."""
    name = migrations.service_role(service) if role == "service" else migrations.relay_role(service)
    with _connected(settings, databases.as_role(settings, dsn, service, name)) as connected:
        databases.refuse_restored(connected)
        databases.refuse_foreign(connected, settings, relay=role == "relay")
        yield connected


def _connected(settings: Settings, dsn: str) -> Connection[Any]:
    """BeingSetUp where a node that has just begun has not made this database, or the role, yet."""
    try:
        return psycopg.connect(dsn, autocommit=True)
    except psycopg.OperationalError as error:
        missing = "does not exist" in str(error) or "password authentication failed" in str(error)
        if settings.embedded_postgres and missing and (pid := holder(settings.var)):
            raise BeingSetUp(pid) from None
        raise


def account(settings: Settings) -> Actor:
    """Whoever types commands on this machine: its operating system's account, as an opaque id."""
    return Actor(f"account-{os.getuid():x}", Role.ADMINISTRATOR, settings.body)


def say(settings: Settings, audit: Connection[Any], event: Event, id: str) -> None:
    """Commits an event of audit's; where no relay runs, it is sealed when one does."""
    by, source = account(settings), settings.source("audit")
    reading.commit(audit, source, by, event, f"{type(event).__name__.lower()}-{id}", id)
