"""What `jianding doctor` looks at, one small check each."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
import psycopg.waiting
from kombu import Connection

from shared.contracts import SERVICES
from shared.runtime import databases
from shared.runtime.postgres import Postgres, PostgresFailed
from shared.runtime.settings import Settings
from shared.store import migrations, parking

_LEAST_DISK = 1_000_000_000
_LIBRARIES = ("nameko", "kombu", "pika", "eventlet", "psycopg", "marshmallow", "orjson", "cryptography")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `mend` says what to do where it is not ok."""

    what: str
    ok: bool
    found: str
    mend: str = ""

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """All findings, in the order in which they would matter to somebody who starts."""
    found = [_python(), _libraries(), _waiting(), _folder(settings), _disk(settings), _keys(settings)]
    found += _postgres(settings)
    found.append(_bus(settings))
    return found


def reachable(settings: Settings, service: str, role: str) -> str:
    """Empty if the database (as this role) and the bus answer; else what does not."""
    name = migrations.service_role(service) if role == "service" else migrations.relay_role(service)
    try:
        psycopg.connect(databases.as_role(settings, settings.database_url, service, name)).close()
    except psycopg.OperationalError:
        return "the database does not answer"
    bus = _bus(settings)
    return "" if bus.ok else bus.found


def _python() -> Finding:
    ok = (3, 11) <= sys.version_info < (3, 14)
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", ok, found, "install Python 3.11, 3.12 or 3.13, then `make clean demo`")


def _libraries() -> Finding:
    return Finding("libraries", True, ", ".join(f"{name} {version(name)}" for name in _LIBRARIES))


def _waiting() -> Finding:
    way = getattr(psycopg.waiting.wait, "__name__", "unknown")
    return Finding("psycopg waits", way != "wait_c", way, "import `shared` before psycopg, or the hub blocks")


def _folder(settings: Settings) -> Finding:
    place = next(folder for folder in (settings.var, *settings.var.parents) if folder.exists())
    ok = os.access(place, os.W_OK)
    return Finding("data folder", ok, str(settings.var), "set JIANDING_VAR to a folder that you may write")


def _disk(settings: Settings) -> Finding:
    place = next(folder for folder in (settings.var, *settings.var.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    return Finding(
        "free disk", free > _LEAST_DISK, f"{free / 1e9:.1f} GB", "free some space, or move JIANDING_VAR"
    )


def _keys(settings: Settings) -> Finding:
    open_files = [path.name for path in _files(settings.secrets) if path.stat().st_mode & 0o077]
    found = f"readable by others: {', '.join(open_files)}" if open_files else str(settings.secrets)
    return Finding("key files", not open_files, found, "chmod 600 them; make new ones if others had access")


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pub")


def _postgres(settings: Settings) -> list[Finding]:
    if not settings.embedded_postgres:
        return _databases(settings, settings.database_url, "the server of JIANDING_DATABASE_URL")
    if not (settings.var / "postgres").exists():
        return [
            Finding(
                "PostgreSQL", True, "from its wheel; no data yet, `jianding demo` or `jianding up` makes it"
            )
        ]
    postgres = Postgres(settings)
    try:
        started = postgres.start()
    except PostgresFailed as error:
        mend = f"look into {postgres.data / 'server.log'}; `make clean` begins anew without the data"
        return [Finding("PostgreSQL", False, str(error).strip().splitlines()[-1], mend)]
    try:
        return _databases(settings, postgres.dsn, f"from its wheel, data in {postgres.data}")
    finally:
        if started:
            postgres.stop()


def _databases(settings: Settings, admin: str, what: str) -> list[Finding]:
    try:
        with psycopg.connect(admin) as connection:
            number = connection.info.server_version
    except psycopg.OperationalError:
        return [
            Finding("PostgreSQL", False, "does not answer", "start the server, or mend JIANDING_DATABASE_URL")
        ]
    server = Finding(
        "PostgreSQL", number >= 150000, f"{number // 10000}, {what}", "PostgreSQL 15 or newer is needed"
    )
    return [server, *(_database(settings, admin, service) for service in SERVICES)]


def _database(settings: Settings, admin: str, service: str) -> Finding:
    what = f"database of {service}"
    role = migrations.service_role(service)
    try:
        with psycopg.connect(databases.as_role(settings, admin, service, role)) as connection:
            waiting = len(parking.parked(connection))
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return Finding(what, False, "not there", "run `jianding migrate`")
    found = f"{waiting} parked events" if waiting else "ok"
    return Finding(what, not waiting, found, "see `jianding parked list`")


def _bus(settings: Settings) -> Finding:
    if settings.embedded_bus:
        return Finding("bus", True, "in memory")
    return _asked(lambda: Connection(settings.amqp_url, connect_timeout=3))


def _asked(connect: Callable[[], Connection]) -> Finding:
    connection = connect()
    try:
        connection.connect()
        properties = connection.connection.server_properties
        return Finding("RabbitMQ", True, str(properties.get("version", "?")))
    except (OSError, *connection.connection_errors) as error:
        return Finding(
            "RabbitMQ",
            False,
            f"does not answer ({type(error).__name__})",
            "start it, or mend JIANDING_AMQP_URL",
        )
    finally:
        connection.release()
