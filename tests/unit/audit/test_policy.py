"""Trust policies: the format of C2SP tlog-policy, quorums, and input of any kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.notes import LOG, WITNESS, Malformed, Note, NotSigned, PrivateKey
from services.audit.domain.policy import Log, Policy, QuorumMissing, Witness, trusting, two_thirds

OURS = PrivateKey.seeded("a.example/log", LOG, bytes(32))
NEXT = PrivateKey.seeded("a.example/log", LOG, b"\xaa" * 32)
WITNESSES = {
    name: PrivateKey.seeded(f"{name}.example", WITNESS, bytes([number]) * 32)
    for number, name in enumerate(("X1", "X2", "X3", "Y1", "Y2", "Y3"), 1)
}
LINES = "".join(f"witness {name} {key.verifier}\n" for name, key in WITNESSES.items())
EXAMPLE = f"""
# the example of the specification, with its two levels of groups
log {OURS.verifier}

{LINES}
group X-witnesses 2 X1 X2 X3
group Y-witnesses any Y1 Y2 Y3
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
TEXT = Checkpoint("a.example/log", 5, bytes(32)).text


def policy(text: str = EXAMPLE) -> Policy:
    return Policy.parse(text.encode())


def note(*names: str, key: PrivateKey = OURS) -> Note:
    return Note(TEXT, (key.sign(TEXT), *(WITNESSES[name].sign(TEXT, 7) for name in names)))


@pytest.mark.parametrize(
    ("names", "enough"),
    [
        ("X1 X2 Y1", True),
        ("X1 X3 Y3", True),
        ("X1 X2 X3 Y1 Y2 Y3", True),
        ("X1 Y1 Y2 Y3", False),
        ("X1 X2 X3", False),
        ("", False),
    ],
)
def test_the_example_of_the_specification_asks_for_two_and_one(names: str, enough: bool) -> None:
    if enough:
        assert policy().judge(note(*names.split())) == dict.fromkeys(names.split(), 7)
    else:
        with pytest.raises(QuorumMissing):
            policy().judge(note(*names.split()))


def test_without_the_log_no_witness_counts() -> None:
    stranger = PrivateKey.seeded("a.example/log", LOG, b"\x99" * 32)
    with pytest.raises(NotSigned):
        policy().judge(note("X1", "X2", "Y1", key=stranger))


def test_a_log_of_another_name_is_not_ours() -> None:
    other = Checkpoint("b.example/log", 5, bytes(32)).text
    with pytest.raises(NotSigned):
        policy().judge(Note(other, (OURS.sign(other),)))


def test_while_a_key_is_changed_either_is_enough() -> None:
    both = policy(EXAMPLE.replace("log ", f"log {NEXT.verifier}\nlog ", 1))
    for key in (OURS, NEXT):
        both.judge(note("X1", "X2", "Y1", key=key))


def test_quorum_none_asks_for_no_witness() -> None:
    assert policy(f"log {OURS.verifier}\nquorum none\n").judge(note()) == {}


def test_one_witness_can_be_the_quorum() -> None:
    one = policy(f"log {OURS.verifier}\n{LINES}quorum X2\n")
    assert one.judge(note("X2")) == {"X2": 7}
    with pytest.raises(QuorumMissing):
        one.judge(note("X1", "X3"))


def test_tabs_spaces_comments_and_urls_are_read() -> None:
    text = f"\t log\t {OURS.verifier}  https://a.example/ \n  # nothing\n\nquorum\tnone \n"
    assert policy(text).logs == (Log(OURS.verifier, "https://a.example/"),)


def test_names_are_octets_whatever_they_mean() -> None:
    raw = f"witness K {WITNESSES['X1'].verifier}\nwitness ".encode() + b"\xff\xe2\x84\xaa "
    raw += f"{WITNESSES['X2'].verifier}\nquorum K\n".encode()
    found = Policy.parse(raw)
    assert len(found.witnesses) == 2
    assert Policy.parse(found.text.encode(errors="surrogateescape")) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"log {OURS.verifier}\n",
        "quorum none\nquorum none\n",
        "quorum\n",
        "quorum somebody\n",
        "witness none\n",
        f"log {OURS.verifier}\nlog {OURS.verifier}\nquorum none\n",
        f"log {WITNESSES['X1'].verifier}\nquorum none\n",
        f"witness a {OURS.verifier}\nquorum none\n",
        f"witness none {WITNESSES['X1'].verifier}\nquorum none\n",
        f"witness a {WITNESSES['X1'].verifier}\nwitness a {WITNESSES['X2'].verifier}\nquorum none\n",
        f"witness a {WITNESSES['X1'].verifier}\nwitness b {WITNESSES['X1'].verifier}\nquorum none\n",
        f"log {OURS.verifier} a b\nquorum none\n",
        f"{LINES}group g 0 X1\nquorum g\n",
        f"{LINES}group g 2 X1\nquorum g\n",
        f"{LINES}group g 01 X1\nquorum g\n",
        f"{LINES}group g some X1\nquorum g\n",
        f"{LINES}group g any\nquorum g\n",
        f"{LINES}group g any X1 X1\nquorum g\n",
        f"{LINES}group g any none\nquorum g\n",
        f"{LINES}group g any h\ngroup h any X1\nquorum g\n",
        f"{LINES}group g any g\nquorum g\n",
        f"{LINES}group g any X1\ngroup h any X1\nquorum g\n",
        f"{LINES}group X1 any X2\nquorum X1\n",
        "quorum none\r\n",
        "quorum none\x00\n",
        "quorum none\nlgo x\n",
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        policy(text)


def test_the_line_that_cannot_be_is_named() -> None:
    with pytest.raises(Malformed, match=r"^line 2: "):
        policy("# ours\nlgo x\nquorum none\n")


@pytest.mark.parametrize(("count", "quorum"), [(1, 1), (2, 2), (3, 3), (4, 3), (6, 5), (7, 5), (10, 7)])
def test_a_quorum_of_more_than_two_thirds(count: int, quorum: int) -> None:
    witnesses = [
        Witness(str(n), PrivateKey.seeded("w", WITNESS, bytes([n]) * 32).verifier) for n in range(count)
    ]
    ours = trusting([Log(OURS.verifier)], witnesses)
    assert two_thirds(count) == quorum
    assert ours.least == (quorum, count)
    assert ours.enough(str(n) for n in range(quorum))
    assert not ours.enough(str(n) for n in range(quorum - 1))
    assert Policy.parse(ours.text.encode()) == ours


def test_the_fewest_witnesses_of_a_quorum_are_counted_through_groups() -> None:
    assert policy().least == (3, 6)
    assert policy(f"{LINES}quorum none\n").least == (0, 6)


def test_without_witnesses_there_is_no_quorum() -> None:
    assert trusting([Log(OURS.verifier)], []).text == f"log {OURS.verifier}\nquorum none\n"


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reading(said: bytes) -> None:
    with pytest.raises(Malformed):
        Policy.parse(said)


WORDS = st.sampled_from(
    ["log", "witness", "group", "quorum", "none", "any", "all", "1", "2", "a", "b", "#", "\n", "\t", " ",
     str(OURS.verifier), str(WITNESSES["X1"].verifier), str(WITNESSES["X2"].verifier)]
)  # fmt: skip


@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_whatever_is_read_is_read_the_same_from_its_own_spelling(said: str) -> None:
    try:
        found = policy(said)
    except Malformed:
        return
    assert Policy.parse(found.text.encode()) == found
    assert found.enough(witness.name for witness in found.witnesses)
