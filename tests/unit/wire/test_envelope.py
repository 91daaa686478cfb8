"""The envelope: CloudEvents that anybody reads, a chain that holds, bodies that are ours or are refused."""

import re
from hashlib import sha256

import orjson
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import example, given
from hypothesis import strategies as st

from shared.kernel.actors import Actor, Role
from shared.kernel.events import Event, subject
from shared.wire.canonical import NotCanonical, canonical
from shared.wire.envelope import (
    GENESIS,
    Origin,
    Sealed,
    Undecodable,
    digest,
    draft,
    drafted_event,
    read,
    seal,
)


class TestSaid(Event, service="test-envelope"):
    """The language of this test."""

    __test__ = False


class RoomOpened(TestSaid):
    """An event with everything that an event may have."""

    room: str = subject()
    keys: tuple[str, ...] = subject("key")
    seats: tuple[int, ...]
    floor: int
    locked: bool
    note: str | None


PLAIN = RoomOpened(
    room="第1批 1 号考场", keys=("a%20b", "c:d"), seats=(1, 2), floor=-3, locked=True, note=None
)
ORIGIN = Origin(
    source="/centre/test-envelope",
    actor=Actor("clerk", Role.EXAM_AFFAIRS, "centre"),
    occurred_at="2026-04-16T01:30:00.000000Z",
    recorded_at="2026-04-16T01:30:00.000001Z",
    correlation_id="correlation",
    causation_id="causation",
    command_id="command",
)
ID = "0b2f7d62-5d0e-7c11-8a01-3f5b2d4c6e70"
DRAFT = draft(PLAIN, ID, "room-1", 7, ORIGIN)
BODY = seal(DRAFT, 1, GENESIS)
ATTRIBUTES = orjson.loads(BODY)

text = st.text(st.characters(exclude_categories=["Cs"]))
ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
whole = st.integers(-(2**53) + 1, 2**53 - 1)
events = st.builds(
    RoomOpened,
    room=ids,
    keys=st.lists(ids).map(tuple),
    seats=st.lists(whole).map(tuple),
    floor=whole,
    locked=st.booleans(),
    note=st.none() | text,
)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
)


def refused(body):
    with pytest.raises(Undecodable):
        read(body)


def changed(**attributes):
    return canonical({**ATTRIBUTES, **attributes})


def used(sealed):
    """Everything that a consumer may ask of a body that was taken."""
    return (
        sealed.id, sealed.source, sealed.service, sealed.type, sealed.position, sealed.previous,
        sealed.stream, sealed.refs, sealed.actor, Role(sealed.actor[1]), sealed.attributes["correlationid"],
        sealed.attributes["time"],
    )  # fmt: skip


def taken_or_refused(body):
    """Never anything else; and what is taken can be used."""
    try:
        sealed = read(body)
    except Undecodable:
        return
    used(sealed)
    assert sealed.raw == body


# -- CloudEvents


def test_the_cloudevents_sdk_finds_the_required_attributes():
    event = JSONFormat().read(CloudEvent, BODY)
    assert event.get_specversion() == "1.0"
    assert (event.get_id(), event.get_source()) == (ID, "/centre/test-envelope")
    assert (event.get_type(), event.get_subject()) == ("RoomOpened", "room-1")
    assert event.get_time().isoformat() == "2026-04-16T01:30:00+00:00"
    assert event.get_datacontenttype() == "application/json"
    assert event.get_data() == ATTRIBUTES["data"]
    assert event.get_extension("position") == 1


def test_attribute_names_are_those_that_cloudevents_allows():
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in ATTRIBUTES)


def test_attribute_values_are_of_types_that_cloudevents_has():
    assert {type(value) for name, value in ATTRIBUTES.items() if name != "data"} == {str, int}


# -- the way of one event


