"""Trail bundles: proven entries, and none of them left out."""

import json
import signal
from base64 import b64decode, b64encode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.audit.verifier import bundle, cli, policy
from services.audit.verifier.verdict import Verdict
from tests.unit.verifier import making
from tests.unit.verifier.making import LOG, ORIGIN, WITNESSES, Log, Signer, an_id
from tests.unit.verifier.spoiling import flips, of_bundle

LOG_OF_90 = Log.of(90)
CANDIDATE, BATCH = f"candidate:{an_id('candidate', 3)}", f"batch:{an_id('batch', 1)}"
ROOM = "room:3号 考场"


@pytest.fixture
def said():
    """The trail of a candidate and of a batch, to spoil."""
    return LOG_OF_90.bundle(CANDIDATE, BATCH)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "trail.json"


def codes(verdict):
    return [problem.fault.code for problem in verdict.told()[0]]


def test_a_good_trail_is_valid(file, said):
    verdict = of_bundle(file, said)
    assert (verdict.name, verdict.index, verdict.size, verdict.exit_code) == ("valid", None, 90, 0)
    assert verdict.subjects == [CANDIDATE, BATCH]
    assert len(verdict.cosigned_by) == 3


def test_a_subject_without_entries_has_an_empty_trail(file):
    assert of_bundle(file, LOG_OF_90.bundle("candidate:nobody")).name == "valid"


def test_a_subject_with_a_space_is_meant_by_both_spellings(file):
    said = LOG_OF_90.bundle(ROOM)
    assert of_bundle(file, said).name == "valid"
    as_in_refs = LOG_OF_90.head(ROOM).partition("\n\n")[0].replace("号 考", "号%20考") + "\n"
    said["heads"] = [making.note(as_in_refs, LOG)]
    assert of_bundle(file, said).name == "valid"


def test_a_trail_of_actors_is_one(file):
    assert of_bundle(file, LOG_OF_90.bundle(f"actor:{an_id('actor', 2)}")).name == "valid"


def test_every_removed_entry_is_named(file, said):
    for place, entry in enumerate(said["entries"]):
        less = said | {"entries": said["entries"][:place] + said["entries"][place + 1 :]}
        verdict = of_bundle(file, less)
        assert (verdict.name, verdict.index, verdict.exit_code) == ("incomplete", entry["index"], 3)


def test_a_removed_beginning_is_named_by_its_last(file, said):
    mine = [entry["index"] for entry in LOG_OF_90.bundle(BATCH)["entries"]]
    only = LOG_OF_90.bundle(BATCH)
    only["entries"] = only["entries"][4:]
    verdict = of_bundle(file, only)
    assert (verdict.name, verdict.index) == ("incomplete", mine[3])


def test_no_entries_at_all_are_too_few(file, said):
    verdict = of_bundle(file, said | {"entries": []})
    assert verdict.name == "incomplete"
    assert verdict.index == min(head_of(CANDIDATE), head_of(BATCH))


def head_of(subject):
    return max(at for at, about in enumerate(LOG_OF_90.about) if subject in about)


def test_every_changed_entry_is_named(file, said):
    for entry in said["entries"]:
        leaf = entry["leaf"]
        entry["leaf"] = b64encode(b64decode(leaf).replace(b'"centre"', b'"center"')).decode()
        verdict = of_bundle(file, said)
        assert (verdict.name, verdict.index, codes(verdict)) == ("tampered", entry["index"], ["proof"])
        entry["leaf"] = leaf


def test_a_spoiled_proof_or_index_is_named(file, said):
    entry = said["entries"][2]
    proof = entry["proof"]
    for wrong in (proof[:-1], [*proof, proof[0]], proof[::-1], []):
        entry["proof"] = wrong
        assert (of_bundle(file, said).name, of_bundle(file, said).index) == ("tampered", entry["index"])
    entry["proof"] = proof
    said["entries"][-1]["index"] = 2**60
    assert (of_bundle(file, said).name, of_bundle(file, said).index) == ("tampered", 2**60)


def test_an_entry_of_somebody_else_does_not_belong(file, said):
    other = next(
        entry
        for entry in LOG_OF_90.bundle(f"candidate:{an_id('candidate', 1)}")["entries"]
        if entry["index"] < 10
    )
    said["entries"].insert(0, other)
    verdict = of_bundle(file, said)
    assert (verdict.name, verdict.index, codes(verdict)) == ("incomplete", other["index"], ["trail_stray"])


