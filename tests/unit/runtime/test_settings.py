"""Settings: what cannot be used is refused in one line that shows it, and says what it has to be."""

import re
from dataclasses import fields

import pytest

from shared.runtime.settings import MEANING, SettingInvalid, Settings, settings


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, *_ in MEANING.values():
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("CATCH_UP_SECONDS", "-1", "0.1 to 86400"),
        ("CATCH_UP_SECONDS", "0", "0.1 to 86400"),
        ("CATCH_UP_SECONDS", "nan", "0.1 to 86400"),
        ("CATCH_UP_SECONDS", "inf", "0.1 to 86400"),
        ("CATCH_UP_SECONDS", "soon", "0.1 to 86400"),
        ("POSTGRES_PORT", "-1", "0 to 65535"),
        ("POSTGRES_PORT", "65536", "0 to 65535"),
        ("POSTGRES_PORT", "5432.5", "0 to 65535"),
        ("WORKERS", "0", "1 to 1000"),
        ("POOL", "2", "3 to 1000"),
        ("WINDOW", "60001", "1 to 60000"),
        ("LATE_DAYS", "-7", "0 to 10000"),
    ],
)
def test_a_number_out_of_its_bounds_is_refused(
    name: str, value: str, bounds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"JIANDING_{name}", value)
    line = _refused()
    assert f"JIANDING_{name}='{value}'" in line
    assert f"number from {bounds}" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [("CATCH_UP_SECONDS", "0.1"), ("CATCH_UP_SECONDS", "86400"), ("POSTGRES_PORT", "65535"), ("POOL", "3")],
)
def test_a_number_at_its_bounds_is_taken(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"JIANDING_{name}", value)
    assert getattr(settings(), name.lower()) == float(value)


def test_a_log_level_that_is_none_is_told_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIANDING_LOG_LEVEL", "loud")
    line = _refused()
    assert "JIANDING_LOG_LEVEL='loud'" in line
    assert "DEBUG, INFO, WARNING, ERROR" in line


@pytest.mark.parametrize("folder", ["/" + "x" * 256, "/a" * 500, "甲" * 100])
def test_a_path_that_nobody_can_make_is_refused_in_a_short_line(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIANDING_VAR", folder)
    line = _refused()
    assert "JIANDING_VAR=" in line
    assert "too long" in line
    assert len(line) < 300


def test_a_long_path_that_can_be_made_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIANDING_VAR", "/" + "/".join(["x" * 70] * 10))
    assert len(str(settings().var)) == 710


@pytest.mark.parametrize(
    "body", ["center", "Centre", "station-1001200", "station-100120033", "a/b", "centre\n"]
)
def test_a_body_that_is_none_is_refused(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIANDING_BODY", body)
    line = _refused()
    assert "JIANDING_BODY=" in line
    assert "station- and 8 digits" in line


@pytest.mark.parametrize("body", ["centre", "station-10012003"])
def test_a_body_that_is_one_is_taken(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIANDING_BODY", body)
    assert settings().source("audit") == f"/{body}/audit"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgresql://x:geheim@[::1"),
        ("AMQP_URL", "nonsense"),
        ("AMQP_URL", "http://x:geheim@127.0.0.1/"),
        ("AMQP_URL", "amqp://x:geheim@127.0.0.1:port/"),
        ("AMQP_URL", "amqp://"),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"JIANDING_{name}", value)
    line = _refused()
    assert f"JIANDING_{name}=" in line
    assert "geheim" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://x@127.0.0.1:1/x"),
        ("DATABASE_URL", "host=127.0.0.1 user=x"),
        ("AMQP_URL", "amqp://127.0.0.1:1"),
        ("AMQP_URL", "amqps://x:y@broker.example.cn/region"),
    ],
)
def test_an_address_is_taken(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"JIANDING_{name}", value)
    assert getattr(settings(), name.lower()) == value


@pytest.mark.parametrize(
    "url", ["check.example.cn", "ftp://x.cn", "https://x.cn/check", "https://x@y.cn", "https://"]
)
def test_a_public_address_that_is_none_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIANDING_PUBLIC", url)
    assert "https://check.example.cn, without a path" in _refused()


def test_a_public_address_is_taken_without_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIANDING_PUBLIC", "https://check.example.cn:8443/")
    assert settings().public == "https://check.example.cn:8443"


def test_what_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings()
    for variable, *_ in MEANING.values():
        monkeypatch.setenv(variable, "")
    assert settings() == before


def test_every_setting_has_a_meaning_in_both_languages() -> None:
    assert set(MEANING) == {field.name for field in fields(Settings)}
    assert all(re.search(r"[a-z]+.* / .*[\u4e00-\u9fff]", meaning) for *_, meaning in MEANING.values())


def _refused() -> str:
    with pytest.raises(SettingInvalid) as refusal:
        settings()
    line = str(refusal.value)
    assert "\n" not in line
    assert re.search(r"[\u4e00-\u9fff]", line)
    return line
