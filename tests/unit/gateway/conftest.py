"""The door over services that note what they are asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.gateway.app import make_app
from services.gateway.backend import Backend
from shared.kernel.actors import Actor, Role
from shared.runtime.settings import settings
from shared.security.tokens import TokenInvalid

CLERK = Actor("clerk-1", Role.EXAM_AFFAIRS, "station-10012003")


def _verify(token: str) -> Actor:
    if token != "clerk":
        raise TokenInvalid
    return CLERK


@dataclass
class Services:
    """Answers every call alike, or as `tell` says, and keeps what was asked."""

    answer: Any = None
    tell: Callable[[str, str, dict[str, Any]], Any] | None = None
    calls: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    longest: float = 0  # seconds that somebody would have waited for an answer

    def ask(
        self, service: str, method: str, context: dict[str, Any], message: dict[str, Any], wait: float = 30
    ) -> Any:
        self.calls.append((service, method, message, context))
        self.longest = max(self.longest, wait)
        answer = self.tell(service, method, message) if self.tell else self.answer
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def services() -> Services:
    return Services(answer={"stream": "application-1", "version": 1, "events": []})


@pytest.fixture
def client(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setenv("JIANDING_VAR", str(tmp_path))
    return make_app(Backend(services.ask), settings(), _verify).test_client()
