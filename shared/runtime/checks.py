"""What `jianding doctor` looks at, one small check each."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import psycopg.waiting
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from kombu import Connection
from psycopg.conninfo import make_conninfo

from shared.contracts import SERVICES, SOURCES
from shared.kernel.clock import moment, utc_now
from shared.runtime import admission, databases
from shared.runtime.definition import definition
from shared.runtime.finding import Finding, warning
from shared.runtime.postgres import BeingSetUp, KeysLost, Postgres, PostgresFailed
from shared.runtime.settings import Settings
from shared.runtime.standing import Lag, lags
from shared.security import keys
from shared.security.keys import secret
from shared.security.vault import Locked, Vault
from shared.store import migrations, parking, standing

_LEAST_DISK = 1_000_000_000
_PATIENCE = timedelta(seconds=10)  # within which everybody may be behind without anybody having to look
_RESTORE = "restore JIANDING_SECRETS from a backup before anything else; `make clean` gives the data up"
_LOCKED = "SELECT person::text, number_index, wrapped_key, sealed FROM vault WHERE sealed IS NOT NULL LIMIT 1"
_RELAYS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'jianding %_relay'"
_LIBRARIES = ("nameko", "kombu", "pika", "eventlet", "psycopg", "marshmallow", "orjson", "cryptography")


def examine(settings: Settings) -> list[Finding]:
    """All findings, in the order in which they would matter to somebody who starts."""
    found = [_python(), _libraries(), _waiting(), _folder(settings), _disk(settings), _keys(settings)]
    found += [*_faults(), *admission.findings(settings), *_postgres(settings)]
    found.append(_bus(settings))
    return found


def reachable(settings: Settings, service: str, role: str) -> str:
    """Empty if the database (as this role) and the bus answer; else what does not. A signer has no bus."""
    roles = {"relay": migrations.relay_role, "signer": migrations.signer_role}
    name = roles.get(role, migrations.service_role)(service)
    admin = settings.database_url
    if settings.embedded_postgres:
        postgres = Postgres(settings)
        if not postgres.running():
            return "数据库未运行，请运行 jianding up。 PostgreSQL does not run; `jianding up` starts it."
        admin = postgres.dsn
    try:
        psycopg.connect(databases.as_role(settings, admin, service, name)).close()
    except psycopg.OperationalError:
        return "数据库没有应答。 The database does not answer; `jianding doctor` says how to mend it."
    if role == "signer":
        return ""
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


def _faults() -> Iterator[Finding]:
    if fault := os.environ.get("JIANDING_FAULT", ""):
        mend = "unset JIANDING_FAULT wherever programs are started; only tests of deaths set it"
        yield warning("faults", f"JIANDING_FAULT={fault[:40]} is set here: it ends programs", mend)


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
    started = False
    try:
        started = postgres.start()
        admin = postgres.dsn
        found = _databases(settings, admin, f"from its wheel, data in {postgres.data}")
        return [*found, *lost_keys(settings, admin), _services(admin)] if all(f.ok for f in found) else found
    except KeysLost as lost:
        return [Finding("key files of the data", False, f"{lost} is missing", _RESTORE)]
    except BeingSetUp as error:
        return [warning("PostgreSQL", f"the data is being set up {error}", "wait for it, then look again")]
    except PostgresFailed as error:
        mend = f"mend what it says; {postgres.data / 'server.log'} has the whole of it"
        return [Finding("PostgreSQL", False, " ".join(str(error).split()) or "does not start", mend)]
    finally:
        if started:
            postgres.leave()


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
    if whose := foreign(settings, admin):
        mend = "mend JIANDING_BODY, or set JIANDING_VAR to a folder for this body"
        return [server, Finding("body", False, f"the data belongs to another one {whose}", mend)]
    found = [finding for service in SERVICES for finding in _database(settings, admin, service)]
    if all(finding.ok for finding in found):
        found += [
            _behind(settings, lag)
            for lag in lags(settings, admin)
            if _late(lag) and not _waits_for_up(settings, admin, lag)
        ]
        found += _signatures(settings, admin)
    return [server, *found]


def _database(settings: Settings, admin: str, service: str) -> Iterator[Finding]:
    what = f"database of {service}"
    role = migrations.service_role(service)
    if not (settings.secrets / f"{role}.password").exists():  # asking for it would make another
        yield Finding(what, False, f"{role}.password is missing", "`jianding migrate` makes a new one")
        return
    try:
        with psycopg.connect(databases.as_role(settings, admin, service, role)) as connection:
            waiting, rejected = len(parking.parked(connection)), standing.rejected(connection)
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        yield Finding(what, False, "not there, or lets nobody in", "run `jianding migrate`")
        return
    yield Finding(what, True, "ok")
    if waiting:
        mend = "`jianding parked list` says which and why; repair, skip or replay them"
        yield warning(f"parked events of {service}", f"{waiting} wait for a person", mend)
    if rejected:
        found = f"{rejected.count} since {rejected.since} were no events of ours, and are kept"
        mend = f"`jianding parked rejected` lists them; find out who publishes to {service}"
        yield warning(f"bodies from the bus to {service}", found, mend)


def _late(lag: Lag) -> bool:
    return moment(lag.waiting.since) < utc_now() - _PATIENCE


def _waits_for_up(settings: Settings, admin: str, lag: Lag) -> bool:
    """Looks at trails while nothing runs are said in audit's log, and sealed once something does."""
    return settings.embedded_postgres and lag.source == settings.source("audit") and not _running(admin)


