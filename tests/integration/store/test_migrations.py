"""Migrations: repeated freely, run by many at once, and never edited."""

from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from shared.contracts import SERVICES
from shared.runtime import databases
from shared.store import migrations
from shared.store.migrations import MigrationChanged
from shared.testing.postgres import Cluster
from tests.integration.store.office import Office, at_once

EVERYTHING = [
    "shared.store/001_log.sql",
    "shared.store/002_inbox.sql",
    "shared.store/003_restored.sql",
    "shared.store/004_heartbeat.sql",
    "shared.store/005_tallies.sql",
    "services.registration/001_vault.sql",
    "services.registration/002_logins.sql",
    "services.registration/003_shown.sql",
    "services.registration/004_names.sql",
]


def _drop(cluster: Cluster, *services: str) -> None:
    with psycopg.connect(cluster.admin, autocommit=True) as connection:
        for service in services:
            name = sql.Identifier(migrations.database(service))
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _prepare(cluster: Cluster, service: str) -> list[str]:
    return databases.prepare(cluster.settings, cluster.admin, service, f"services.{service}")


def test_an_empty_machine_gets_everything_and_the_second_run_nothing(cluster: Cluster) -> None:
    _drop(cluster, "registration")
    assert _prepare(cluster, "registration") == EVERYTHING
    assert _prepare(cluster, "registration") == []


def test_a_second_run_keeps_what_is_there(office: Office) -> None:
    office.submit("Ling", "spring")
    assert _prepare(office.cluster, "registration") == []
    office.submit("Hua", "spring")
    assert office.count("events") == 2


def test_run_by_four_at_once_each_migration_is_applied_by_exactly_one(cluster: Cluster) -> None:
    _drop(cluster, "registration")
    outcomes = at_once([partial(_prepare, cluster, "registration")] * 4)
    assert sorted(outcomes, key=len) == [[], [], [], EVERYTHING]


def test_migrations_that_find_the_same_empty_database_at_once_do_not_meet(office: Office) -> None:
    for _ in range(3):
        office.admin.execute("DROP SCHEMA public CASCADE")
        office.admin.execute("CREATE SCHEMA public")
        migrate = partial(migrations.migrate, office.cluster.admin, "registration", "services.registration")
        assert sorted(at_once([migrate] * 8), key=len) == [[]] * 7 + [EVERYTHING]


def test_all_services_may_be_prepared_at_once_and_again(cluster: Cluster) -> None:
    _drop(cluster, *SERVICES)
    for missing in (len(SERVICES), 0, 0):
        outcomes = at_once(partial(_prepare, cluster, service) for service in SERVICES * 3)
        assert [each for each in outcomes if not isinstance(each, list)] == []
        assert sum(each != [] for each in outcomes) == missing


def test_no_password_reaches_the_log_of_a_server_that_keeps_every_statement(cluster: Cluster) -> None:
    _drop(cluster, "audit")
    talkative = make_conninfo(cluster.admin, options="-c log_statement=all")
    databases.prepare(cluster.settings, talkative, "audit", "services.audit")
    log = (cluster.postgres.data / "server.log").read_text(errors="replace")
    for role in migrations.roles("audit"):
        assert f'ALTER ROLE "{role}" LOGIN PASSWORD' in log, "it is the log of these statements"
        assert databases.password(cluster.settings, role) not in log
        psycopg.connect(databases.as_role(cluster.settings, cluster.admin, "audit", role)).close()


def test_a_migration_that_was_edited_is_refused_and_nothing_of_the_run_stays(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "edited_service" / "sql"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    (folder / "001_first.sql").write_text("CREATE TABLE firsts (id int);")
    migrate = partial(migrations.migrate, office.cluster.admin, "registration", "edited_service")
    assert migrate() == ["edited_service/001_first.sql"]
    (folder / "000_earlier.sql").write_text("CREATE TABLE earlier (id int);")
    (folder / "001_first.sql").write_text("CREATE TABLE firsts (id bigint);")
    with pytest.raises(MigrationChanged, match="001_first"):
        migrate()
    assert office.admin.execute("SELECT to_regclass('earlier')").fetchone() == (None,)
    (folder / "001_first.sql").write_text("CREATE TABLE firsts (id int);")
    assert migrate() == ["edited_service/000_earlier.sql"]


def test_a_migration_that_fails_leaves_nothing_half_made(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "failing_service" / "sql"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    (folder / "001_first.sql").write_text("CREATE TABLE firsts (id int); SELECT nothing_there;")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        migrations.migrate(office.cluster.admin, "registration", "failing_service")
    assert office.admin.execute("SELECT to_regclass('firsts')").fetchone() == (None,)


def test_a_clone_has_the_roles_of_an_installation_whatever_a_test_did_to_them(cluster: Cluster) -> None:
    cluster.clone(["scoring"])
    with cluster.connect("scoring", "admin") as connection:
        connection.execute("ALTER ROLE scoring_service NOLOGIN PASSWORD 'another'")
        connection.execute("ALTER ROLE scoring_relay SET lock_timeout = '1ms'")
    cluster.clone(["scoring"])
    with cluster.connect("scoring") as service, cluster.connect("scoring", "relay") as relay:
        assert service.execute("SELECT current_user").fetchone() == ("scoring_service",)
        assert relay.execute("SHOW lock_timeout").fetchone() == ("20s",)
