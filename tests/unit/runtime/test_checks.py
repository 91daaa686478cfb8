"""What the doctor says of logins: who is answered, and whether a provider can be asked."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.runtime.checks import Finding, examine
from shared.runtime.settings import Settings, settings

BUS = "amqp://127.0.0.1:1"


@pytest.fixture
def nothing(tmp_path: Path) -> Settings:
    """Where there is no data and no server yet."""
    return replace(settings(), var=tmp_path, secrets=tmp_path / "secrets", database_url="", amqp_url="")


def _found(settings: Settings, what: str) -> list[Finding]:
    return [finding for finding in examine(settings) if finding.what == what]


@pytest.mark.parametrize(
    ("amqp_url", "tokens", "says", "warns"),
    [
        ("", "", "accepted", False),
        ("", "required", "required", False),
        (BUS, "", "required", False),
        (BUS, "accepted", "not required", True),
    ],
)
def test_it_says_who_is_answered_without_a_login(
    nothing: Settings, amqp_url: str, tokens: str, says: str, warns: bool
) -> None:
    (finding,) = _found(replace(nothing, amqp_url=amqp_url, tokens=tokens), "logins")
    assert finding.found.startswith(says)
    assert (finding.ok, finding.warns) == (True, warns)


def test_it_says_whether_the_provider_can_be_used(nothing: Settings, tmp_path: Path) -> None:
    assert _found(nothing, "OpenID Connect") == []
    file = tmp_path / "provider.toml"
    there = replace(nothing, oidc=str(file))
    (finding,) = _found(there, "OpenID Connect")
    assert (finding.ok, "JIANDING_OIDC" in finding.mend) == (False, True)
    file.write_text('issuer = "https://id.example.test"\naudience = "us"\njwks = "k"\n', encoding="utf-8")
    (finding,) = _found(there, "OpenID Connect")
    assert (finding.ok, finding.found) == (True, "https://id.example.test")
