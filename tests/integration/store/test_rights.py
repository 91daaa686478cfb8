"""Rights: nobody but the append functions writes a log, and nobody enters another service's database."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.errors import InsufficientPrivilege

from shared.contracts import SERVICES
from shared.runtime import databases
from shared.store import eventstore, migrations, sealer
from shared.testing.postgres import Cluster
from tests.integration.store.office import Office, words

LOG_TABLES = ["events", "log", "commands", "heads", "claims", "duties", "relay", "migrations"]
DECISIONS = ["events", "commands", "claims", "duties", "checkpoints", "parked", "tallies", "vault"]
AUDITS = (
    "append_entries", "keep_evidence", "raise_finding", "keep_head",
    "store_checkpoint", "add_cosignatures", "ask_subject_heads", "answer_subject_heads",
)  # fmt: skip
CHANGES = [
    "INSERT INTO {t} OVERRIDING SYSTEM VALUE SELECT * FROM {t} WHERE false",
    "UPDATE {t} SET {c} = {c}",
    "DELETE FROM {t}",
    "TRUNCATE {t}",
]
TAKE_OVER = [
    "ALTER TABLE {t} DISABLE TRIGGER ALL",
    "ALTER TABLE {t} ADD COLUMN mine int",
    "ALTER TABLE {t} OWNER TO CURRENT_USER",
    "CREATE TRIGGER mine BEFORE INSERT ON {t} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "DROP TABLE {t} CASCADE",
]


def _refused(office: Office, role: str, statements: list[str], table: str) -> None:
    """Each is refused to `role`, and runs for the administrator: so it is the right that lacks."""
    found = office.admin.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 LIMIT 1", (table,)
    ).fetchone()
    assert found is not None
    with office.visit(role) as connection:
        for statement in statements:
            query = sql.SQL(statement).format(t=sql.Identifier(table), c=sql.Identifier(found[0]))
            with office.admin.transaction(force_rollback=True):
                office.admin.execute(query)
            with pytest.raises(InsufficientPrivilege):
                connection.execute(query)


@pytest.mark.parametrize("table", LOG_TABLES)
def test_the_services_role_cannot_write_its_log_past_append(office: Office, table: str) -> None:
    _refused(office, "service", [*CHANGES, *TAKE_OVER], table)


@pytest.mark.parametrize("table", DECISIONS)
def test_the_relays_role_cannot_decide_anything(office: Office, table: str) -> None:
    _refused(office, "relay", [*CHANGES, *TAKE_OVER], table)


@pytest.mark.parametrize("table", ["log", "heads"])
def test_the_relays_role_cannot_change_what_is_sealed(office: Office, table: str) -> None:
    _refused(office, "relay", [*CHANGES[1:], *TAKE_OVER], table)


@pytest.mark.parametrize("table", ["rejected", "vault"])
def test_the_services_role_cannot_remove_evidence(office: Office, table: str) -> None:
    _refused(office, "service", ["DELETE FROM {t}", "TRUNCATE {t}"], table)


def test_what_they_need_they_may(office: Office) -> None:
    eventstore.append(office.connection, words("stream-1", 0, "x"))
    assert office.sealer().seal() == 1
    assert sealer.head(office.connection)[0] == 1


def test_the_relay_cannot_append_and_cannot_read_the_vault(office: Office) -> None:
    with office.visit("relay") as connection:
        with pytest.raises(InsufficientPrivilege):
            eventstore.append(connection, words("stream-1", 0, "x"))
        with pytest.raises(InsufficientPrivilege):
            connection.execute("SELECT * FROM vault")
        with pytest.raises(InsufficientPrivilege):
            connection.execute("SELECT note_duties('{}', '{}', '{}', '{}')")


@pytest.fixture
def all_databases(databases: Cluster) -> Cluster:
    return databases


def test_every_function_that_runs_as_its_owner_pins_its_search_path_and_is_closed_to_the_public(
    all_databases: Cluster,
) -> None:
    found = {}
    for service in SERVICES:
        with closing(all_databases.connect(service, "admin")) as connection:
            rows = connection.execute(
                "SELECT proname, proconfig, has_function_privilege('public', oid, 'EXECUTE'),"
                " proowner::regrole::text"
                " FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
            ).fetchall()
        for name, configuration, public, owner in rows:
            found.setdefault(name, set()).add(service)
            assert configuration == ["search_path=public, pg_temp"], name
            assert not public, f"everybody may execute {name}"
            assert owner == f"{service}_owner"
    everywhere = {name: set(SERVICES) for name in ("append", "note_duties", "restored")}
    assert found == {**everywhere, **{name: {"audit"} for name in AUDITS}}


def test_a_table_of_the_callers_own_does_not_stand_in_for_the_log(office: Office) -> None:
    connection = office.connection
    connection.execute("CREATE SCHEMA mine")
    connection.execute("CREATE TABLE mine.events (stream text, version int, xid xid8, draft bytea)")
    connection.execute("CREATE TABLE mine.commands (a uuid, b bytea, c bytea)")
    connection.execute("GRANT USAGE ON SCHEMA mine TO PUBLIC")
    connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA mine TO PUBLIC")
    connection.execute("SET search_path = mine, public")
    eventstore.append(connection, words("stream-1", 0, "x"))
    assert (office.count("public.events"), office.count("mine.events")) == (1, 0)


def _logins(cluster: Cluster) -> Iterator[tuple[str, str, str]]:
    """(role, its service, how it connects as if to its own database)."""
    for service in SERVICES:
        for role in (migrations.service_role(service), migrations.relay_role(service)):
            yield role, service, databases.as_role(cluster.settings, cluster.admin, service, role)


def test_no_role_can_connect_to_another_services_database(all_databases: Cluster) -> None:
    for role, own, dsn in _logins(all_databases):
        psycopg.connect(dsn).close()
        for service in SERVICES:
            if service != own:
                with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                    psycopg.connect(make_conninfo(dsn, dbname=migrations.database(service)))
        assert role.startswith(own)


def test_owners_cannot_log_in_and_no_role_is_more_than_it_should_be(all_databases: Cluster) -> None:
    with psycopg.connect(all_databases.admin) as connection:
        rows = connection.execute(
            "SELECT rolname, rolcanlogin,"
            " rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls,"
            " ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = r.oid)"
            " FROM pg_roles r WHERE rolname ~ '_(owner|service|relay|signer)$' AND NOT rolname ~ '^pg_'"
        ).fetchall()
    assert len(rows) == 16
    for name, can_login, powerful, member_of in rows:
        assert can_login == (not name.endswith("_owner")), name
        assert not powerful, name
        assert member_of == (["pg_read_all_stats"] if name.endswith("_relay") else []), name


def test_roles_cannot_make_objects_where_functions_look_for_the_log(office: Office) -> None:
    for role in ("service", "relay"):
        with office.visit(role) as connection:
            with pytest.raises(InsufficientPrivilege):
                connection.execute("CREATE TABLE public.mine (id int)")
            with pytest.raises(InsufficientPrivilege):
                connection.execute("CREATE TEMPORARY TABLE mine (id int)")