def _behind(settings: Settings, lag: Lag) -> Finding:
    program = f"serve {lag.service}" if lag.consumer else f"relay {lag.service}"
    starts = "jianding up" if settings.embedded_bus else f"jianding {program}"
    mend = f"`{starts}` takes them up; if it runs, its log and `jianding parked list` say what stops it"
    count, since = lag.waiting.count, lag.waiting.since
    if lag.consumer:
        found = f"{count} events behind {lag.source} since {since}"
        return warning(f"{lag.consumer} of {lag.service}", found, mend)
    return warning(f"relay of {lag.service}", f"{count} events wait to go out since {since}", mend)


def _signatures(settings: Settings, admin: str) -> Iterator[Finding]:
    """What is not well with the checkpoints of the audit log."""
    running = not settings.embedded_postgres or _running(admin)
    dsn = databases.as_role(settings, admin, "audit", migrations.service_role("audit"))
    with psycopg.connect(dsn) as connection:
        for concern in definition("audit").tools["concerns"](connection, settings, running):
            if concern.grave:
                yield Finding(concern.what, False, concern.found, concern.mend)
            else:
                yield warning(concern.what, concern.found, concern.mend)


def foreign(settings: Settings, admin: str) -> str:
    """Whose data it is where it is not that of JIANDING_BODY; else empty."""
    for service in SERVICES:
        try:
            dsn = make_conninfo(admin, dbname=migrations.database(service))
            with psycopg.connect(dsn) as connection:
                databases.refuse_foreign(connection, settings)
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable):  # nothing was made yet
            continue
        except databases.AnotherBody as other:
            return str(other)
    return ""


def lost_keys(settings: Settings, admin: str) -> Iterator[Finding]:
    """Key files without which data that is there cannot be read, or proved; also those that do not fit it."""
    if problem := _vault_key(settings, admin):
        yield Finding("key files of the data", False, problem, _RESTORE)
    for service in SOURCES:
        if problem := _source_key(settings, admin, service):
            yield Finding("key files of the data", False, problem, _RESTORE)


def _vault_key(settings: Settings, admin: str) -> str:
    key, row = settings.secrets / "vault.master", _first(admin, "registration", _LOCKED)
    if row is None:
        return ""
    if not key.exists():
        return f"{key} is missing: nobody can read the identities in the vault"
    try:
        Vault(secret(key)).open(Locked(*row))
    except (InvalidTag, ValueError):
        return f"{key} does not open the identities in the vault: it is another key, or they were altered"
    return ""


def _source_key(settings: Settings, admin: str, service: str) -> str:
    source = settings.source(service)
    key, public = keys.files(settings.secrets / "sources", source)
    missing = [file.name for file in (key, public) if not file.exists()]
    if not missing:
        loaded = Ed25519PrivateKey.from_private_bytes(secret(key)).public_key().public_bytes_raw().hex()
        fits = loaded == keys.public_key(settings.secrets / "sources", source)
        return "" if fits else f"sources/{key.name} is not the key of {public.name}"
    if public.exists() or _first(admin, service, "SELECT FROM heads LIMIT 1") is not None:
        return f"sources/{' and '.join(missing)} missing: the heads that {service} signed prove nothing"
    return ""


def _first(admin: str, service: str, query: LiteralString) -> tuple[Any, ...] | None:
    """A row of a service's database; None also where nothing was made yet."""
    try:
        with psycopg.connect(make_conninfo(admin, dbname=migrations.database(service))) as connection:
            return connection.execute(query).fetchone()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return None


def _services(admin: str) -> Finding:
    return Finding(
        "services", True, "running" if _running(admin) else "not running now; `jianding up` starts them"
    )


def _running(admin: str) -> bool:
    with psycopg.connect(admin) as connection:
        found = connection.execute(_RELAYS).fetchone()
    return bool(found and found[0])


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
