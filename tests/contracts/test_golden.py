"""The published language, byte for byte: what was published stays readable, and no change goes unseen."""

from pathlib import Path

import pytest

from shared.kernel.events import Event, language, subject
from shared.testing import golden
from shared.testing.golden import FOLDER, GoldenFileChanged, path_of
from shared.wire import examples
from shared.wire.envelope import read

LANGUAGES = examples.languages()
EVENTS = [event for spoken in LANGUAGES for event in spoken.events.values()]
VERSIONS = [
    path_of(event.service, event.wire_name, version)
    for event in EVENTS
    for version in range(1, event.version + 1)
]


def shown(value: type[Event] | Path) -> str:
    if isinstance(value, Path):
        return f"{value.parent.name}/{value.name}"
    return f"{value.service}.{value.wire_name}"


each_event = pytest.mark.parametrize("event", EVENTS, ids=shown)
each_version = pytest.mark.parametrize("path", VERSIONS, ids=shown)


def test_every_version_of_every_event_has_its_file_and_no_file_is_without_one():
    assert set(FOLDER.glob("*/*")) == set(VERSIONS)


@each_event
def test_the_code_writes_today_what_the_file_has(event):
    path = path_of(event.service, event.wire_name, event.version)
    assert path.read_bytes() == examples.sealed(event), (
        "a changed golden file means a new version and an upcast"
    )


@each_version
def test_what_was_ever_published_is_read_as_todays_event(path):
    sealed = read(path.read_bytes())
    event = sealed.event()
    assert type(event) is next(each for each in EVENTS if shown(each) == f"{sealed.service}.{sealed.type}")
    assert path == path_of(sealed.service, sealed.type, sealed.attributes["schemaversion"])


@each_event
def test_an_example_says_the_same_after_its_journey(event):
    assert read(examples.sealed(event)).event() == examples.example(event)


@pytest.mark.parametrize("spoken", LANGUAGES, ids=lambda spoken: spoken.service)
def test_every_old_version_has_an_upcast_to_the_next(spoken):
    assert spoken.missing_upcasts() == []


class Said(Event, service="test-golden"):
    """A language of this test."""


class DoorOpened(Said):
    """One event of it."""

    door: str = subject()
    keys: tuple[str, ...]
    at_floor: int
    locked: bool
    by: str | None


def language_of_this_test():
    return language("test-golden")


def test_a_missing_file_is_written_once(tmp_path):
    expected = path_of("test-golden", "DoorOpened", 1, tmp_path)
    assert golden.write([language_of_this_test()], tmp_path) == [expected]
    assert expected.read_bytes() == examples.sealed(DoorOpened)
    assert golden.write([language_of_this_test()], tmp_path) == []


def test_a_file_that_differs_is_an_error_that_says_what_to_do_and_stays_as_it_was(tmp_path):
    path = path_of("test-golden", "DoorOpened", 1, tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"what was published")
    with pytest.raises(GoldenFileChanged, match="a changed golden file means a new version and an upcast"):
        golden.write([language_of_this_test()], tmp_path)
    assert path.read_bytes() == b"what was published"


def test_examples_follow_from_names_and_types_alone():
    example = examples.example(DoorOpened)
    assert example == examples.example(DoorOpened)
    assert (example.locked, len(example.keys), type(example.at_floor), type(example.by)) == (
        True,
        2,
        int,
        str,
    )


def test_the_command_line_reports_a_changed_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(golden, "write", lambda _: (_ for _ in ()).throw(GoldenFileChanged([tmp_path / "x"])))
    assert golden.main() == 1
    assert "a new version and an upcast" in capsys.readouterr().err


def test_the_command_line_has_nothing_to_write_here(capsys):
    assert golden.main() == 0
    assert capsys.readouterr().out == ""
