"""Policies (C2SP tlog-policy): their rules and limits, and when a quorum is one."""

import pytest

from services.audit.verifier import notes, policy
from services.audit.verifier.words import Fault
from tests.unit.verifier import making
from tests.unit.verifier.making import LOG, NOW, ORIGIN, WITNESSES, Log, Signer

W = [f"witness w{n} {witness.vkey}" for n, witness in enumerate(WITNESSES, 1)]
MORE = [Signer.of(f"jianding.example/more-{n}", 4) for n in range(6)]
ROTATED = Signer.of(ORIGIN, salt="new")
NESTED = "\n".join(
    [
        f"log {LOG.vkey}",
        *(f"witness {name} {signer.vkey}" for name, signer in zip("abcdef", MORE, strict=True)),
        "group first 2 a b c", "group second any d e f", "group both all first second", "quorum both",
    ]
)  # fmt: skip


def parsed(*lines):
    return policy.parse("".join(f"{line}\n" for line in lines).encode())


def signed(trusted, *signers, time=NOW, now=NOW):
    checkpoint = notes.checkpoint(Log.of(3).checkpoint(*signers, time=time).encode())
    return policy.signers(trusted, checkpoint, now)


@pytest.mark.parametrize(
    ("names", "met"),
    [
        ("abd", True),
        ("acf", True),
        ("abcdef", True),
        ("ad", False),
        ("abc", False),
        ("def", False),
        ("", False),
    ],
)
def test_groups_nest(names, met):
    assert policy.parse(NESTED.encode()).satisfied({name.encode() for name in names}) is met


def test_none_asks_for_nobody():
    assert parsed("quorum none").satisfied(set())
    assert not parsed("quorum none").asks_for_witnesses


def test_a_witness_can_be_the_quorum():
    trusted = parsed(*W, "quorum w2")
    assert trusted.satisfied({b"w2"})
    assert not trusted.satisfied({b"w1", b"w3"})


def test_blanks_comments_urls_and_other_octets_are_allowed():
    trusted = policy.parse(
        b"# \xe6\xb3\xa8\n\n \t \n\tlog  " + LOG.vkey.encode() + b" \thttps://log.example/ \n"
        b"witness \xff\xfe " + WITNESSES[0].vkey.encode() + b" https://w.example/\n quorum \xff\xfe"
    )
    assert trusted.quorum == b"\xff\xfe"


def test_thirty_two_of_everything_are_supported():
    lines = [f"log {Signer.of(f'log-{n}').vkey}" for n in range(32)]
    lines += [f"witness w{n} {Signer.of(f'w-{n}', 4).vkey}" for n in range(32)]
    lines += [f"group g{n} all w{n}" + (f" g{n - 1}" if n else "") for n in range(32)]
    assert parsed(*lines, "quorum g31").satisfied({f"w{n}".encode() for n in range(32)})


@pytest.mark.parametrize(
    "lines",
    [
        [], ["# nothing"], ["quorum"], ["quorum w1"], ["quorum none none"], ["quorum none", "quorum none"],
        ["quorum none", *W, "quorum w1"], ["quorums none"], ["log", "quorum none"],
        [f"log {LOG.vkey} https://a.example/ more", "quorum none"],
        [f"log {LOG.vkey}", f"log {LOG.vkey}", "quorum none"],
        [f"log {WITNESSES[0].vkey}", "quorum none"], [f"witness w {LOG.vkey}", "quorum none"],
        [*W, W[0], "quorum none"], [W[0], f"witness other {WITNESSES[0].vkey}", "quorum none"],
        [f"witness none {WITNESSES[0].vkey}", "quorum none"], [*W, "group g any", "quorum none"],
        [*W, "group g 0 w1", "quorum g"], [*W, "group g 2 w1", "quorum g"], [*W, "group g 01 w1", "quorum g"],
        [*W, "group g +1 w1", "quorum g"], [*W, "group g -1 w1", "quorum g"],
        [*W, "group g Any w1", "quorum g"],
        [*W, "group g any none", "quorum g"], [*W, "group g any w9", "quorum g"],
        [*W, "group w1 any w2", "quorum w1"], [*W, "group g any g", "quorum g"],
        [*W, "group g any h", "group h any w1", "quorum g"], [*W, "group g 2 w1 w1", "quorum g"],
        [*W, "group g any w1", "group h any w1", "quorum h"], ["quorum w1", *W], ["quorum none\r"],
        ["# \x00", "quorum none"], ["# \x7f", "quorum none"], ["group none any w1", "quorum none"],
        [*(f"group g{n} any w{n}" for n in range(2)), "quorum none"],
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused(lines):
    with pytest.raises(Fault) as fault:
        parsed(*lines)
    assert fault.value.english
    assert fault.value.chinese


def test_the_same_key_under_another_name_is_the_same_key():
    copy = Signer("jianding.example/copy", 4, WITNESSES[0].secret)
    with pytest.raises(Fault, match="policy_line"):
        parsed(W[0], f"witness copy {copy.vkey}", "quorum none")


def test_both_keys_of_a_log_count_while_they_overlap():
    trusted = policy.parse(making.policy(logs=(LOG, ROTATED)).encode())
    for signers in ((LOG,), (ROTATED,), (LOG, ROTATED)):
        assert len(signed(trusted, *signers, *WITNESSES).logs) == len(signers)


def test_a_log_key_of_another_origin_does_not_count():
    other = Signer.of("jianding.example/other/audit")
    assert not signed(policy.parse(making.policy(logs=(other,)).encode()), other).logs


def test_cosignatures_are_of_their_own_kind():
    trusted = policy.parse(making.policy().encode())
    as_log = Signer(WITNESSES[0].name, 1, WITNESSES[0].secret)
    assert not signed(trusted, LOG, as_log).witnesses
    assert signed(trusted, LOG, *WITNESSES).witnesses == {b"w1": NOW, b"w2": NOW, b"w3": NOW}


def test_a_signature_of_a_known_key_that_is_none_is_told():
    trusted = policy.parse(making.policy().encode())
    raw = Log.of(3).checkpoint().replace("\n3\n", "\n4\n")
    found = policy.signers(trusted, notes.checkpoint(raw.encode()), NOW)
    assert len(found.wrong) == 4
    assert not found.logs
    assert not found.witnesses


@pytest.mark.parametrize(("ahead", "counts"), [(0, True), (300, True), (301, False)])
def test_a_cosignature_from_the_future_does_not_count(ahead, counts):
    trusted = policy.parse(making.policy().encode())
    found = signed(trusted, LOG, *WITNESSES, time=NOW + ahead)
    assert bool(found.witnesses) is counts
    assert bool(found.future) is not counts


def test_of_two_cosignatures_of_a_witness_the_newer_one_counts():
    trusted = policy.parse(making.policy().encode())
    text = Log.of(3).checkpoint().partition("\n\n")[0] + "\n"
    raw = making.note(text, LOG) + WITNESSES[0].line(text, NOW - 9) + WITNESSES[0].line(text, NOW - 50)
    assert policy.signers(trusted, notes.checkpoint(raw.encode()), NOW).witnesses == {b"w1": NOW - 9}
