"""A leaf is the event byte for byte and audit's note, in one spelling."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.leaf import LONGEST, NoLeaf, TooLong, decode, encode, subjects_of
from shared.wire.canonical import canonical

AT = "2026-04-16T01:30:00.123456Z"
links = st.lists(st.tuples(st.integers(1, 10**15 - 1), st.integers(-1, 10**15 - 1)))


class About:
    def __init__(self, *refs: tuple[str, str], actor: str = "Shi") -> None:
        self.refs = list(refs)
        self.actor = (actor, "examiner", "centre")


def test_the_bytes_are_those_that_the_formats_show() -> None:
    leaf = encode(b'{"actor":"x"}', [(3, 41), (1, -1), (17, 44)], AT)
    assert (
        leaf == b'{"actor":"x"}\n{"links":[[3,41],[1,-1],[17,44]],"received":"2026-04-16T01:30:00.123456Z"}'
    )


@given(st.text().map(lambda text: canonical({"said": text})), links)
def test_what_was_encoded_is_decoded_and_the_note_is_canonical(
    sealed: bytes, pairs: list[tuple[int, int]]
) -> None:
    leaf = encode(sealed, pairs, AT)
    assert decode(leaf) == (sealed, pairs, AT)
    note = leaf.partition(b"\n")[2]
    assert note == canonical(json.loads(note))


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"links":[],"received":"2026-04-16"}',
        b'{"links":[],"received":7}',
        b'{"links":[], "received":"%b"}' % AT.encode(),
        b'{"links":[],"received":"%b"}\n' % AT.encode(),
        b'{"links":[],"received":"%b","x":1}' % AT.encode(),
        b'{"received":"%b","links":[]}' % AT.encode(),
        b'{"links":[[1,-1,0]],"received":"%b"}' % AT.encode(),
        b'{"links":[[0,-1]],"received":"%b"}' % AT.encode(),
        b'{"links":[[1,-2]],"received":"%b"}' % AT.encode(),
        b'{"links":[[1.0,-1]],"received":"%b"}' % AT.encode(),
        b'{"links":[[true,-1]],"received":"%b"}' % AT.encode(),
        b'{"links":{"1":2},"received":"%b"}' % AT.encode(),
        b'{"links":null,"received":"%b"}' % AT.encode(),
        b"\xff",
        b"[" * 5000,
    ],
)
def test_any_other_note_is_none(note: bytes) -> None:
    with pytest.raises(NoLeaf):
        decode(b"{}\n" + note)


def test_bytes_without_a_note_are_no_leaf() -> None:
    with pytest.raises(NoLeaf):
        decode(b'{"actor":"x"}')


def test_a_leaf_has_a_largest_size() -> None:
    rest = len(encode(b"", [], AT))
    assert len(encode(b"x" * (LONGEST - rest), [], AT)) == LONGEST
    with pytest.raises(TooLong):
        encode(b"x" * (LONGEST - rest + 1), [], AT)


@pytest.mark.parametrize("received", ["", "2026-04-16T01:30:00Z", AT + "\n", "2026-04-16 01:30:00.123456Z"])
def test_a_moment_has_one_spelling(received: str) -> None:
    with pytest.raises(ValueError, match="received"):
        encode(b"{}", [], received)


def test_subjects_are_the_refs_in_their_order_each_once_and_then_who_acted() -> None:
    about = About(("candidate", "Hua"), ("batch", "b"), ("candidate", "Hua"))
    assert subjects_of(about) == [("candidate", "Hua"), ("batch", "b"), ("actor", "Shi")]
    assert subjects_of(About(("actor", "Shi"), ("batch", "b"))) == [("actor", "Shi"), ("batch", "b")]
    assert subjects_of(About(("examiner", "Shi"))) == [("examiner", "Shi"), ("actor", "Shi")]
