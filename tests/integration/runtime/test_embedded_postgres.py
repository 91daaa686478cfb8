"""The embedded PostgreSQL: who starts it stops it, and what others left behind is coped with."""

import fcntl
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from shared.runtime import postgres as embedded
from shared.runtime.checks import examine
from shared.runtime.cli.access import admin
from shared.runtime.cli.output import Failed
from shared.runtime.postgres import BeingSetUp, KeysLost, NotRunning, Postgres, PostgresFailed
from shared.runtime.settings import Settings, settings
from shared.testing.rabbitmq.node import wait_until


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A cluster that has been started once."""
    var = tmp_path_factory.mktemp("embedded") / "var"
    ours = replace(settings(), var=var, secrets=var / "secrets", database_url="", amqp_url="")
    postgres = Postgres(ours)
    assert postgres.start()
    yield ours
    postgres.stop("immediate")
    shutil.rmtree(postgres.data)  # which may lie outside var/


@pytest.fixture
def postgres(var: Settings) -> Postgres:
    """It, running."""
    postgres = Postgres(var)
    postgres.start()
    return postgres


@pytest.fixture
def stopped(var: Settings) -> Postgres:
    """It, not running."""
    postgres = Postgres(var)
    postgres.stop()
    return postgres


def test_the_first_password_is_in_a_file_that_was_never_open_to_others(
    tmp_path: Path, var: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = Postgres(replace(var, var=tmp_path, secrets=tmp_path / "secrets"))
    (left := tmp_path / ".initial-password").write_text("of a start that was cut off")
    left.chmod(0o644)
    seen = []

    def fchown(descriptor: int, *_: int) -> None:
        seen.append((stat.S_IMODE(os.fstat(descriptor).st_mode), os.fstat(descriptor).st_size))

    def initdb(_: Postgres, *words: str) -> "subprocess.CompletedProcess[str]":
        file = Path(words[-1].removeprefix("--pwfile="))
        seen.append((stat.S_IMODE(file.stat().st_mode), file.stat().st_size))
        return subprocess.CompletedProcess(words, 1, "no", "")

    monkeypatch.setattr(os, "fchown", fchown)
    monkeypatch.setattr(Postgres, "_run", initdb)
    before = os.umask(0)
    try:
        with pytest.raises(PostgresFailed):
            new._initialise()
    finally:
        os.umask(before)
    assert seen == [(0o600, 0), (0o600, 64)], "whose it is was settled before anything was written"
    assert not left.exists()


def test_it_is_in_use_while_somebody_is_connected(postgres: Postgres) -> None:
    assert not postgres.in_use()
    with psycopg.connect(postgres.dsn):
        assert postgres.in_use()
    assert not postgres.in_use()


def test_a_command_stops_the_server_that_it_started(var: Settings, stopped: Postgres) -> None:
    with admin(var) as dsn, psycopg.connect(dsn):
        assert stopped.running()
    assert not stopped.running()


def test_a_session_that_is_about_to_end_does_not_keep_the_server(stopped: Postgres, var: Settings) -> None:
    with ThreadPoolExecutor(1) as pool:
        with admin(var) as dsn:
            last = psycopg.connect(dsn)
            ending = pool.submit(last.execute, "SELECT pg_sleep(0.3), pg_terminate_backend(pg_backend_pid())")
            wait_until(lambda: stopped.in_use(), 10)
        assert isinstance(ending.exception(), psycopg.OperationalError)
    last.close()
    assert not stopped.running()


def test_a_command_leaves_a_server_that_somebody_else_uses_by_now(var: Settings, stopped: Postgres) -> None:
    with admin(var) as dsn:
        later = psycopg.connect(dsn)
    with later:
        assert stopped.running()
        assert later.execute("SELECT 1").fetchone() == (1,)


def test_a_command_stops_a_server_that_a_killed_program_left_behind(
    var: Settings, postgres: Postgres
) -> None:
    with admin(var):
        pass
    assert not postgres.running()


def test_a_command_that_looks_makes_no_data(var: Settings, tmp_path: Path) -> None:
    nothing = replace(var, var=tmp_path / "var", secrets=tmp_path / "var" / "secrets")
    with pytest.raises(Failed, match="jianding up"), admin(nothing):
        pass
    assert not nothing.var.exists()


def test_a_number_that_went_on_to_a_foreign_process_does_not_stand_for_the_server(stopped: Postgres) -> None:
    stopped.start()
    pid_file = stopped.data / "postmaster.pid"
    words = pid_file.read_text().splitlines()
    stopped.stop()
    owner = stopped.data.stat()
    with subprocess.Popen(["sleep", "600"], cwd="/", user=owner.st_uid, group=owner.st_gid) as foreign:
        pid_file.write_text("\n".join([str(foreign.pid), *words[1:]]) + "\n")
        shutil.chown(pid_file, owner.st_uid, owner.st_gid)
        try:
            assert not stopped.running()
            assert stopped.start()
            assert foreign.poll() is None
        finally:
            foreign.kill()
    with psycopg.connect(stopped.dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("left", ["", "\n", "garbage\n", "\x00" * 40])
def test_a_lock_file_that_a_power_cut_spoiled_does_not_keep_the_server_from_starting(
    left: str, stopped: Postgres
) -> None:
    (stopped.data / "postmaster.pid").write_text(left)
    assert not stopped.running()
    assert not stopped.in_use()
    assert stopped.start()
    with psycopg.connect(stopped.dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_spoiled_lock_file_of_a_living_server_stays(postgres: Postgres) -> None:
    pid_file = postgres.data / "postmaster.pid"
    before = pid_file.read_text()
    pid_file.write_text("")
    try:
        with pytest.raises(PostgresFailed, match="postmaster"):
            postgres.start()
        assert pid_file.read_text() == ""
    finally:
        pid_file.write_text(before)
    assert postgres.running()


def test_data_that_is_being_set_up_is_waited_for_and_no_server_of_somebody_elses_asked(
    stopped: Postgres, var: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid_file = stopped.data / "postmaster.pid"
    with subprocess.Popen(["sleep", "600"]) as bootstrap:
        # as initdb leaves it for a moment: a negative pid, and PostgreSQL's usual port, whoever listens there
        pid_file.write_text(f"-{bootstrap.pid}\n{stopped.data}\n1780000000\n5432\n\n\n")
        try:
            assert not stopped.running()
            with pytest.raises(NotRunning):
                _ = stopped.dsn
            with pytest.raises(BeingSetUp, match=f"pid {bootstrap.pid}"), admin(var):
                pass
            (found,) = [finding for finding in examine(var) if finding.what == "PostgreSQL"]
            assert (found.warns, f"pid {bootstrap.pid}" in found.found) == (True, True)
        finally:
            bootstrap.kill()
            pid_file.unlink()


def test_who_comes_while_another_command_starts_the_server_is_told_who_does(
    stopped: Postgres, var: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_PARTING", 0.1)
    with (var.var / "starting.pid").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write("4711\n")
        file.flush()
        with pytest.raises(BeingSetUp, match="pid 4711"):
            stopped.start()
    assert stopped.start()


@pytest.mark.parametrize("running", [True, False])
def test_lost_key_files_are_named_and_no_others_made(
    running: bool, var: Settings, postgres: Postgres
) -> None:
    if not running:
        postgres.stop()
    kept = var.secrets.rename(var.var / "kept")
    try:
        with pytest.raises(KeysLost, match=r"postgres\.password"), admin(var):
            pass
        assert not var.secrets.exists()
    finally:
        kept.rename(var.secrets)


def test_what_the_server_says_when_it_cannot_start_is_told(stopped: Postgres) -> None:
    configuration = stopped.data / "postgresql.conf"
    before = configuration.read_text()
    configuration.write_text(before + "shared_buffers = 'plenty'\n")
    try:
        with pytest.raises(PostgresFailed, match="shared_buffers"):
            stopped.start()
    finally:
        configuration.write_text(before)
    assert stopped.start()
