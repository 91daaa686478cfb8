"""Databases, roles and tables of a service, brought up to date; safe to repeat, safe at the same time."""

import logging
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo

_ONE_AT_A_TIME = 0x6D696772


log = logging.getLogger(__name__)


class MigrationChanged(Exception):
    """A migration that was applied has been edited since; write a new one instead."""


def database(service: str) -> str:
    return f"jianding_{service}"


def service_role(service: str) -> str:
    return f"{service}_service"


def relay_role(service: str) -> str:
    return f"{service}_relay"


def signer_role(service: str) -> str:
    return f"{service}_signer"


def owner_role(service: str) -> str:
    return f"{service}_owner"


def roles(service: str) -> tuple[str, ...]:
    """Those with a password: the service's, its relay's, and in audit the signer's, who signs its log."""
    signers = (signer_role(service),) if service == "audit" else ()
    return (service_role(service), relay_role(service), *signers)


def create(admin: str, service: str, passwords: dict[str, str]) -> None:
    """Makes the roles and the empty database where they are missing; sets the passwords by role name."""
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_ONE_AT_A_TIME,))
        _role(connection, owner_role(service), None)
        for role, password in passwords.items():
            _role(connection, role, password)
        connection.execute(
            sql.SQL("GRANT pg_read_all_stats TO {}").format(sql.Identifier(relay_role(service)))
        )
        _database(connection, service, passwords)


def _role(connection: Connection[Any], role: str, password: str | None) -> None:
    name = sql.Identifier(role)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(name))
    if password is not None:
        # the server's log may keep statements, so it is told what proves the password, not the password
        proof = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        literal = sql.Literal(proof.decode())
        connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, literal))
        # an idle writer holds back the sealing of everybody's events (xid8 watermark)
        connection.execute(
            sql.SQL("ALTER ROLE {} SET idle_in_transaction_session_timeout = '15s'").format(name)
        )
        connection.execute(sql.SQL("ALTER ROLE {} SET lock_timeout = '20s'").format(name))


def _database(connection: Connection[Any], service: str, roles: Iterable[str]) -> None:
    name, owner = sql.Identifier(database(service)), sql.Identifier(owner_role(service))
    if not connection.execute(
        "SELECT 1 FROM pg_database WHERE datname = %s", (database(service),)
    ).fetchone():
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(name, owner)
        )
    admit(connection, service, roles)


def admit(connection: Connection[Any], service: str, roles: Iterable[str]) -> None:
    """Lets these roles, and nobody else, into the service's database."""
    name = sql.Identifier(database(service))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    for role in roles:
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.Identifier(role)))
    # builds of projections are schemas; granted here and not in roles.sql, because two sessions that change
    # the rights of one database at the same time fail, and only `create` holds the lock of the whole cluster
    service_name = sql.Identifier(service_role(service))
    connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(name, service_name))


def migrate(admin: str, service: str, package: str) -> list[str]:
    """Applies what is new of the foundation's and the service's `sql/<number>_*.sql`; the names applied."""
    with psycopg.connect(make_conninfo(admin, dbname=database(service))) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
        connection.execute(
            sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(sql.Identifier(owner_role(service)))
        )
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner_role(service))))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations"
            " (name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        done = [name for name, script in _scripts(package) if _once(connection, name, script)]
        _grant(connection, service)
        if restored(connection):
            connection.execute("SELECT rebase()")
            log.warning("%s was restored from a dump: its events were numbered anew", service)
    return done


def restored(connection: Connection[Any]) -> bool:
    """Whether this database comes from a dump and was not migrated since: then nothing may be appended."""
    row = connection.execute("SELECT restored()").fetchone()
    return bool(row and row[0])


def _scripts(package: str) -> Iterable[tuple[str, str]]:
    for place in (__package__, package):
        folder = files(place).joinpath("sql")
        for script in sorted(_numbered(folder), key=lambda script: script.name):
            yield f"{place}/{script.name}", script.read_text(encoding="utf-8")


def _numbered(folder: Traversable) -> list[Traversable]:
    return [s for s in folder.iterdir() if s.name[0].isdigit()] if folder.is_dir() else []


def _once(connection: Connection[Any], name: str, script: str) -> bool:
    digest = sha256(script.encode()).hexdigest()
    row = connection.execute("SELECT digest FROM migrations WHERE name = %s", (name,)).fetchone()
    if row is None:
        connection.execute(script)
        connection.execute("INSERT INTO migrations (name, digest) VALUES (%s, %s)", (name, digest))
    elif row[0] != digest:
        raise MigrationChanged(name)
    return row is None


def _grant(connection: Connection[Any], service: str) -> None:
    script = files(__package__).joinpath("sql/roles.sql").read_text(encoding="utf-8")
    connection.execute(
        sql.SQL(script).format(  # type: ignore[arg-type]
            service=sql.Identifier(service_role(service)),
            relay=sql.Identifier(relay_role(service)),
        )
    )
