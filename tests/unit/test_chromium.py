"""The browser that pages are tested with, for whoever is not root and has none."""

from pathlib import Path

import pytest

from shared.testing.chromium import ChromiumIsMissing, chromium
from tests.debian import Debian

FILES = (
    "usr/lib/chromium/chromium",
    "usr/lib/x86_64-linux-gnu/libpulse.so.0",
    "usr/lib/x86_64-linux-gnu/pulseaudio/libpulsecommon-16.1.so",
    "lib/x86_64-linux-gnu/libz.so.1",
)


class WithChromium(Debian):
    planned = wanted = ("libpulse0", "chromium")

    def unpacked(self, folder: Path) -> None:
        for name in FILES:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()


def machine(root: Path, **known: object) -> Debian:
    return WithChromium(root, "", False, **known)  # type: ignore[arg-type]


def test_the_package_is_unpacked_and_finds_every_library_and_font_of_its_own(tmp_path: Path) -> None:
    found = chromium(machine(tmp_path), tmp_path / "cache")
    root = tmp_path / "cache/root"
    assert found.program == root / FILES[0]
    assert set(found.environment["LD_LIBRARY_PATH"].split(":")) == {
        str((root / name).parent) for name in FILES[1:]
    }
    assert f"<dir>{root}/usr/share/fonts</dir>" in Path(found.environment["FONTCONFIG_FILE"]).read_text()


def test_lists_that_the_machine_has_are_enough_and_else_our_own_are_fetched(tmp_path: Path) -> None:
    ready, bare = machine(tmp_path, lists={"chromium"}), machine(tmp_path)
    chromium(ready, tmp_path / "one")
    assert ready.commands == ["install", "download", "-x"]
    chromium(bare, tmp_path / "other")
    assert bare.commands == ["install", "update", "install", "download", "-x"]


def test_what_was_unpacked_once_is_not_fetched_again(tmp_path: Path) -> None:
    first = chromium(machine(tmp_path), tmp_path / "cache")
    again = machine(tmp_path)
    assert chromium(again, tmp_path / "cache") == first
    assert again.commands == []


def test_nothing_to_be_had_says_what_to_install_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ChromiumIsMissing):
        chromium(machine(tmp_path, sources=False), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
