"""Connections: who connects as what, and the pools that services work with."""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, LiteralString

import psycopg
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool

from shared.runtime.settings import Settings
from shared.security.keys import secret
from shared.store import migrations
from shared.store.errors import Restored

log = logging.getLogger(__name__)

Connect = Callable[[], AbstractContextManager[Connection[Any]]]

PATIENCE = 600.0  # seconds in which a server has to come up

# what a service has decided, and what it has heard; a relay may read only the former
_DECIDED: LiteralString = """
(SELECT convert_from(draft, 'UTF8')::json ->> 'source' FROM events ORDER BY xid, seq LIMIT 1)
"""
_HEARD: LiteralString = "SELECT source FROM checkpoints"


class AnotherBody(Exception):
    """这些数据属于另一机构，请更正 JIANDING_BODY，或将 JIANDING_VAR 设为另一目录。
    This data belongs to another body: mend JIANDING_BODY, or set JIANDING_VAR to a folder for this one."""


def password(settings: Settings, role: str) -> str:
    """The password of a database role, made at random on first use, in an owner-only file."""
    return secret(settings.secrets / f"{role}.password").hex()


def as_role(settings: Settings, admin: str, service: str, role: str) -> str:
    """How a role of `service` connects to the service's own database."""
    return make_conninfo(
        admin,
        dbname=migrations.database(service),
        user=role,
        password=password(settings, role),
        application_name=f"jianding {role}",
        connect_timeout="5",
    )


def prepare(settings: Settings, admin: str, service: str, package: str) -> list[str]:
    """Makes or updates a service's database and roles; the migrations that were applied."""
    passwords = {role: password(settings, role) for role in migrations.roles(service)}
    migrations.create(admin, service, passwords)
    return migrations.migrate(admin, service, package)


def refuse_restored(connection: Connection[Any]) -> None:
    """Raises Restored on a new connection to a database that would take events and never seal them."""
    if migrations.restored(connection):
        raise Restored(f"{connection.info.dbname} was restored from a dump; run `jianding migrate` first")


def refuse_foreign(connection: Connection[Any], settings: Settings, *, relay: bool = False) -> None:
    """Raises AnotherBody where a service's data is not that of JIANDING_BODY: ours would be other sources.

    Data that has seen both is let in, so that it can be mended.
    """
    query = _DECIDED if relay else f"{_DECIDED} UNION {_HEARD}"
    bodies = {source.split("/")[1] for (source,) in connection.execute(query)}
    if bodies and settings.body not in bodies:
        raise AnotherBody(f"(JIANDING_BODY={settings.body}, {', '.join(sorted(bodies))})")


def pool(settings: Settings, admin: str, service: str) -> ConnectionPool[Connection[Any]]:
    """Autocommit connections of the service's role; opened by the caller."""
    return ConnectionPool(
        as_role(settings, admin, service, migrations.service_role(service)),
        kwargs={"autocommit": True},
        configure=refuse_restored,
        min_size=1,
        max_size=settings.pool,
        open=False,
        timeout=30,
        name=service,
    )


def wait_for_own(
    settings: Settings, service: str, role: str, stop: Callable[[], bool] = lambda: False
) -> None:
    """Returns once `role` is let into migrated tables, or at `stop()`; TimeoutError ends the patience.

    As the role itself: only `jianding migrate` needs, and has, the administrator's password.
    """
    dsn = as_role(settings, settings.database_url, service, role)
    deadline, said = time.monotonic() + PATIENCE, False
    while not stop() and (reason := _missing(dsn, settings, role)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"PostgreSQL does not answer ({reason}); see `jianding doctor`")
        if not said:
            log.warning(
                "PostgreSQL does not let us in yet (%s); waiting for it and `jianding migrate`", reason
            )
            said = True
        time.sleep(0.2)


def _missing(dsn: str, settings: Settings, role: str) -> str:
    """What is not there yet; the tables and the rights on them come together."""
    try:
        with psycopg.connect(dsn) as connection:
            refuse_restored(connection)
            refuse_foreign(connection, settings, relay=role.endswith("_relay"))
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction):
        return "there are no tables, or old ones"
    except psycopg.OperationalError as error:
        return str(error).strip().splitlines()[-1]
    return ""
