"""A writer that falls silent in its transaction is ended, because everybody's events wait behind it."""

import psycopg
import pytest

from shared.contracts import SERVICES
from shared.runtime import databases
from shared.store import eventstore, migrations
from shared.testing.postgres import Cluster
from tests.integration.store.office import Office, until, words

ROLES = [(service, role) for service in SERVICES for role in migrations.roles(service)]


@pytest.mark.parametrize(("service", "role"), ROLES, ids=[role for _, role in ROLES])
def test_every_role_that_writes_may_be_silent_for_some_seconds_only(
    service: str, role: str, databases_of_all: Cluster
) -> None:
    cluster = databases_of_all
    with psycopg.connect(databases.as_role(cluster.settings, cluster.admin, service, role)) as connection:
        shown = connection.execute("SHOW idle_in_transaction_session_timeout").fetchone()
    assert shown == ("15s",)


@pytest.fixture(scope="module")
def databases_of_all(cluster: Cluster) -> Cluster:
    """Five empty databases."""
    cluster.clone(SERVICES)
    return cluster


def test_a_silent_writer_is_ended_and_what_waits_behind_it_is_sealed(office: Office) -> None:
    sealer = office.sealer()
    with office.visit() as silent:
        silent.execute("SET idle_in_transaction_session_timeout = '2s'")  # the role's own would take long
        silent.execute("BEGIN")
        eventstore.append(silent, words("silent", 0, "a"))
        eventstore.append(office.connection, words("lively", 0, "a"))
        assert sealer.seal() == 0, "an event may still come before it"
        until(lambda: sealer.seal() == 1)
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            silent.execute("SELECT 1")
    sealed = office.admin.execute("SELECT count(*) FROM log").fetchone()
    assert (sealed, office.count("events")) == ((1,), 1)
