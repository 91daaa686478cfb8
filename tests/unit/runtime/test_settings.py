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


def test_what_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings()
    for variable, *_ in MEANING.values():
        if variable != "JIANDING_BODY":
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