def test_a_trail_needs_the_heads_of_its_entries(file, said):
    assert of_bundle(file, said | {"heads": said["heads"][:1]}).name == "incomplete"
    verdict = of_bundle(file, said | {"heads": [], "entries": []})
    assert (verdict.name, codes(verdict)) == ("incomplete", ["trail_nobody"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{o}/subject\n{c}\n90\n2 18\n", "trail_unlinked"),  # fewer than there are
        ("{o}/subject\n{c}\n91\n5 19\n", "head_size"),
        ("other.example/subject\n{c}\n90\n5 19\n", "head_origin"),
        ("{o}/subject\n{c}\n90\n4 19\n", "trail_number"),
    ],
)
def test_heads_that_contradict_the_log_prove_a_lie(file, said, text, code):
    said["heads"][0] = making.note(text.format(o=ORIGIN, c=CANDIDATE), LOG)
    verdict = of_bundle(file, said)
    assert verdict.name == "tampered"
    assert code in codes(verdict)


def test_a_head_that_promises_more_than_there_is_leaves_a_gap(file, said):
    said["heads"][0] = making.note(f"{ORIGIN}/subject\n{CANDIDATE}\n90\n6 40\n", LOG)
    verdict = of_bundle(file, said)
    assert (verdict.name, verdict.index) == ("incomplete", 40)


def test_heads_are_signed_by_the_log(file, said):
    text = said["heads"][0].partition("\n\n")[0] + "\n"
    for signer in (WITNESSES[0], Signer.of("jianding.example/other")):
        said["heads"][0] = making.note(text, signer)
        assert "head_unsigned" in codes(of_bundle(file, said))
    said["heads"][0] = making.note(text, LOG).replace(f"{CANDIDATE}\n90\n", f"{CANDIDATE}\n91\n")
    assert "signature_wrong" in codes(of_bundle(file, said))


# -- what it is about


def without(said, subject, *, entries=True):
    """The bundle without a subject's head, and without the entries that only this one has."""
    heads = [head for head in said["heads"] if head.split("\n")[1] != subject]
    left = {head.split("\n")[1] for head in heads}
    kept = [entry for entry in said["entries"] if left & set(LOG_OF_90.about[entry["index"]])]
    return said | {"heads": heads, "entries": kept if entries else said["entries"]}


def test_a_head_that_was_cut_out_with_its_entries_is_missed(file, said):
    about_batch = LOG_OF_90.bundle(CANDIDATE, BATCH, about=BATCH)
    verdict = of_bundle(file, without(about_batch, BATCH))
    assert (verdict.name, verdict.index, codes(verdict)) == ("incomplete", None, ["trail_headless"])
    assert of_bundle(file, without(said, BATCH)).name == "valid"


def test_who_was_promised_something_asks_for_it(file, said):
    cut = without(said, BATCH)
    assert of_bundle(file, cut, about=CANDIDATE).name == "valid"
    verdict = of_bundle(file, cut, about=BATCH)
    assert (verdict.name, codes(verdict), verdict.about) == (
        "incomplete", ["trail_headless"], [CANDIDATE, BATCH],
    )  # fmt: skip
    assert of_bundle(file, said, about=BATCH).name == "valid"


def test_the_verdict_says_what_is_covered(file, said):
    verdict = of_bundle(file, said)
    assert [(note.code, note.values) for note in verdict.notes] == [
        ("trail_about", {"about": CANDIDATE, "size": 90})
    ]
    assert of_bundle(file, said, about=CANDIDATE).as_data()["about"] == [CANDIDATE]


def test_a_bundle_of_the_older_format_is_read_and_says_less(file, said):
    older = {name: value for name, value in said.items() if name != "about"}
    verdict = of_bundle(file, older | {"format": "jianding-trail/1"})
    assert (verdict.name, [note.code for note in verdict.notes]) == ("valid", ["trail_unsaid"])
    assert of_bundle(file, older).name == "unreadable"


def test_an_examiners_trail_is_that_of_what_he_did_too(file):
    log = Log()
    for at in range(4):
        log.add(log.event(making.SOURCES[0], ["examiner:Shi"][: at % 2], "Shi"))
    whole = log.bundle("examiner:Shi", "actor:Shi")
    assert of_bundle(file, whole).name == "valid"
    verdict = of_bundle(file, log.bundle("examiner:Shi"))
    assert (verdict.name, codes(verdict)) == ("incomplete", ["trail_headless"])


def test_a_certificates_trail_is_that_of_the_applications_that_its_entries_name(file):
    log = Log()
    for refs in (["application:a"], ["application:a", "certificate:9"], ["application:b"], ["certificate:9"]):
        log.add(log.event(making.SOURCES[0], refs, "Gao"))
    assert of_bundle(file, log.bundle("certificate:9", "application:a")).name == "valid"
    verdict = of_bundle(file, log.bundle("certificate:9"))
    assert (verdict.name, codes(verdict)) == ("incomplete", ["trail_headless"])
    assert "application:a" in verdict.problems[0].fault.english


