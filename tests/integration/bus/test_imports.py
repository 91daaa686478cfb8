"""Every service can be imported first, and psycopg does not wait in C then; a relay loads little."""

import subprocess
import sys

import pytest

from shared.contracts import SERVICES

PROGRAM = """
import services.{service}.service
import psycopg.waiting
assert psycopg.waiting.wait.__name__ != "wait_c", "would block the hub"
"""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imported_first_waits_without_blocking(service: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM.format(service=service)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_relay_loads_nothing_of_what_answers_calls() -> None:
    loaded = "import shared.runtime.cli.main, shared.runtime.relaying, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", loaded], capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.split())
    assert {"pika", "psycopg"} <= modules
    assert not modules & {"nameko", "eventlet", "werkzeug"}
