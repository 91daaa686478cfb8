"""One node, one browser, and one page for each test; what is seen is kept under var/screenshots."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from psycopg.conninfo import make_conninfo

from shared.runtime.postgres import Postgres
from shared.runtime.settings import settings
from shared.store import migrations
from shared.testing.chromium import chromium
from tests.browser.reader import Reader

PROJECT = Path(__file__).parents[2]
SCREENSHOTS = PROJECT / "var" / "screenshots"


@pytest.fixture(scope="session")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the node keeps its data."""
    return tmp_path_factory.mktemp("stage")


@pytest.fixture(scope="session")
def stage(var: Path) -> Iterator[str]:
    """The address of a node with the data of a small batch."""
    environment = {
        **os.environ,
        "JIANDING_VAR": str(var),
        "JIANDING_AMQP_URL": "",
        "JIANDING_DATABASE_URL": "",
    }
    log = (var / "stage.log").open("wb")
    with (
        log,
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.browser.stage"],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdin is not None
        said = process.stdout.readline()
        assert said.startswith("ready "), (var / "stage.log").read_text(encoding="utf-8")[-3000:]
        yield said.split()[1]
        process.stdin.close()
        process.wait(30)


@pytest.fixture
def log(var: Path, stage: str) -> Iterator[psycopg.Connection[Any]]:
    """The audit log's database, in the hands of its administrator."""
    there = Postgres(replace(settings(), var=var, secrets=var / "secrets", database_url=""))
    dsn = make_conninfo(there.dsn, dbname=migrations.database("audit"))
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    found = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.program, env=found.environment, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sessions() -> dict[str, Any]:
    """By role what a browser keeps of a login: nobody logs in more often than people do."""
    return {}


@pytest.fixture(scope="session")
def walked() -> dict[str, set[str]]:
    """By role the pages that were looked at."""
    return {}


@pytest.fixture
def reader(browser: Browser, stage: str, sessions: dict[str, Any]) -> Iterator[Callable[..., Reader]]:
    """`reader("supervisor")` -> somebody with a browser of his own, who is logged in in that role.

    `through`: the address by which he comes, where it is not the node's own.
    """
    contexts = []

    def come(role: str = "", through: str = "") -> Reader:
        context = browser.new_context(
            base_url=through or stage,
            viewport={"width": 1280, "height": 900},
            storage_state=sessions.get(role),
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        page: Page = context.new_page()
        found = Reader(page, SCREENSHOTS)
        if role and role not in sessions:
            found.log_in(role)
            sessions[role] = context.storage_state()
        elif role:
            found.open("/")
        return found

    yield come
    for context in contexts:
        context.close()