def test_a_subject_has_one_head(file, said):
    said["heads"].append(said["heads"][0])
    assert "head_twice" in codes(of_bundle(file, said))


def test_a_checkpoint_that_nobody_has_witnessed_is_told(file, said):
    said["checkpoint"] = LOG_OF_90.checkpoint(LOG, WITNESSES[0])
    assert of_bundle(file, said).name == "unwitnessed"
    assert of_bundle(file, said, making.policy("any")).name == "valid"


@pytest.mark.parametrize(
    "change",
    [
        {"format": "jianding-trail/3"}, {"format": None}, {"about": ""}, {"about": 1},
        {"about": "nobody"}, {"checkpoint": 1}, {"checkpoint": None},
        {"heads": {}},
        {"heads": [1]}, {"entries": None}, {"entries": [1]}, {"more": 1}, {"entries": [{"index": 0}]},
        {"entries": [{"index": -1, "leaf": "", "proof": []}]},
        {"entries": [{"index": True, "leaf": "", "proof": []}]},
        {"entries": [{"index": 0, "leaf": "AB==", "proof": []}]},
        {"entries": [{"index": 0, "leaf": "", "proof": ["AA=="]}]},
        {"entries": [{"index": 0, "leaf": "", "proof": [1]}]},
        {"entries": [{"index": 0, "leaf": "", "proof": ["A" * 43 + "="] * 65}]},
        {"entries": [{"index": 0, "leaf": "", "proof": [], "x": 1}]},
        {"entries": [{"index": 0, "leaf": "", "proof": []}] * 2},
        {"heads": ["x"] * 10_001}, {"heads": ["x"]}, {"checkpoint": "x"}, {"checkpoint": "\ud83d\ude00\n"},
    ],
)  # fmt: skip
def test_what_is_no_bundle_is_unreadable(file, said, change):
    verdict = of_bundle(file, said | change)
    assert (verdict.name, verdict.exit_code) == ("unreadable", 6)
    assert verdict.problems[0].fault.chinese


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"format":' * 5000, b'"' + b"x" * 10_000]
)
def test_what_is_no_json_object_is_unreadable(file, raw):
    assert of_bundle(file, raw).name == "unreadable"


def test_turned_bits_of_a_small_trail_are_noticed(file):
    log = Log.of(2)
    raw = json.dumps(log.bundle(log.about[1][0]), ensure_ascii=False).encode()
    expected = json.loads(raw)
    for bit, wrong in flips(raw, 29):
        if of_bundle(file, wrong).name == "valid":  # nothing but another spelling of the same
            assert json.loads(wrong) == expected, bit


@given(st.data())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_turned_bit_anywhere_in_a_longer_trail_is_noticed(tmp_path, data):
    raw = json.dumps(LOG_OF_90.bundle(CANDIDATE, BATCH), ensure_ascii=False).encode()
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    wrong = bytearray(raw)
    wrong[bit // 8] ^= 1 << bit % 8
    assert of_bundle(tmp_path / "trail.json", bytes(wrong)).name != "valid"


@pytest.fixture
def long(file, said, monkeypatch):
    """How many entries there are in a trail of which every fifth is told."""
    monkeypatch.setattr(bundle, "_OFTEN", 5)
    file.write_text(json.dumps(said))
    return len(said["entries"])


def test_how_far_it_is_is_told_in_both_halves_of_the_way(file, long):
    told, verdict = [], Verdict()
    trusted = policy.parse(making.policy().encode())
    bundle.verify(file, trusted, verdict, making.NOW + 60, progress=lambda *said: told.append(said))
    assert told == sorted(told)
    assert {total for _, total in told} == {long}
    assert (told[0], told[-1]) == ((0, long), (long, long))
    assert [done for done, _ in told if 0 < done < long // 2]
    assert [done for done, _ in told if long // 2 < done < long]
    assert verdict.name == "valid"


@pytest.mark.usefixtures("long")
@pytest.mark.parametrize("when", [1, 5, 8])
def test_it_can_be_cancelled_on_its_way(file, when):
    told = []

    def progress(*said):
        told.append(said)
        if len(told) == when:
            signal.raise_signal(signal.SIGINT)

    trusted = policy.parse(making.policy().encode())
    with pytest.raises(cli.Cancelled), cli._cancellable():
        bundle.verify(file, trusted, Verdict(), making.NOW + 60, progress=progress)
    assert len(told) == when
