"""Events: frozen facts whose fields have one spelling in bytes."""

import dataclasses
from typing import Any, ClassVar, Optional

import pytest

from shared.kernel.actors import Role
from shared.kernel.events import Event, UnknownEvent, language, subject


class HouseEvent(Event, service="test-house"):
    """The language of this test."""


class DoorOpened(HouseEvent, version=2, name="door.opened"):
    """Somebody opened a door."""

    where: ClassVar[str] = "here"
    door: str = subject()
    by: str = subject("person", bears=Role.EXAMINER)
    guests: tuple[str, ...] = subject("person")
    steps: int
    note: str | None


OPENED = DoorOpened(door="d", by="p", guests=("g", ""), steps=2, note=None)


def test_an_event_knows_its_language_name_and_version():
    assert (DoorOpened.service, DoorOpened.wire_name, DoorOpened.version) == ("test-house", "door.opened", 2)
    assert language("test-house").events == {"door.opened": DoorOpened}


def test_an_event_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        OPENED.door = "another"


def test_an_event_is_made_by_the_names_of_its_fields():
    with pytest.raises(TypeError):
        DoorOpened("d", "p", (), 2, None)
    with pytest.raises(TypeError):
        DoorOpened(door="d")


def test_the_payload_has_every_field_and_nothing_else():
    assert OPENED.data() == {"door": "d", "by": "p", "guests": ("g", ""), "steps": 2, "note": None}


def test_subjects_are_named_by_kind_and_empty_ones_left_out():
    assert list(OPENED.refs()) == [("door", "d"), ("person", "p"), ("person", "g")]


def test_who_bears_a_duty_is_known():
    assert DoorOpened.bearers == (("by", Role.EXAMINER),)


def test_an_event_is_read_from_its_payload():
    data = {"door": "d", "by": "p", "guests": ["g", ""], "steps": 2, "note": None}
    assert language("test-house").read("door.opened", 2, data) == OPENED


@pytest.mark.parametrize(
    "kind",
    [
        float,
        bytes,
        complex,
        list[str],
        dict[str, str],
        set[str],
        tuple,
        tuple[()],
        tuple[str, str],
        tuple[float, ...],
        tuple[tuple[str, ...], ...],
        Role,
        Any,
        object,
        Optional[str],  # noqa: UP045 - the spelling that we do not use
        str | float,
        "float",
    ],
    ids=str,
)
def test_a_field_without_a_single_spelling_is_refused_when_the_class_is_made(kind):
    with pytest.raises(TypeError, match="no single spelling"):
        type("Vague", (HouseEvent,), {"__annotations__": {"value": kind}, "__module__": __name__})
    assert "Vague" not in language("test-house").events


@pytest.mark.parametrize(
    "kind", [str, int, bool, str | None, tuple[str, ...], tuple[int, ...] | None, "int | str"], ids=str
)
def test_a_plain_field_is_taken(kind):
    made = type("Plain", (HouseEvent,), {"__annotations__": {"value": kind}, "__module__": __name__})
    assert made.names == ("value",)
    del language("test-house").events["Plain"]


def test_a_second_event_of_the_same_name_is_refused():
    with pytest.raises(TypeError, match=r"test-house already has an event door\.opened"):

        class Another(HouseEvent, name="door.opened"):
            """A wire name is permanent."""


def test_a_second_language_of_the_same_name_is_refused():
    with pytest.raises(TypeError, match="test-house already has a language"):

        class Another(Event, service="test-house"):
            """It would hide the first."""


def test_an_event_of_no_language_is_refused():
    with pytest.raises(UnknownEvent):

        class Homeless(Event):
            """Whose fact is it?"""
