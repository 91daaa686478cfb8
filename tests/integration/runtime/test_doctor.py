"""The doctor: sees what waits for somebody, who is behind and since when, and which keys are lost."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.kernel.actors import Role
from shared.runtime import checks
from shared.runtime.checks import Finding, examine
from shared.runtime.settings import Settings
from shared.security.keys import Signer
from shared.security.vault import Identity, Vault
from shared.store import sealer
from shared.testing.postgres import Cluster
from tests.integration.store.office import Office, somebody

TRAINER = somebody("trainer", Role.TRAINER)


@pytest.fixture
def office(databases: Cluster) -> Iterator[Office]:
    """Registration beside the empty databases of all others, with 3 events that are sealed and published."""
    with ExitStack() as stack:
        office = Office(databases, stack, "registration", empty=False)
        for candidate in ("Ling", "Hua", "Ming"):
            office.submit(candidate, "batch")
        relay = office.connect("relay")
        assert office.sealer(relay).seal() == 3
        sealer.mark_published(relay, 3)
        yield office


@pytest.fixture
def keys(office: Office, tmp_path: Path) -> Settings:
    """The same data, with key files that may be taken away."""
    secrets = tmp_path / "secrets"
    shutil.copytree(office.cluster.settings.secrets, secrets)
    (secrets / "vault.master").write_bytes(bytes(32))
    (secrets / "vault.master").chmod(0o600)
    return replace(office.cluster.settings, secrets=secrets)


@pytest.fixture(autouse=True)
def _nobody_is_given_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_PATIENCE", timedelta(0))


def _caught_up(office: Office, *consumers: str, at: int = 3) -> None:
    for service in ("registration", "scheduling", "scoring", "certification", "audit"):
        with office.cluster.connect(service, "admin") as connection:
            for name in consumers:
                connection.execute(
                    "INSERT INTO checkpoints VALUES (%s, %s, %s, decode(repeat('00', 32), 'hex'))",
                    (name, office.source, at),
                )


def _named(settings: Settings, what: str) -> list[Finding]:
    return [finding for finding in examine(settings) if finding.what == what]


def _all_consumers(office: Office) -> None:
    _caught_up(office, "policies", "duties", "tally", "register", "accounts", "staff", "log")


def test_where_everybody_has_everything_nothing_is_told(office: Office) -> None:
    _all_consumers(office)
    findings = examine(office.cluster.settings)
    assert [finding.what for finding in findings if finding.warns or not finding.ok] == []
    assert len(findings) > 10


def test_a_consumer_that_stopped_is_behind_by_so_many_events_since_the_first_of_them(office: Office) -> None:
    _all_consumers(office)
    with office.cluster.connect("scheduling", "admin") as connection:
        connection.execute("UPDATE checkpoints SET position = 1 WHERE consumer = 'policies'")
    (found,) = _named(office.cluster.settings, "policies of scheduling")
    second = office.admin.execute(
        "SELECT convert_from(sealed, 'UTF8')::json ->> 'recordedtime' FROM log WHERE position = 2"
    ).fetchone()
    assert second is not None
    assert (found.ok, found.warns) == (True, True)
    assert found.found == f"2 events behind /centre/registration since {second[0]}"
    assert "jianding up" in found.mend


def test_a_consumer_that_never_began_is_behind_by_everything(office: Office) -> None:
    _caught_up(office, "policies", "duties", "tally", "register", "accounts", "staff")
    (found,) = _named(office.cluster.settings, "log of audit")
    assert found.found.startswith("3 events behind /centre/registration since ")


def test_who_has_been_behind_for_a_moment_only_is_not_told(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_PATIENCE", timedelta(hours=1))
    assert _named(office.cluster.settings, "log of audit") == []


def test_a_relay_is_behind_with_what_it_has_to_seal_and_to_publish(office: Office) -> None:
    _all_consumers(office)
    office.submit("Qing", "batch")
    (found,) = _named(office.cluster.settings, "relay of registration")
    assert (found.ok, found.warns) == (True, True)
    assert found.found.startswith("1 events wait to go out since 2")
    assert office.sealer().seal() == 1
    (found,) = _named(office.cluster.settings, "relay of registration")
    assert found.found.startswith("1 events wait to go out since 2")


def test_parked_events_and_bodies_set_aside_are_told_and_what_to_do(office: Office) -> None:
    office.connection.execute(
        "INSERT INTO parked (consumer, source, position, stream, type, sealed, reason)"
        " VALUES ('policies', '/centre/scoring', 1, 'x-1', 'X', '', 'because')"
    )
    office.connection.execute(
        "INSERT INTO rejected (origin, body, reason) VALUES ('scoring', '', 'no event')"
    )
    (parked,) = _named(office.cluster.settings, "parked events of registration")
    assert (parked.ok, parked.warns, parked.found) == (True, True, "1 wait for a person")
    assert "jianding parked list" in parked.mend
    (rejected,) = _named(office.cluster.settings, "bodies from the bus to registration")
    assert (rejected.ok, rejected.warns) == (True, True)
    assert rejected.found.startswith("1 since 2")
    assert "jianding parked rejected" in rejected.mend


def test_a_fault_that_a_test_left_switched_on_is_told(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _named(office.cluster.settings, "faults") == []
    monkeypatch.setenv("JIANDING_FAULT", "seal:3")
    (found,) = _named(office.cluster.settings, "faults")
    assert (found.ok, found.warns) == (True, True)
    assert "JIANDING_FAULT=seal:3" in found.found
    assert "unset JIANDING_FAULT" in found.mend


def test_a_lost_vault_key_is_a_failure_once_there_are_identities(office: Office, keys: Settings) -> None:
    (keys.secrets / "vault.master").unlink()
    assert _named(keys, "key files of the data") == []
    office.admin.execute(
        "INSERT INTO vault (person, number_index, wrapped_key, sealed)"
        " VALUES (gen_random_uuid(), decode(repeat('01', 32), 'hex'), 'x', 'x')"
    )
    (found,) = _named(keys, "key files of the data")
    assert not found.ok
    assert "vault.master is missing" in found.found
    assert "backup" in found.mend
    assert not (keys.secrets / "vault.master").exists(), "looking does not make another"


@pytest.mark.parametrize("part", ["key", "pub"])
def test_a_lost_key_of_a_source_is_a_failure_once_it_has_signed(
    part: str, office: Office, keys: Settings
) -> None:
    (keys.secrets / "sources" / f"centre.registration.{part}").unlink()
    for half in ("key", "pub"):
        (keys.secrets / "sources" / f"centre.scoring.{half}").unlink(missing_ok=True)  # has signed nothing
    (found,) = _named(keys, "key files of the data")
    assert not found.ok
    assert f"centre.registration.{part}" in found.found


def test_a_source_key_without_data_is_a_failure_too_if_its_public_half_is_there(
    office: Office, keys: Settings
) -> None:
    Signer.load(keys.secrets / "sources", "/centre/certification")  # which has signed nothing
    (keys.secrets / "sources" / "centre.certification.key").unlink()
    (found,) = _named(keys, "key files of the data")
    assert "centre.certification.key" in found.found


def test_a_source_key_that_does_not_fit_its_public_half_is_a_failure(
    office: Office, keys: Settings, tmp_path: Path
) -> None:
    Signer.load(tmp_path / "others", office.source)
    shutil.copy(tmp_path / "others" / "centre.registration.key", keys.secrets / "sources")
    (found,) = _named(keys, "key files of the data")
    assert not found.ok
    assert "centre.registration.key is not the key of centre.registration.pub" in found.found


def test_a_vault_key_that_does_not_open_a_stored_row_is_a_failure(office: Office, keys: Settings) -> None:
    identity = Identity("化名", "passport", "E00000000", b"")
    row, _ = Vault(bytes(32)).lock("0193a3c5-0000-7000-8000-000000000001", identity)
    office.admin.execute(
        "INSERT INTO vault VALUES (%s, %s, %s, %s)",
        (row.person, row.number_index, row.wrapped_key, row.sealed),
    )
    assert _named(keys, "key files of the data") == []
    (keys.secrets / "vault.master").write_bytes(bytes(31) + b"x")
    (found,) = _named(keys, "key files of the data")
    assert not found.ok
    assert "does not open the identities" in found.found


def test_a_lost_password_of_a_role_is_a_failure_that_migrate_mends(office: Office, keys: Settings) -> None:
    lost = keys.secrets / "registration_service.password"
    lost.unlink()
    (found,) = _named(keys, "database of registration")
    assert (found.ok, found.found) == (False, "registration_service.password is missing")
    assert "jianding migrate" in found.mend
    assert not lost.exists()


def test_lost_key_files_are_a_failure_although_the_server_runs(office: Office, keys: Settings) -> None:
    shutil.rmtree(keys.secrets)
    (found,) = _named(keys, "key files of the data")
    assert not found.ok
    assert "postgres.password is missing" in found.found
    assert "backup" in found.mend
    assert not keys.secrets.exists()