@given(events)
def test_an_event_says_the_same_after_draft_seal_and_read(event):
    drafted = draft(event, ID, "room-1", 7, ORIGIN)
    sealed = read(seal(drafted, 1, GENESIS))
    assert sealed.event() == drafted_event(drafted) == event
    assert sealed.refs == list(event.refs())


def test_a_sealed_event_tells_where_it_is_from_and_what_it_is_about():
    sealed = read(BODY)
    assert (sealed.id, sealed.type, sealed.stream, sealed.position) == (ID, "RoomOpened", "room-1", 1)
    assert (sealed.source, sealed.service) == ("/centre/test-envelope", "test-envelope")
    assert sealed.actor == ("clerk", "exam_affairs", "centre")
    assert sealed.refs == [("room", "第1批 1 号考场"), ("key", "a%20b"), ("key", "c:d")]
    assert sealed == Sealed(BODY, sha256(BODY).digest(), ATTRIBUTES)


def test_sealed_bytes_are_canonical_and_keep_what_was_drafted():
    assert canonical(ATTRIBUTES) == BODY
    added = {"position": 1, "previoushash": "0" * 64}
    assert {**orjson.loads(DRAFT), **added} == ATTRIBUTES


@given(st.integers(1, 8))
def test_each_event_contains_the_hash_of_the_one_before(count):
    previous, bodies = GENESIS, []
    for position in range(1, count + 1):
        bodies.append(seal(DRAFT, position, previous))
        previous = digest(bodies[-1])
    read_again = [read(body) for body in bodies]
    assert [sealed.position for sealed in read_again] == list(range(1, count + 1))
    assert [sealed.previous for sealed in read_again] == [GENESIS, *(s.hash for s in read_again[:-1])]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", "registration"),
        ("occurred_at", "2026-04-16T09:30:00+08:00"),
        ("recorded_at", "yesterday"),
        ("correlation_id", "a\x00b"),
        ("causation_id", ""),
        ("command_id", "a\nb"),
    ],
)
def test_what_nobody_could_read_is_not_even_drafted(field, value):
    broken = Origin(**{**vars(ORIGIN), field: value})
    with pytest.raises(Undecodable):
        draft(PLAIN, ID, "room-1", 7, broken)


def test_a_value_without_a_single_spelling_is_not_drafted():
    broken = RoomOpened(room="1", keys=(), seats=(), floor=1.5, locked=True, note=None)
    with pytest.raises(NotCanonical):
        draft(broken, ID, "room-1", 7, ORIGIN)


# -- bodies that are not ours


@given(st.binary())
def test_arbitrary_bytes_are_refused(body):
    refused(body)


@given(json)
def test_arbitrary_json_is_refused(value):
    refused(orjson.dumps(value))


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_body_without_one_of_its_attributes_is_refused(name):
    refused(canonical({key: value for key, value in ATTRIBUTES.items() if key != name}))


@given(st.sampled_from(sorted(ATTRIBUTES)), json)
def test_a_body_with_something_else_in_an_attribute_is_refused_or_can_be_used(name, value):
    taken_or_refused(orjson.dumps({**ATTRIBUTES, name: value}, option=orjson.OPT_SORT_KEYS))


@given(st.sampled_from(sorted(ATTRIBUTES)), json)
def test_an_attribute_of_another_type_is_refused(name, value):
    if type(value) is not type(ATTRIBUTES[name]):
        refused(orjson.dumps({**ATTRIBUTES, name: value}, option=orjson.OPT_SORT_KEYS))


