"""How psycopg waits: through the hub where there is one, else in C."""

import select
from typing import Any

import pytest
from psycopg import waiting as psycopgs

from shared.store import waiting


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which of psycopg's ways was gone."""
    ways: list[str] = []
    monkeypatch.setattr(waiting, "_alone", lambda *_words, **_more: ways.append("alone"))
    monkeypatch.setattr(psycopgs, "wait_select", lambda *_words, **_more: ways.append("shared"))
    return ways


def test_a_process_without_a_hub_waits_in_c(waited: list[str]) -> None:
    waiting.wait(iter(()), 0)
    assert waited == ["alone"]


def test_a_process_whose_select_is_the_hubs_waits_through_it(
    waited: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def green(*_words: Any) -> None:
        """As eventlet's, a function."""

    monkeypatch.setattr(select, "select", green)
    waiting.wait(iter(()), 0)
    assert waited == ["shared"]


def test_every_connection_waits_in_this_way() -> None:
    assert psycopgs.wait is waiting.wait
