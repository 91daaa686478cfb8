"""A private PostgreSQL for a test run, and for each test databases of its own, cloned from templates."""

import shutil
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo

from shared.runtime import databases
from shared.runtime.definition import definition
from shared.runtime.postgres import Postgres
from shared.runtime.settings import Settings
from shared.store import migrations

# everything that the server knows of some roles
_ROLES = """
SELECT role::text,
       ARRAY(SELECT said::text FROM pg_db_role_setting said WHERE said.setrole = role.oid ORDER BY 1),
       ARRAY(SELECT m::text FROM pg_auth_members m WHERE role.oid IN (m.member, m.roleid) ORDER BY 1)
  FROM pg_authid role
 WHERE role.rolname = ANY (%s)
 ORDER BY role.rolname
"""


class Cluster:
    """`clone(services)` gives every test empty, migrated databases under their real names."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.postgres = Postgres(settings)
        self._templates: set[str] = set()
        self._roles: dict[str, tuple[dict[str, str], list[Any]]] = {}

    @property
    def admin(self) -> str:
        """How the administrator connects."""
        return self.postgres.dsn

    def start(self) -> None:
        """Starts the server, for data that nobody needs after a power cut: its disk is not waited for."""
        self.postgres.start()
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET full_page_writes = off")
            connection.execute("SELECT pg_reload_conf()")

    def clone(self, services: Iterable[str]) -> None:
        """Empty databases for these services, in place of what an earlier test left.

        Who has signed or witnessed an earlier audit log forgets it: this one does not follow from it.
        """
        services = list(services)
        if "audit" in services:
            for memory in ("signer", "witness"):
                shutil.rmtree(self.settings.var / memory, ignore_errors=True)
        for service in services:
            self._template(service)
        with psycopg.connect(self.admin, autocommit=True) as connection:
            for service in services:
                self._replace(connection, service)
                self._have_roles(connection, service)
                # rights on a database, unlike those inside it, are not cloned
                migrations.admit(connection, service, migrations.roles(service))

    def connect(self, service: str, role: str = "service") -> Connection[Any]:
        """An autocommit connection as `service`, `relay` or `admin` to a service's database."""
        if role == "admin":
            dsn = make_conninfo(self.admin, dbname=migrations.database(service))
        else:
            dsn = databases.as_role(self.settings, self.admin, service, f"{service}_{role}")
        return psycopg.connect(dsn, autocommit=True)

    def _template(self, service: str) -> None:
        if service in self._templates:
            return
        databases.prepare(self.settings, self.admin, service, definition(service).package)
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(migrations.database(service)), sql.Identifier(_template_of(service))
                )
            )
        self._templates.add(service)

    def _replace(self, connection: Connection[Any], service: str) -> None:
        names = {
            "name": sql.Identifier(migrations.database(service)),
            "template": sql.Identifier(_template_of(service)),
            "owner": sql.Identifier(migrations.owner_role(service)),
        }
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {name} WITH (FORCE)").format(**names))
        # its files are copied: to log each of their pages takes twice as long
        create = "CREATE DATABASE {name} TEMPLATE {template} OWNER {owner} STRATEGY file_copy"
        connection.execute(sql.SQL(create).format(**names))

    def _have_roles(self, connection: Connection[Any], service: str) -> None:
        """Roles as an installation has them; most tests leave them so, and passwords are dear to set."""
        passwords = {role: databases.password(self.settings, role) for role in migrations.roles(service)}
        names = [*passwords, migrations.owner_role(service)]
        if self._roles.get(service) != (passwords, connection.execute(_ROLES, (names,)).fetchall()):
            migrations.create(self.admin, service, passwords)
            self._roles[service] = passwords, connection.execute(_ROLES, (names,)).fetchall()


def _template_of(service: str) -> str:
    return f"template_{service}"