@given(st.integers(0, len(BODY)), st.integers(0, len(BODY)), st.binary(max_size=8))
def test_a_mutilated_body_is_refused_or_can_be_used(start, end, instead):
    taken_or_refused(BODY[: min(start, end)] + instead + BODY[max(start, end) :])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("specversion", "0.3"),
        ("position", 0),
        ("position", -1),
        ("position", True),
        ("streamversion", 0),
        ("schemaversion", 0),
        ("schemaversion", True),
        ("previoushash", "0" * 63),
        ("previoushash", "A" * 64),
        ("previoushash", "0" * 64 + "\n"),
        ("source", ""),
        ("source", "registration"),
        ("source", "/registration"),
        ("source", "/centre/"),
        ("source", "/centre/a b"),
        ("subject", ""),
        ("subject", "a\x00"),
        ("type", ""),
        ("id", ""),
        ("id", "NOT-A-UUID"),
        ("id", ID.upper()),
        ("id", ID + " "),
        ("refs", f"room:{'a' * 1000}"),
        ("refs", f"room:{'考' * 332}"),
        ("refs", "ro%20om:1"),
        ("actor", "考" * 332),
        ("data", {"text": "a" * 64_500}),
        ("refs", " ".join(f"a:{number}" for number in range(1700))),
        ("actor", ""),
        ("role", "emperor"),
        ("role", "EXAM_AFFAIRS"),
        ("time", "2026-04-16"),
        ("time", "2026-02-31T01:30:00.000000Z"),
        ("recordedtime", "2026-04-16T01:30:00.000000+08:00"),
        ("recordedtime", "２０26-04-16T01:30:00.000000Z"),
        ("refs", "room"),
        ("refs", "room:1  room:2"),
        ("refs", " "),
        ("datacontenttype", "text/plain"),
        ("data", []),
        ("data", None),
    ],
)
def test_a_wrong_value_in_the_envelope_is_refused(name, value):
    refused(changed(**{name: value}))


def test_what_no_entry_of_the_audit_log_could_hold_is_not_drafted():
    for much in (
        RoomOpened(room="1", keys=(), seats=(), floor=1, locked=True, note="a" * 64_000),
        RoomOpened(room="1" * 1000, keys=(), seats=(), floor=1, locked=True, note=None),
    ):
        with pytest.raises(Undecodable, match="too long"):
            draft(much, ID, "room-1", 7, ORIGIN)


def test_what_is_drafted_can_be_sealed_wherever_it_comes_to_stand():
    for length in range(62_000, 65_000, 7):
        event = RoomOpened(room="1", keys=(), seats=(), floor=1, locked=True, note="a" * length)
        try:
            drafted = draft(event, ID, "room-1", 7, ORIGIN)
        except Undecodable:
            break
        read(seal(drafted, 2**53 - 1, GENESIS))
    else:
        raise AssertionError("nothing was too long")


def test_the_refusal_names_the_attribute():
    with pytest.raises(Undecodable, match=r"^recordedtime: "):
        read(changed(recordedtime="now"))


def test_an_attribute_that_a_newer_program_added_does_no_harm():
    assert read(changed(traceparent="00-abc")).event() == PLAIN


def with_data(raw):
    """A body whose data is `raw`, as it stands."""
    marker = b'"data":' + canonical(ATTRIBUTES["data"])
    assert BODY.count(marker) == 1
    return BODY.replace(marker, b'"data":' + raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"a":' + b"[" * 100_000,
        b'{"a":1' + b"0" * 400 + b"}",
        b'{"a":9007199254740992}',
        b'{"a":-9007199254740992}',
        b'{"a":18446744073709551616}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":1e999}',
        b'{"a":-0}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"a":"\\ud800"}',
        b'{"\\udc00":1}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xff"}',
        b'{"a":"\\u0061"}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"\xf0\x90\x80\x80":1}',
        b'{"a":"\x00"}',
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_a_second_spelling_or_none_is_refused(raw):
    refused(with_data(raw))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b"\xef\xbb\xbf" + BODY,
        BODY + b"\n",
        b" " + BODY,
        BODY + BODY,
        BODY.decode().encode("utf-16"),
        BODY.replace(b'"id":', b'"id":"","id":'),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_around_or_beside_an_event_is_refused(body):
    refused(body)


@given(json)
@example({"position": 1})
def test_whatever_the_data_it_is_taken_or_refused(value):
    taken_or_refused(with_data(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)))
