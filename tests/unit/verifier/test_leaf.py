"""What an entry has to look like, found the same by the precise and by the quick way."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.verifier import leaf
from services.audit.verifier.words import Fault
from tests.unit.verifier import making
from tests.unit.verifier.making import Log

LEAVES = Log.of(40).leaves
GOOD = LEAVES[7]
EVENT, NOTE = GOOD.split(b"\n")


def changed(**changes):
    """An entry whose event is spelled well and says something else; None takes an attribute away."""
    event = json.loads(EVENT) | changes
    said = {name: value for name, value in event.items() if value is not None}
    return making.canonical(said) + b"\n" + NOTE


def noted(note):
    return EVENT + b"\n" + note


ATTRIBUTES = sorted(set(json.loads(EVENT)) - {"refs"})
WRONG = {
    "empty": b"",
    "one line": EVENT,
    "three lines": GOOD + b"\n",
    "lines swapped": NOTE + b"\n" + EVENT,
    "no JSON": GOOD[1:],
    "a list": b"[1]\n" + NOTE,
    "a space": GOOD.replace(b'"actor":', b'"actor": ', 1),
    "a space before": b" " + GOOD,
    "a space behind": GOOD + b" ",
    "carriage return": EVENT + b"\r\n" + NOTE,
    "keys out of order": b'{"z":1,' + GOOD[1:],
    "a key twice": b'{"actor":"x",' + GOOD[1:],
    "an escape too many": GOOD.replace(b'"centre"', b'"\\u0063entre"'),
    "not UTF-8": GOOD.replace(b'"centre"', b'"\xff"'),
    "a float": changed(data={"score": 59.5}),
    "a float that is whole": changed(data={"level": 0}).replace(b'"level":0', b'"level":0.0'),
    "a deep float": changed(data={"a": [{"b": [1.5]}]}),
    "beyond 2^53": changed(data={"number": 2**53}),
    "minus zero": changed(data={}).replace(b'"data":{}', b'"data":{"a":-0}'),
    "a key beyond the plane": changed(data={"\U0001f600": 1}),
    "deep": changed(data={}).replace(b'"data":{}', b'"data":{"a":' + b"[" * 300 + b"]" * 300 + b"}"),
    "deeper": changed(data={}).replace(b'"data":{}', b'"data":{"a":' + b"[" * 9000 + b"]" * 9000 + b"}"),
    "other version": changed(specversion="1.1"),
    "version as number": changed(position="7"),
    "position 0": changed(position=0),
    "position true": changed(position=True),
    "data as text": changed(data="x"),
    "empty id": changed(id=""),
    "refs without a kind": changed(refs="candidate"),
    "refs with two spaces": changed(refs="a:b  c:d"),
    "refs with a control character": changed(refs="a:b\x7f"),
    "refs missing": changed(refs=None),
    "refs as a list": changed(refs=["a:b"]),
    "a hash in capitals": changed(previoushash="AB" * 32),
    "a short hash": changed(previoushash="ab"),
    "no note": noted(b"{}"),
    "more in the note": noted(NOTE[:-1] + b',"z":1}'),
    "a hash of half a length": noted(NOTE[:-1] + b',"unrecordable":"' + b"a" * 32 + b'"}'),
    "a hash that is spelled otherwise": noted(NOTE[:-1] + b',"unrecordable":"' + b"A" * 64 + b'"}'),
    "a link too short": noted(NOTE.replace(b"[[", b"[[1],[", 1)),
    "a link of true": noted(b'{"links":[[true,-1]],"received":"2026-04-16T01:30:00.123456Z"}'),
    "a link of 1.0": noted(b'{"links":[[1.0,-1]],"received":"2026-04-16T01:30:00.123456Z"}'),
    "a link of 01": noted(b'{"links":[[01,-1]],"received":"2026-04-16T01:30:00.123456Z"}'),
    "a link of 0": noted(b'{"links":[[0,-1]],"received":"2026-04-16T01:30:00.123456Z"}'),
    "month 13": noted(NOTE.replace(b"2026-04", b"2026-13")),
    "received in seconds": noted(NOTE.replace(b".123456Z", b"Z")),
}
WRONG |= {f"{name} missing": changed(**{name: None}) for name in ATTRIBUTES}
WRONG |= {f"{name} null": changed(**{name: []}) for name in ATTRIBUTES if name != "data"}
# what only whoever joins entries sees, when the rest is well
LEFT_TO_THE_CHAIN = {
    "refs without a kind", "refs with two spaces", "refs with a control character", "a hash in capitals",
    "a short hash",
}  # fmt: skip


def test_both_ways_find_the_same_in_good_entries():
    columns = leaf.quick(LEAVES)
    precisely = [leaf.read(each) for each in LEAVES]
    assert [leaf.Leaf(*parts) for parts in zip(*columns, strict=True)] == precisely


@pytest.mark.parametrize("spoiled", WRONG.values(), ids=WRONG)
def test_whatever_is_wrong_is_named(spoiled):
    with pytest.raises(Fault) as fault:
        leaf.read(spoiled)
    assert fault.value.english
    assert fault.value.chinese


@pytest.mark.parametrize("what", WRONG)
def test_the_quick_way_lets_nothing_wrong_through(what):
    found = leaf.quick([*LEAVES[:3], WRONG[what], *LEAVES[3:6]])
    assert (found is None) != (what in LEFT_TO_THE_CHAIN)


def test_no_entry_is_made_good_by_its_neighbour():
    """Split elsewhere, the same bytes would be two good entries."""
    first, second = LEAVES[:2]
    cut = first.index(b",")
    halves = first[:cut] + b"\n" + NOTE, first[cut + 1 :] + b"\n" + NOTE
    assert leaf.quick([*halves, second]) is None
    both = EVENT + b"," + EVENT + b"\n" + NOTE
    assert leaf.quick([both, second]) is None


def test_what_stands_in_for_an_event_has_the_hash_of_that_event():
    stand_in = noted(NOTE[:-1] + b',"unrecordable":"' + b"ab" * 32 + b'"}')
    assert leaf.read(stand_in) == leaf.read(GOOD)._replace(hash="ab" * 32, unrecordable=True)
    assert leaf.quick([GOOD, stand_in]) is None


def test_a_further_attribute_is_allowed():
    more = changed(tracestate="a=b")
    assert leaf.read(more).source
    found = leaf.quick([LEAVES[0], more])
    assert leaf.Leaf(*[parts[1] for parts in found]) == leaf.read(more)


def test_subjects_are_the_refs_and_the_actor_each_once():
    assert leaf.subjects("a:1 b:2 a:1", "x") == ["a:1", "b:2", "actor:x"]
    assert leaf.subjects("actor:x a:1", "x") == ["actor:x", "a:1"]
    assert leaf.subjects("", "x") == ["actor:x"]
    assert leaf.subjects("room:3%20a room:%2520", "x") == ["room:3 a", "room:%20", "actor:x"]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8", max_codepoint=0xFFFF)), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(codec="ascii"), max_size=5), values, max_size=4))
def test_any_data_that_has_one_spelling_is_accepted(data):
    spelled = changed(data=data)
    assert leaf.read(spelled).id == json.loads(EVENT)["id"]


@given(st.integers(0, len(GOOD) * 8 - 1))
def test_no_turned_bit_passes_for_the_same_entry(bit):
    spoiled = bytearray(GOOD)
    spoiled[bit // 8] ^= 1 << bit % 8
    try:
        found = leaf.read(bytes(spoiled))
    except Fault:
        return
    assert found != leaf.read(GOOD)
