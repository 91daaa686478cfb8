"""Signed notes, verifier keys, checkpoints and subject heads: the examples of C2SP, and what is none."""

from base64 import b64encode

import pytest

from services.audit.verifier import notes
from services.audit.verifier.words import Fault
from tests.unit.verifier import making
from tests.unit.verifier.making import LOG, ORIGIN, WITNESSES

VKEY = b"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
BEHIND_THE_SOFA = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
GOOD = making.note(f"{ORIGIN}\n12\n{ROOT}\n", LOG).encode()


def refused(reader, raw):
    with pytest.raises(Fault) as fault:
        reader(raw)
    assert fault.value.english
    assert fault.value.chinese
    return fault.value.code


def test_the_example_of_the_specification_verifies():
    key, note = notes.verifier_key(VKEY), notes.note(EXAMPLE.encode())
    [(_, signature)] = note.by([key])
    assert key.signed(note.text, signature.value)
    assert not key.signed(note.text + b" ", signature.value)


def test_the_example_checkpoint_is_read():
    found = notes.checkpoint(BEHIND_THE_SOFA.encode())
    assert (found.origin, found.size) == (b"example.com/behind-the-sofa", 20852163)
    assert [signature.name for signature in found.note.signatures][1] == b"witness.example.com/w1"
    assert found.note.signatures[0].id.hex() == "033de0ae"


def test_text_may_hold_empty_lines():
    note = notes.note(making.note("one\n\ntwo\n", LOG).encode())
    assert note.lines() == [b"one", b"", b"two"]


def test_signatures_of_others_are_ignored_even_with_a_known_name_or_id():
    note = notes.note(GOOD)
    key = notes.verifier_key(LOG.vkey.encode())
    assert len(list(note.by([key]))) == 1
    assert not list(note.by([notes.Key(b"other", key.id, 1, key.public)]))
    assert not list(note.by([notes.Key(key.name, b"1234", 1, key.public)]))


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\n", b"text\n", b"text\n\n", GOOD[:-1], GOOD + b"\n", GOOD + b"x", GOOD + b"\xff\n",
        GOOD.replace(b"\n12\n", b"\n12\r\n"), GOOD.replace("— ".encode(), b"- "),
        GOOD.replace("— ".encode(), "—  ".encode()), GOOD.replace("— jian".encode(), "— ji+an".encode()),
        GOOD[:-1] + b" \n", GOOD + "— a AAAA\n".encode(), GOOD + "— a AAAAAB==\n".encode(),
        GOOD + GOOD.splitlines(keepends=True)[-1] * 100,
    ],
)  # fmt: skip
def test_what_is_no_note_is_refused(raw):
    assert refused(notes.note, raw).startswith("note_")


def test_sixteen_signatures_are_accepted():
    note = making.note(f"{ORIGIN}\n12\n{ROOT}\n", *(making.Signer.of(f"s{n}") for n in range(16)))
    assert len(notes.note(note.encode()).signatures) == 16


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n12\n", f"{ORIGIN}\n012\n{ROOT}\n", f"{ORIGIN}\n-1\n{ROOT}\n", f"{ORIGIN}\n+1\n{ROOT}\n",
        f"{ORIGIN}\n1e3\n{ROOT}\n", f"{ORIGIN}\n１２\n{ROOT}\n", f"{ORIGIN}\n9223372036854775808\n{ROOT}\n",
        f"{ORIGIN}\n12\n{ROOT[:-1]}\n", f"{ORIGIN}\n12\n{ROOT[:-2]}J=\n", f"{ORIGIN}\n12\nAAAA\n",
        f"\n12\n{ROOT}\n", f"{ORIGIN}\n12\n{ROOT}\n\nmore\n", f"{ORIGIN}\n12\n {ROOT}\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text):
    assert refused(notes.checkpoint, making.note(text, LOG).encode()).startswith("checkpoint_")


def test_extension_lines_are_allowed_and_noticed():
    found = notes.checkpoint(making.note(f"{ORIGIN}\n12\n{ROOT}\nmore\n", LOG).encode())
    assert found.extended
    assert not notes.checkpoint(GOOD).extended


def head(text):
    return making.note(text, LOG).encode()


def test_a_subject_head_is_read():
    found = notes.head(head(f"{ORIGIN}/subject\nroom:3号 考场\n20777\n12 20103\n"))
    assert (found.subject, found.size, found.count, found.newest) == ("room:3号 考场", 20777, 12, 20103)
    assert notes.head(head(f"{ORIGIN}/subject\ncandidate:x\n0\n0 -1\n")).newest == -1


@pytest.mark.parametrize(
    "lines",
    [
        "candidate:x\n7\n1 7", "candidate:x\n7\n0 1", "candidate:x\n7\n2 -1", "candidate:x\n7\n3 1",
        "candidate:x\n7\n1", "candidate:x\n7\n01 1", "candidate:x\n7\n1 -0", "candidate\n7\n1 1",
        "candidate:x\n7\n1 1\nmore", "candidate:x\n7\n1 -2",
    ],
)  # fmt: skip
def test_what_is_no_subject_head_is_refused(lines):
    assert refused(notes.head, head(f"{ORIGIN}/subject\n{lines}\n")).startswith("head_")


def test_neither_can_pass_for_the_other():
    refused(notes.head, making.Log.of(3).checkpoint().encode())
    refused(notes.checkpoint, making.Log.of(3).head("batch:x").encode())


def test_keys_of_logs_and_witnesses_are_read():
    for signer in (LOG, *WITNESSES):
        key = notes.verifier_key(signer.vkey.encode())
        assert (key.name.decode(), key.id, key.kind, key.public) == (
            signer.name, signer.id, signer.kind, signer.public
        )  # fmt: skip


def no_keys():
    name, id, material = VKEY.split(b"+", 2)
    yield from (b"", b"+", b"++", name, name + b"+" + id, b"+" + id + b"+" + material)
    yield from (name + b"+" + id.upper() + b"+" + material, name + b"x+" + id + b"+" + material)
    yield from (b"a b+" + id + b"+" + material, name + b"+00000000+" + material, VKEY[:-1], VKEY + b"=")
    short = b64encode(b"\x01" + bytes(31))
    yield name + b"+" + id + b"+" + short


@pytest.mark.parametrize("text", list(no_keys()))
def test_what_is_no_verifier_key_is_refused(text):
    assert refused(notes.verifier_key, text).startswith("vkey")


@pytest.mark.parametrize("text", ["AA", "AA=", "AB==", "AAA=\n", " AAAA", "AA-_", "====", "AAAA===="])
def test_base64_has_one_spelling(text):
    assert notes.unbase64(text) is None
