"""Signed notes: the examples of C2SP, what is refused, and input of any kind."""

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.checkpoints import Checkpoint, SubjectHead
from services.audit.domain.notes import (
    LOG,
    WITNESS,
    Malformed,
    Note,
    NotSigned,
    PrivateKey,
    Signature,
    Verifier,
)

FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
MESSAGE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
POEM = """Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""  # noqa: E501
COSIGNED = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501
TEXT = "a.example/log\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
OURS = PrivateKey.seeded("a.example/log", LOG, bytes(32))
THEIRS = PrivateKey.seeded("w.example/1", WITNESS, b"\x01" * 32)


def test_the_example_of_the_specification_is_signed_by_its_key() -> None:
    assert Note.parse(MESSAGE).signed_by([Verifier.parse(FOO)]) == {Verifier.parse(FOO): 0}


@pytest.mark.parametrize("note", [MESSAGE, POEM, COSIGNED])
def test_a_note_is_spelled_as_it_was_read(note: str) -> None:
    assert str(Note.parse(note)) == note
    assert str(Note.parse(note.encode())) == note


def test_empty_lines_belong_to_the_text_but_for_the_last() -> None:
    assert Note.parse(POEM).text.endswith("sole:\n\ned è subito sera.\n")


def test_the_example_of_a_checkpoint_is_read_with_both_signatures() -> None:
    note = Note.parse(COSIGNED)
    found = Checkpoint.parse(note.text)
    assert (found.origin, found.size, len(note.signatures)) == ("example.com/behind-the-sofa", 20852163, 2)
    assert found.text == note.text
    assert int.from_bytes(note.signatures[1].content[:8], "big") == 1679315147


def test_a_cosignature_signs_the_words_of_the_specification() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    signature = THEIRS.sign(TEXT, 1679315147)
    said = f"cosignature/v1\ntime 1679315147\n{TEXT}".encode()
    Ed25519PublicKey.from_public_bytes(THEIRS.verifier.key).verify(signature.content[8:], said)
    assert THEIRS.verifier.verify(TEXT, signature) == 1679315147


def test_a_public_key_is_spelled_as_it_was_read() -> None:
    assert str(Verifier.parse(FOO)) == FOO
    for key in (OURS, THEIRS):
        assert Verifier.parse(str(key.verifier)) == key.verifier


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        FOO.replace("530d903a", "530d903b"),
        FOO.replace("530d903a", "530D903A"),
        FOO.replace("example.com/foo", "example.com/bar"),
        FOO.replace("example.com/foo", "example .com/foo"),
        FOO.removesuffix("k") + "l",
        FOO + "=",
        FOO + "AA",
        str(Verifier("a.example/log", 2, bytes(32))),
        str(Verifier("a.example/log", 6, bytes(32))),
        str(Verifier("", LOG, bytes(32))),
        str(Verifier("a\u2003b", LOG, bytes(32))),
    ],
)
def test_what_is_no_public_key_of_ours_is_refused(vkey: str) -> None:
    with pytest.raises(Malformed):
        Verifier.parse(vkey)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "text\n",
        "text\n\n",
        "text — a AAAAAAAA\n",
        MESSAGE.removesuffix("\n"),
        MESSAGE + "\n",
        MESSAGE.replace("— ", "- "),
        MESSAGE.replace("— ", "—"),
        MESSAGE.replace("example.com/foo", "example.com/f+o"),
        MESSAGE.replace("aQM=", "aQM"),
        MESSAGE.replace("aQM=", "aQN="),
        MESSAGE.replace("This", "Th\tis"),
        MESSAGE.replace("This", "Th\ris"),
        "text\n\n— a.example AAAA\n",
        "text\n\n" + "— a.example AAAAAAAAAA==\n" * 65,
    ],
)
def test_what_is_no_signed_note_is_refused(note: str) -> None:
    with pytest.raises(Malformed):
        Note.parse(note)


def test_sixteen_signatures_are_not_too_many() -> None:
    assert len(Note.parse("text\n\n" + "— a.example AAAAAAAAAA==\n" * 16).signatures) == 16


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Malformed):
        Note.parse(MESSAGE.encode().replace(b"This", b"\xff"))
    with pytest.raises(Malformed):
        Note.parse(MESSAGE.replace("This", "\ud800"))


def test_signatures_of_unknown_keys_are_ignored_even_under_a_known_name() -> None:
    stranger = PrivateKey.seeded("a.example/log", LOG, b"\x07" * 32)
    note = Note(TEXT, (stranger.sign(TEXT), OURS.sign(TEXT)))
    assert note.signed_by([OURS.verifier]) == {OURS.verifier: 0}
    assert note.signed_by([THEIRS.verifier]) == {}


def test_a_wrong_signature_in_the_name_of_a_known_key_spoils_the_note() -> None:
    forged = Signature(OURS.name, OURS.verifier.id, bytes(64))
    for signatures in ((forged,), (OURS.sign(TEXT), forged), (forged, OURS.sign(TEXT))):
        with pytest.raises(NotSigned):
            Note(TEXT, signatures).signed_by([OURS.verifier])


@pytest.mark.parametrize("place", [0, 4, 12, 75])
def test_a_cosignature_with_another_byte_is_none(place: int) -> None:
    signature = THEIRS.sign(TEXT, 1)
    raw = bytearray(signature.id + signature.content)
    raw[place] ^= 1
    changed = Signature(THEIRS.name, bytes(raw[:4]), bytes(raw[4:]))
    note = Note(TEXT, (changed,))
    if place < 4:  # then it is somebody else's
        assert note.signed_by([THEIRS.verifier]) == {}
        return
    with pytest.raises(NotSigned):
        note.signed_by([THEIRS.verifier])


def test_a_time_beyond_all_times_is_refused() -> None:
    signature = THEIRS.sign(TEXT, 2**63)
    with pytest.raises(NotSigned):
        THEIRS.verifier.verify(TEXT, signature)


def test_of_each_key_the_newest_signature_counts() -> None:
    note = Note(TEXT, (OURS.sign(TEXT), THEIRS.sign(TEXT, 1))).with_signatures([THEIRS.sign(TEXT, 2)])
    assert note.signed_by([THEIRS.verifier]) == {THEIRS.verifier: 2}
    assert len(note.signatures) == 2


def test_a_private_key_does_not_show_itself() -> None:
    assert "Key(" in repr(OURS)
    assert "0x" not in repr(OURS)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reading_of_a_note(said: bytes) -> None:
    with pytest.raises(Malformed):
        Note.parse(said)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading_of_a_key(said: str) -> None:
    with pytest.raises(Malformed):
        Verifier.parse(said)


@given(st.text(max_size=100).map(lambda text: f"{text}\n"), st.binary(min_size=32, max_size=32))
def test_whatever_can_be_signed_is_read_back_and_verifies(text: str, seed: bytes) -> None:
    key = PrivateKey.seeded("a.example/log", LOG, seed)
    try:
        note = Note(text, (key.sign(text),))
        found = Note.parse(str(note))
    except (Malformed, UnicodeEncodeError):
        assert any((c < " " and c != "\n") or "\ud800" <= c <= "\udfff" for c in text)
    else:
        assert found == note
        assert found.signed_by([key.verifier]) == {key.verifier: 0}


@given(st.integers(0, len(MESSAGE.encode()) - 1), st.integers(1, 255))
def test_one_changed_byte_is_never_accepted(place: int, by: int) -> None:
    raw = bytearray(MESSAGE.encode())
    raw[place] ^= by
    try:
        accepted = Note.parse(bytes(raw)).signed_by([Verifier.parse(FOO)])
    except ValueError:
        return
    assert not accepted


# -- checkpoints and subject heads


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n5\n",
        "a\n5\nAAAA\n",
        TEXT.removesuffix("\n"),
        TEXT.replace("\n5\n", "\n05\n"),
        TEXT.replace("\n5\n", "\n+5\n"),
        TEXT.replace("\n5\n", "\n-5\n"),
        TEXT.replace("\n5\n", "\n5 \n"),
        TEXT.replace("\n5\n", "\n٥\n"),
        TEXT.replace("\n5\n", f"\n{2**63}\n"),
        TEXT.replace("a.example/log", ""),
        TEXT.replace("q2I=", "q2J="),
        TEXT + "\n",
        TEXT + "more\n\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Checkpoint.parse(text)


def test_extension_lines_are_kept() -> None:
    assert Checkpoint.parse(TEXT + "more\nlines\n").text == TEXT + "more\nlines\n"


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_as_it_is_spelled(size: int, root: bytes) -> None:
    checkpoint = Checkpoint("a.example/log", size, root)
    assert Checkpoint.parse(checkpoint.text) == checkpoint


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading_of_what_a_log_signs(said: str) -> None:
    for kind in (Checkpoint, SubjectHead):
        with pytest.raises(Malformed):
            kind.parse(said)


@pytest.mark.parametrize(("number", "index"), [(0, -1), (1, 0), (1, 19), (12, 11), (20, 19)])
def test_a_subject_head_is_read_as_it_is_spelled(number: int, index: int) -> None:
    head = SubjectHead("a.example/log", "candidate:李", 20, number, index)
    assert SubjectHead.parse(head.text) == head


@pytest.mark.parametrize(
    ("number", "index"), [(0, 0), (1, -1), (1, 20), (12, 10), (21, 20), (-1, -1), (1, -2)]
)
def test_a_subject_head_that_cannot_be_true_is_refused(number: int, index: int) -> None:
    with pytest.raises(Malformed):
        _ = SubjectHead("a.example/log", "candidate:a", 20, number, index).text
    with pytest.raises(Malformed):
        SubjectHead.parse(f"a.example/log/subject\ncandidate:a\n20\n{number} {index}\n")


def test_a_subject_cannot_add_lines_to_what_is_signed() -> None:
    with pytest.raises(Malformed):
        _ = SubjectHead("a.example/log", "candidate:a\n20\n1 1\n", 20, 0, -1).text


def test_no_checkpoint_is_a_subject_head_nor_the_other_way_round() -> None:
    with pytest.raises(Malformed):
        SubjectHead.parse(TEXT)
    with pytest.raises(Malformed):
        Checkpoint.parse(SubjectHead("a.example/log", "candidate:a", 20, 0, -1).text)


def test_the_id_of_a_key_is_in_its_signature_lines() -> None:
    line = OURS.sign(TEXT).line
    assert line.startswith("— a.example/log ")
    raw = b64decode(line.split(" ")[2])
    assert raw[:4] == OURS.verifier.id
    assert b64encode(raw).decode() + "\n" == line.split(" ")[2]
