"""Exported trees: what is found out about one that is good, and about everything that can be done to it."""

import shutil
import struct
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.audit.verifier import words
from tests.unit.verifier import making
from tests.unit.verifier.making import LOG, NOW, WITNESSES, Log, Signer, tile
from tests.unit.verifier.spoiling import files, flips, of_export

SIZE = 600


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An export of 600 entries that nobody changes."""
    return Log.of(SIZE).write(tmp_path_factory.mktemp("export") / "log")


@pytest.fixture
def folder(made, tmp_path):
    """One to spoil."""
    return shutil.copytree(made, tmp_path / "log")


def spoiled(log, folder):
    """The log written with all its tiles, under the checkpoint that was signed before."""
    signed = (folder / "checkpoint").read_bytes()
    shutil.rmtree(folder)
    log.write(folder)
    (folder / "checkpoint").write_bytes(signed)
    return of_export(folder)


def entries(folder, number):
    name = tile("entries", number, min(256, SIZE - 256 * number))
    return folder / name


def rewritten(folder, number, change):
    """An entry bundle, its entries changed by `change(list)`."""
    file = entries(folder, number)
    content, leaves = file.read_bytes(), []
    while content:
        length = struct.unpack(">H", content[:2])[0]
        leaves.append(content[2 : 2 + length])
        content = content[2 + length :]
    leaves = change(leaves) or leaves
    file.write_bytes(b"".join(struct.pack(">H", len(leaf)) + leaf for leaf in leaves))


def texts(verdict):
    return [problem.fault.code for problem in verdict.told()[0]]


def test_a_good_export_is_valid(made):
    verdict = of_export(made)
    assert (verdict.name, verdict.index, verdict.size, verdict.exit_code) == ("valid", None, SIZE, 0)
    assert (verdict.problems, verdict.notes) == ([], [])
    assert len(verdict.cosigned_by) == 3
    assert verdict.newest == "2026-10-14T17:46:40Z"


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 512, 513])
def test_every_size_has_its_tiles(tmp_path, size):
    verdict = of_export(Log.of(size).write(tmp_path))
    assert (verdict.name, texts(verdict)) == ("valid", [])


def test_several_processes_find_the_same(tmp_path, made):
    folder = Log.of(2600).write(tmp_path / "log")
    assert of_export(folder, workers=2).name == "valid"
    shutil.rmtree(folder / "tile/0")
    one, two = of_export(folder, workers=1).as_data(), of_export(folder, workers=2).as_data()
    assert one == two
    assert (one["verdict"], one["index"], one["size"]) == ("incomplete", 0, 2600)


def test_partial_tiles_may_be_gone_once_there_are_full_ones(folder):
    full = Log.of(768)
    for level, contents in (
        ("entries", [struct.pack(">H", len(x)) + x for x in full.leaves]),
        (0, full.hashes),
    ):
        shutil.rmtree(folder / f"tile/{level}/002.p")
        (folder / tile(level, 2)).write_bytes(b"".join(contents[512:]))
    assert of_export(folder).name == "valid"


def test_what_no_size_calls_for_is_ignored(folder):
    (folder / "tile/0/007").write_bytes(b"x")
    (folder / "tile/entries/000.p").mkdir()
    (folder / "tile/entries/000.p/9").write_bytes(b"x")
    (folder / "README").write_text("x")
    assert of_export(folder).name == "valid"


# -- one thing changed


@pytest.mark.parametrize("index", [0, 1, 255, 256, 511, 512, SIZE - 1])
def test_a_changed_entry_is_named(folder, index):
    def change(leaves):
        leaves[index % 256] = leaves[index % 256].replace(b'"centre"', b'"center"')

    rewritten(folder, index // 256, change)
    verdict = of_export(folder)
    assert (verdict.name, verdict.index, verdict.exit_code) == ("tampered", index, 1)


@pytest.mark.parametrize("index", [0, 255, 256, SIZE - 1])
def test_an_entry_that_makes_no_sense_is_named_alone(folder, index):
    rewritten(folder, index // 256, lambda leaves: leaves.__setitem__(index % 256, b"nonsense"))
    verdict = of_export(folder)
    assert (verdict.name, verdict.index) == ("tampered", index)
    assert {problem.index for problem in verdict.problems} == {index}


@pytest.mark.parametrize("index", [0, 300, SIZE - 1])
def test_a_changed_hash_in_the_lowest_tile_is_named(folder, index):
    file = folder / tile(0, index // 256, min(256, SIZE - index // 256 * 256))
    content = bytearray(file.read_bytes())
    content[index % 256 * 32 + 5] ^= 1
    file.write_bytes(content)
    verdict = of_export(folder)
    assert (verdict.name, verdict.index) == ("tampered", index)
    assert len(verdict.problems) == 1


def test_a_changed_hash_in_a_higher_tile_is_named_by_the_first_entry_below_it(folder):
    file = folder / tile(1, 0, 2)
    content = bytearray(file.read_bytes())
    content[32] ^= 1
    file.write_bytes(content)
    verdict = of_export(folder)
    assert (verdict.name, verdict.index) == ("tampered", 256)
    assert texts(verdict) == ["tile_differs"]


def test_entries_changed_with_their_tile_contradict_the_tile_above(folder):
    log = Log.of(SIZE)
    log.leaves[SIZE - 100] = log.leaves[-100].replace(b"exam_affairs", b"exam_affair")
    log.leaves[300] = log.leaves[300].replace(b'"level":', b'"levels":')
    again = log.files()
    name = tile(0, 1)
    rewritten(folder, 1, lambda leaves: leaves.__setitem__(44, log.leaves[300]))
    (folder / name).write_bytes(again[name])
    verdict = of_export(folder)
    assert verdict.name == "tampered"
    assert "tile_differs" in texts(verdict)
    assert verdict.index == 300  # which the chain of its source shows


@pytest.mark.parametrize("index", [0, 30, 256, 400])
def test_a_change_under_a_tree_made_anew_is_named_by_the_chain(folder, index):
    log = Log.of(SIZE)
    log.leaves[index] = log.leaves[index].replace(b'"level":', b'"levels":')
    verdict = spoiled(log, folder)
    assert (verdict.name, verdict.index) == ("tampered", index)
    assert texts(verdict) == ["chain", "root_differs"]


def test_a_changed_previous_hash_is_named_itself(folder):
    log = Log.of(SIZE)
    event, note = log.leaves[100].split(b"\n")
    start = event.index(b'"previoushash":"') + 16
    log.leaves[100] = event[:start] + b"0" * 64 + event[start + 64 :] + b"\n" + note
    assert spoiled(log, folder).index == 100


def test_a_last_event_changed_under_a_tree_made_anew_has_no_index(folder):
    log = Log.of(SIZE)
    log.leaves[-1] = log.leaves[-1].replace(b'"level":', b'"levels":')
    verdict = spoiled(log, folder)
    assert (verdict.name, verdict.index, texts(verdict)) == ("tampered", None, ["root_differs"])


def test_a_tree_made_anew_from_other_events_does_not_have_the_signed_root(folder):
    log = Log()
    for at in range(SIZE):
        log.add(log.event(making.SOURCES[0], [f"candidate:{at}"], "somebody"))
    verdict = spoiled(log, folder)
    assert (verdict.name, verdict.index, texts(verdict)) == ("tampered", None, ["root_differs"])


def test_a_changed_link_is_named(folder):
    log = Log.of(SIZE)
    event, note = log.leaves[77].split(b"\n")
    log.leaves[77] = event + b"\n" + note.replace(b'{"links":[[', b'{"links":[[1')
    verdict = spoiled(log, folder)
    assert (verdict.name, verdict.index) == ("tampered", 77)


def test_links_and_chains_are_checked_across_ranges(tmp_path):
    log = Log.of(2600)
    log.leaves[1300] = log.leaves[1300].replace(b'"level":', b'"levels":')
    folder = log.write(tmp_path)
    for workers in (1, 2):
        verdict = of_export(folder, workers=workers)
        assert (verdict.name, verdict.index, texts(verdict)) == ("tampered", 1300, ["chain"])


def without(index):
    log = Log.of(SIZE)
    del log.leaves[index]
    return log


def signed_by_the_log(log, folder):
    """As a log would write it that lies itself, and has found witnesses."""
    return of_export(log.write(folder))


def test_a_log_that_leaves_an_event_out_is_found_out_by_positions(tmp_path):
    verdict = signed_by_the_log(without(200), tmp_path)
    assert verdict.name == "tampered"
    assert "position" in texts(verdict)
    assert 200 <= verdict.index < 206


def test_a_log_that_has_an_event_twice_is_found_out(tmp_path):
    log = Log.of(30)
    log.add(log.leaves[11].partition(b"\n")[0])
    verdict = signed_by_the_log(log, tmp_path)
    assert (verdict.name, verdict.index) == ("tampered", 30)
    assert {"position", "id_twice"} <= set(texts(verdict))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_id_that_comes_twice_is_found_out(tmp_path, workers):
    log = Log()
    for at in range(2600):
        again = {"id": making.an_id("twice")} if at in (900, 2300) else {}
        log.add(log.event(making.SOURCES[0], [f"candidate:{at}"], "somebody", **again))
    verdict = of_export(log.write(tmp_path), workers=workers)
    assert (verdict.name, verdict.index, texts(verdict)) == ("tampered", 2300, ["id_twice"])


def test_a_source_that_does_not_begin_at_its_beginning_is_found_out(tmp_path):
    log = Log()
    log.add(log.event("/centre/scoring", [], "somebody", previoushash="1" * 64))
    assert texts(signed_by_the_log(log, tmp_path)) == ["genesis"]


def test_a_log_with_a_link_too_few_is_found_out(tmp_path):
    log = Log.of(9)
    event, _ = log.leaves[4].split(b"\n")
    log.leaves[4] = event + b"\n" + b'{"links":[[1,-1]],"received":"2026-04-16T01:30:00.123456Z"}'
    verdict = signed_by_the_log(log, tmp_path)
    assert (verdict.name, verdict.index, texts(verdict)[0]) == ("tampered", 4, "links_count")


def test_a_subject_named_twice_has_one_link(tmp_path):
    log = Log()
    log.add(log.event("/centre/scoring", ["a:1", "b:2", "a:1", "actor:x"], "x"))
    assert signed_by_the_log(log, tmp_path).name == "valid"
    event, _ = log.leaves[0].split(b"\n")
    note = b'{"links":[[1,-1],[1,-1],[2,0],[1,-1]],"received":"2026-04-16T01:30:00.123456Z"}'
    log.leaves[0] = event + b"\n" + note
    assert texts(signed_by_the_log(log, tmp_path))[0] == "links_count"


def test_clocks_that_step_back_are_noted_and_no_more(tmp_path):
    log = Log()
    for second in (30, 31, 29, 32, 10):
        received = f"2026-04-16T01:29:{second}.000000Z"
        recorded = "2026-04-16T01:29:20.000000Z"
        log.add(log.event("/centre/scoring", [], "somebody", recordedtime=recorded), received)
    verdict = signed_by_the_log(log, tmp_path)
    assert verdict.name == "valid"
    assert [(note.code, note.values) for note in verdict.notes] == [
        ("clock_back", {"count": 2, "index": 2}), ("clock_early", {"count": 1, "index": 4})
    ]  # fmt: skip


# -- something missing


@pytest.mark.parametrize(
    ("name", "index"),
    [("tile/entries/000", 0), ("tile/entries/001", 256), ("tile/entries/002.p/88", 512), ("tile/0/001", 256),
     ("tile/1/000.p/2", 0), ("tile/0/002.p/88", 512)],
)  # fmt: skip
def test_a_missing_tile_is_named(folder, name, index):
    (folder / name).unlink()
    verdict = of_export(folder)
    assert (verdict.name, verdict.index, verdict.exit_code) == ("incomplete", index, 3)
    assert len(verdict.problems) == 1


def test_removed_last_entries_are_missed(folder):
    rewritten(folder, 2, lambda leaves: leaves[:-3])
    verdict = of_export(folder)
    assert (verdict.name, verdict.index) == ("incomplete", SIZE - 3)


def test_an_entry_removed_from_the_middle_of_a_bundle_is_noticed_where_it_was(folder):
    rewritten(folder, 1, lambda leaves: leaves[:40] + leaves[41:])
    verdict = of_export(folder)
    assert (verdict.name, verdict.index) == ("tampered", 296)


def test_an_inserted_entry_is_noticed_where_it_is(folder):
    rewritten(folder, 0, lambda leaves: [*leaves[:9], leaves[3], *leaves[9:]])
    assert (of_export(folder).name, of_export(folder).index) == ("tampered", 9)


def test_swapped_entries_are_noticed_at_the_first(folder):
    rewritten(folder, 0, lambda leaves: [*leaves[:9], leaves[10], leaves[9], *leaves[11:]])
    verdict = of_export(folder)
    assert (verdict.name, verdict.index) == ("tampered", 9)
    assert {10, 9} <= {problem.index for problem in verdict.problems}


def test_of_many_problems_the_first_are_told_and_the_others_counted(folder):
    rewritten(folder, 0, lambda leaves: [*leaves[1:], leaves[0]])
    found = of_export(folder).as_data()
    assert found["index"] == 0
    differ = [problem["index"] for problem in found["problems"] if "whose hash" in problem["problem"]]
    assert differ == list(range(20))
    assert found["more"] >= 236


def test_more_than_belongs_into_a_file_is_noticed(folder):
    for name in ("tile/entries/000", "tile/0/000"):
        file = folder / name
        content = file.read_bytes()
        file.write_bytes(content + b"\x00")
        assert (of_export(folder).name, of_export(folder).index) == ("tampered", 256)
        file.write_bytes(content)


def test_a_log_of_which_nothing_is_there_is_given_up_soon(tmp_path):
    text = f"{making.ORIGIN}\n{2**62}\n{words.base64(sha256(b'').digest())}\n"
    (tmp_path / "checkpoint").write_text(making.note(text, LOG, *WITNESSES))
    verdict = of_export(tmp_path)
    assert (verdict.name, verdict.index) == ("incomplete", 0)
    assert [note.code for note in verdict.notes] == ["stopped"]
    assert len(verdict.as_data()["problems"]) < 100


# -- signatures


def test_without_the_logs_signature_nothing_is_looked_at(folder):
    (folder / "checkpoint").write_text(Log.of(SIZE).checkpoint(*WITNESSES))
    verdict = of_export(folder)
    assert (verdict.name, verdict.size, texts(verdict)) == ("tampered", None, ["unsigned"])


FORMER = Signer.of(making.ORIGIN, salt="former")


def by_former(size):
    """The policy of today, which knows the key that the log gave up, with the last size that it signed."""
    return f"{making.policy()}# retired-log {FORMER.vkey} {size} 2026-11-25\n"


def test_what_a_former_key_has_signed_in_its_time_stays_good(folder):
    (folder / "checkpoint").write_text(Log.of(SIZE).checkpoint(FORMER, *WITNESSES))
    verdict = of_export(folder, by_former(SIZE))
    assert (verdict.name, [note.code for note in verdict.notes]) == ("valid", ["retired"])
    assert verdict.signed_by == [f"{making.ORIGIN}+{FORMER.id.hex()}"]
    assert of_export(folder).name == "tampered"


def test_what_a_former_key_signs_of_a_larger_log_counts_for_nothing(folder):
    (folder / "checkpoint").write_text(Log.of(SIZE).checkpoint(FORMER, *WITNESSES))
    assert texts(of_export(folder, by_former(SIZE - 1))) == ["unsigned"]
    (folder / "checkpoint").write_text(Log.of(SIZE).checkpoint(LOG, FORMER, *WITNESSES))
    verdict = of_export(folder, by_former(SIZE))
    assert (verdict.name, verdict.notes) == ("valid", [])


def test_a_signature_of_a_former_key_that_does_not_hold_is_told(folder):
    text, _, signatures = Log.of(SIZE).checkpoint(FORMER, *WITNESSES).partition("\n\n")
    other = Log.of(SIZE - 1).checkpoint(FORMER).partition("\n\n")[2]
    (folder / "checkpoint").write_text(f"{text}\n\n{other}{signatures.partition(chr(10))[2]}")
    assert of_export(folder, by_former(SIZE)).name == "tampered"


@pytest.mark.parametrize("rest", ["", " x 9", " {} -1", " {}"])
def test_whatever_else_stands_in_such_a_comment_says_nothing(folder, rest):
    (folder / "checkpoint").write_text(Log.of(SIZE).checkpoint(FORMER, *WITNESSES))
    spoilt = f"{making.policy()}# retired-log{rest.format(FORMER.vkey)}\n"
    assert texts(of_export(folder, spoilt)) == ["unsigned"]


@pytest.mark.parametrize(
    ("needed", "signers", "name"),
    [("all", 3, "valid"), ("all", 2, "unwitnessed"), ("2", 2, "valid"), ("2", 1, "unwitnessed"),
     ("any", 1, "valid"), ("any", 0, "unwitnessed")],
)  # fmt: skip
def test_a_quorum_is_needed(folder, needed, signers, name):
    (folder / "checkpoint").write_text(Log.of(SIZE).checkpoint(LOG, *WITNESSES[:signers]))
    assert of_export(folder, making.policy(needed)).name == name


def test_a_policy_may_ask_for_nobody(folder):
    (folder / "checkpoint").write_text(Log.of(SIZE).checkpoint(LOG))
    verdict = of_export(folder, making.policy(witnesses=()))
    assert (verdict.name, [note.code for note in verdict.notes]) == ("valid", ["no_witness"])
    assert of_export(folder, making.policy(witnesses=()), max_age=1).name == "stale"


def test_a_forged_cosignature_is_no_missing_one(folder):
    forger = Signer(WITNESSES[0].name, 4, b"x" * 32)
    text = Log.of(SIZE).checkpoint().partition("\n\n")[0] + "\n"
    line = forger.line(text).replace(words.base64(forger.id)[:4], words.base64(WITNESSES[0].id)[:4])
    raw = words.base64(WITNESSES[0].id + b"\x00" * 72)
    (folder / "checkpoint").write_text(making.note(text, LOG, *WITNESSES[1:]) + f"— {forger.name} {raw}\n")
    verdict = of_export(folder, making.policy("2"))
    assert line
    assert (verdict.name, texts(verdict)) == ("tampered", ["signature_wrong"])


@pytest.mark.parametrize(("age", "name"), [(0.5, "valid"), (2, "stale"), (47, "stale")])
def test_old_cosignatures_are_stale(folder, age, name):
    old = Log.of(SIZE).checkpoint(LOG, *WITNESSES, time=NOW - int(age * 3600))
    (folder / "checkpoint").write_text(old)
    assert of_export(folder, max_age=1).name == name
    assert of_export(folder).name == "valid"


def test_one_young_witness_does_not_make_a_quorum_young(folder):
    text = Log.of(SIZE).checkpoint().partition("\n\n")[0] + "\n"
    old = "".join(witness.line(text, NOW - 7200) for witness in WITNESSES[1:])
    (folder / "checkpoint").write_text(making.note(text, LOG, WITNESSES[0]) + old)
    assert of_export(folder, making.policy("2"), max_age=1).name == "stale"
    assert of_export(folder, making.policy("any"), max_age=1).name == "valid"


def test_the_gravest_fault_names_the_verdict(folder):
    (folder / "checkpoint").write_text(Log.of(SIZE).checkpoint(LOG))
    assert of_export(folder).name == "unwitnessed"
    (folder / "tile/0/000").unlink()
    assert of_export(folder).name == "incomplete"
    (folder / "tile/0/000").mkdir()
    assert of_export(folder).name == "unreadable"
    rewritten(folder, 2, lambda leaves: leaves.__setitem__(0, b"nonsense"))
    verdict = of_export(folder)
    assert (verdict.name, verdict.index) == ("tampered", 512)


# -- bits: `make vectors` turns every one


def test_turned_bits_of_a_small_log_are_noticed(tmp_path):
    made = Log.of(2).write(tmp_path)
    for file in files(made):
        content = file.read_bytes()
        for bit, wrong in flips(content, 13):
            file.write_bytes(wrong)
            assert of_export(made).name != "valid", (file, bit)
        file.write_bytes(content)
    assert of_export(made).name == "valid"


@given(st.data())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_turned_bit_anywhere_in_a_longer_log_is_noticed_where_it_is(made, data):
    file = data.draw(st.sampled_from(files(made)))
    content = file.read_bytes()
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    wrong = bytearray(content)
    wrong[bit // 8] ^= 1 << bit % 8
    try:
        file.write_bytes(wrong)
        verdict = of_export(made)
    finally:
        file.write_bytes(content)
    assert verdict.name != "valid"
    if file.name != "checkpoint":
        first = 0 if file.parts[-2] == "1" else 256 * int(file.relative_to(made).parts[2][:3])
        assert first <= (verdict.index or 0) <= first + 256


@given(st.data())
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_deleted_inserted_and_swapped_entries_are_noticed_where_they_are(made, data):
    number = data.draw(st.integers(0, 2))
    content = entries(made, number).read_bytes()
    width = min(256, SIZE - 256 * number)
    at, other = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, width - 1))
    deed = data.draw(st.sampled_from(["delete", "insert", "swap"]))

    def change(leaves):
        if deed == "delete":
            del leaves[at]
        elif deed == "insert":
            leaves.insert(at, leaves[other])
        else:
            leaves[at], leaves[other] = leaves[other], leaves[at]

    try:
        rewritten(made, number, change)
        verdict = of_export(made)
    finally:
        entries(made, number).write_bytes(content)
    if deed == "swap" and at == other:
        assert verdict.name == "valid"
    else:
        first = 256 * number + (min(at, other) if deed == "swap" else at)
        assert verdict.name == ("incomplete" if deed == "delete" and at == width - 1 else "tampered")
        # an entry before its own copy is where it was
        assert verdict.index == first + (deed == "insert" and at == other)
