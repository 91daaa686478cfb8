"""Every service can be imported first, and psycopg does not wait in C then."""

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
