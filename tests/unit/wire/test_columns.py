"""Many events at once: what columns take, `read` takes as well, and it says the same."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import lives
from shared.wire.columns import columns
from shared.wire.envelope import Undecodable, read

_RAWS = [entry.sealed for _, entry in zip(range(lives.PEOPLE * lives.STEPS), lives.entries(), strict=False)]
_RAWS = _RAWS[:: lives.PEOPLE]  # one of each step
_DEEP = {"a": [{"b": 1.5}]}
_SPOILT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a name is missing": lambda event: event.pop("refs"),
    "there is one more": lambda event: event.update(extra="x"),
    "a device that is none": lambda event: event.update(device=""),
    "a device of too many letters": lambda event: event.update(device="d" * 65),
    "a device, and one more": lambda event: event.update(device="d", extra="x"),
    "an empty text": lambda event: event.update(actor=""),
    "a number for a text": lambda event: event.update(actor=1),
    "a text for a number": lambda event: event.update(position="1"),
    "true for a number": lambda event: event.update(streamversion=True),
    "no position": lambda event: event.update(position=0),
    "a control": lambda event: event.update(body="a\x1f"),
    "no source": lambda event: event.update(source="centre"),
    "no role": lambda event: event.update(role="king"),
    "the 31st of February": lambda event: event.update(time="2026-02-31T01:30:00.000000Z"),
    "an hour too many": lambda event: event.update(recordedtime="2026-02-21T24:30:00.000000Z"),
    "a year too early": lambda event: event.update(time="0000-02-21T01:30:00.000000Z"),
    "milliseconds": lambda event: event.update(time="2026-02-21T01:30:00.000Z"),
    "a hash in capitals": lambda event: event.update(previoushash="A" * 64),
    "half a hash": lambda event: event.update(previoushash="a" * 32),
    "two halves": lambda event: event.update(previoushash="a" * 96),
    "a ref without a kind": lambda event: event.update(refs="a:b c"),
    "two spaces": lambda event: event.update(refs="a:b  c:d"),
    "another type of data": lambda event: event.update(datacontenttype="text/plain"),
    "another version": lambda event: event.update(specversion="2.0"),
    "an id that is no UUID": lambda event: event.update(id="NOT-A-UUID"),
    "an id in capitals": lambda event: event.update(id=event["id"].upper()),
    "a percent sign in a kind": lambda event: event.update(refs="a%20b:c"),
    "a subject too long for an index": lambda event: event.update(refs=f"a:{'b' * 1000}"),
    "more than an entry holds": lambda event: event.update(data={"text": "a" * 64_500}),
    "no data": lambda event: event.update(data=[]),
    "a float": lambda event: event.update(data={"score": 1.0}),
    "a float far below": lambda event: event.update(data=_DEEP),
    "an integer too large": lambda event: event.update(data={"score": 2**53}),
    "a key beyond the plane": lambda event: event.update(data={"\U00020000": 1, "\uffee": 2}),
}


def test_what_is_in_order_comes_in_columns() -> None:
    found = columns(_RAWS)
    assert found is not None
    for place, raw in enumerate(_RAWS):
        event = read(raw)
        assert {name: column[place] for name, column in found.said.items()} == event.attributes
        assert found.hashes[place] == event.hash
        assert found.refs[place] == [f"{kind}:{ref}" for kind, ref in event.refs]


@pytest.mark.parametrize("refs", ["", "room:A%20101", "room:50%2525 batch:x", "a:b:c room:A%20%25"])
def test_subjects_are_those_that_read_says(refs: str) -> None:
    raw = orjson.dumps(orjson.loads(_RAWS[1]) | {"refs": refs}, option=orjson.OPT_SORT_KEYS)
    found = columns([_RAWS[0], raw])
    assert found is not None
    assert found.refs[1] == [f"{kind}:{ref}" for kind, ref in read(raw).refs]


def test_some_events_name_a_device() -> None:
    raws = [_RAWS[0], orjson.dumps(orjson.loads(_RAWS[1]) | {"device": "d"}, option=orjson.OPT_SORT_KEYS)]
    found = columns(raws)
    assert found is not None
    for place, raw in enumerate(raws):
        said = {name: column[place] for name, column in found.said.items()}
        assert read(raw).attributes | said == read(raw).attributes
        assert found.hashes[place] == read(raw).hash


@pytest.mark.parametrize("what", _SPOILT)
def test_what_is_not_in_order_is_left_to_read(what: str) -> None:
    event = orjson.loads(_RAWS[1])
    _SPOILT[what](event)
    raw = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    with pytest.raises(Undecodable):
        if read(raw).attributes.keys() != orjson.loads(_RAWS[0]).keys():
            raise Undecodable("only an event of exactly these names comes in columns")
    assert columns([_RAWS[0], raw, _RAWS[2]]) is None


def _spellings() -> Iterator[tuple[str, list[bytes]]]:
    first, second, third = _RAWS[:3]
    place = second.index(b",")
    yield "a space", [first, second.replace(b":", b": ", 1), third]
    yield "two in one", [first + b"," + second, third]
    yield "one in two", [first, second[:place], second[place + 1 :], third]
    yield "shifted", [first + b"," + second[:place], second[place + 1 :], third]
    yield "a list of names", [first, orjson.dumps(list(orjson.loads(second))), third]
    yield "no JSON", [first, b"", third]
    yield "a number", [first, b"1", third]


@pytest.mark.parametrize(("what", "raws"), list(_spellings()))
def test_another_spelling_is_left_to_read(what: str, raws: list[bytes]) -> None:
    assert columns(raws) is None


@given(st.data())
def test_nothing_comes_in_columns_that_cannot_be_read(data: st.DataObject) -> None:
    raws = list(_RAWS)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(raws) - 1))
        at = data.draw(st.integers(0, len(raws[place]) - 1))
        length = data.draw(st.integers(0, 3))
        raws[place] = raws[place][:at] + data.draw(st.binary(max_size=3)) + raws[place][at + length :]
    if columns(raws) is not None:
        for raw in raws:
            read(raw)
