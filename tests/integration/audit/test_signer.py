"""The signer: what it signs is what the stored bytes are, and follows from all that it has signed before."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from services.audit import keyring, programs, signed, signer, standing
from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.leaf import decode, encode
from services.audit.domain.notes import WITNESS, PrivateKey
from services.audit.domain.policy import Policy
from services.audit.domain.tree import Tree, leaf_hash
from services.audit.log import Recorder
from services.audit.memory import MemoryBroken, MemoryLost
from shared.kernel.ids import new_id
from shared.wire.canonical import canonical
from shared.wire.envelope import read, seal
from tests.integration.audit.signatory import Signatory, altered
from tests.integration.audit.witness import Witness, tell


@pytest.fixture
def signatory(witness: Witness, tmp_path: Path) -> Signatory:
    """Of a log with 18 entries, nothing of which is signed."""
    return Signatory(witness, tmp_path / "var")


@pytest.fixture
def long(empty: Witness, tmp_path: Path) -> Signatory:
    """Of a log with 600 entries: two full tiles and a part of a third."""
    for number in range(100):
        tell(empty, f"candidate {number}")
    empty.hear()
    return Signatory(empty, tmp_path / "var")


def root(signatory: Signatory) -> bytes:
    return Tree().append(leaf_hash(leaf) for leaf in signatory.leaves()).root


def test_what_is_signed_is_the_tree_of_the_stored_bytes_and_the_policy_accepts_it(long: Signatory) -> None:
    assert long.sign() is True
    assert long.checkpoint == Checkpoint("jianding.example/centre/audit", 600, root(long))
    assert keyring.policy(long.settings).judge(long.published).keys() == {"jianding.example/centre/witness"}


def test_an_empty_log_is_not_signed(empty: Witness, tmp_path: Path) -> None:
    signatory = Signatory(empty, tmp_path / "var")
    assert signatory.sign() is True
    assert signatory.newest is None


def test_a_log_that_grows_is_signed_again_and_one_that_does_not_is_not(signatory: Signatory) -> None:
    signatory.sign()
    first = signatory.published
    signatory.sign()
    assert signatory.published == first
    tell(signatory.audit, "Tao")
    signatory.audit.hear()
    signatory.sign()
    assert signatory.checkpoint.size == 24
    assert signatory.checkpoint.root == root(signatory)


def test_an_idle_log_is_cosigned_anew_so_that_its_age_can_be_judged(signatory: Signatory) -> None:
    signatory.sign()
    signatory.witness._clock = lambda: 4e9
    signatory.sign_later(60)
    assert set(keyring.policy(signatory.settings).judge(signatory.published).values()) == {4_000_000_000}
    assert signatory.checkpoint.size == 18


# -- what it refuses


def test_a_long_log_is_signed_piece_by_piece_each_of_them_published(
    long: Signatory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signer, "_PORTION", 256)
    sizes = []
    for published in (False, False, True):
        assert long.sign() is published
        sizes.append(Checkpoint.parse(long.published.text).size)
    assert sizes == [256, 512, 600]
    assert long.checkpoint.root == root(long)


def test_one_round_where_nobody_signs_leaves_nothing_unsigned(
    long: Signatory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signer, "_PORTION", 256)
    monkeypatch.setattr(programs, "connect", lambda *_: long.audit.connect("signer"))
    assert programs.sign_now(long.settings, "") is True
    assert Checkpoint.parse(long.published.text).size == 600


def test_other_bytes_behind_what_was_signed_are_refused_with_their_index(long: Signatory) -> None:
    leaf = long.leaves()[300]
    long.audit.admin.execute("UPDATE entries SET leaf = %b WHERE index = 300", (altered(leaf),))
    assert long.sign() is False
    assert long.newest is None
    assert long.findings() == [(300, "tile 0/1 has another hash for it")]


def test_other_bytes_in_no_full_tile_are_refused_by_the_tree_head(signatory: Signatory) -> None:
    leaf = signatory.leaves()[17]
    signatory.audit.admin.execute("UPDATE entries SET leaf = %b WHERE index = 17", (altered(leaf),))
    assert signatory.sign() is False
    assert signatory.findings() == [(17, "the entries from here on do not lead to tree head 18")]


def test_a_tile_that_was_edited_is_refused_with_the_first_entry_that_it_belies(long: Signatory) -> None:
    long.audit.admin.execute(
        "UPDATE tiles SET hashes = set_byte(hashes, 32 * 7, (get_byte(hashes, 32 * 7) + 1) % 256)"
        " WHERE level = 0 AND index = 1"
    )
    assert long.sign() is False
    assert long.findings() == [(263, "tile 0/1 has another hash for it")]


@pytest.mark.parametrize("size", [17, 12, 0])
def test_a_log_that_is_shorter_than_what_was_signed_is_refused(signatory: Signatory, size: int) -> None:
    signatory.sign()
    first = signatory.published
    signatory.audit.forget(size)
    for _ in range(2):
        assert signatory.sign_later() is False
        signatory.restart()
    assert signatory.published == first
    assert signatory.findings()[0][1] == "the log ends here, but once had 18 entries"


@pytest.mark.parametrize("restarted", [True, False])
def test_a_log_that_was_rewritten_as_a_whole_is_refused(long: Signatory, restarted: bool) -> None:
    long.sign()
    first = long.published
    long.rewrite(5, altered(long.leaves()[5]))
    if restarted:
        long.restart()
    refused = [long.sign_later() is False for _ in range(5)]
    assert any(refused)
    assert long.published.text == first.text
    index, reason = long.findings()[-1]
    assert index == 0
    assert reason.startswith("from here on")


def test_after_a_rewriting_nothing_that_is_appended_is_signed(long: Signatory) -> None:
    long.sign()
    long.rewrite(5, altered(long.leaves()[5]))
    tell(long.audit, "Tao")
    long.audit.hear()
    for _ in range(3):
        assert long.sign_later() is False
    assert long.checkpoint.size == 600
    assert len(long.findings()) >= 1


def test_a_row_that_hides_an_entry_from_its_subject_is_noticed(signatory: Signatory) -> None:
    signatory.audit.admin.execute("DELETE FROM subjects WHERE index = 3 AND kind = 'candidate'")
    assert signatory.sign() is False
    assert signatory.findings() == [(3, "its subjects are not those that it names")]


def test_an_entry_that_is_missing_is_named(signatory: Signatory) -> None:
    signatory.audit.admin.execute("DELETE FROM entries WHERE index = 4")
    assert signatory.sign() is False
    assert signatory.findings() == [(4, "it is missing")]


def test_what_is_mended_is_signed_again(signatory: Signatory) -> None:
    leaf = signatory.leaves()[17]
    change = "UPDATE entries SET leaf = %b WHERE index = 17"
    signatory.audit.admin.execute(change, (altered(leaf),))
    assert signatory.sign() is False
    signatory.audit.admin.execute(change, (leaf,))
    assert signatory.sign() is False  # it does not look again at once
    assert signatory.sign_later(31) is True


def test_a_second_checkpoint_of_one_size_is_not_even_stored(signatory: Signatory) -> None:
    signatory.sign()
    other = Checkpoint(signatory.settings.origin, 18, bytes(32))
    with pytest.raises(signed.AnotherRoot):
        signed.store(signatory.connection, other, signatory.published)


# -- what it remembers


def test_a_signer_that_starts_again_signs_the_same(signatory: Signatory) -> None:
    signatory.sign()
    first = signatory.newest
    signatory.restart()
    assert signatory.sign() is True
    assert signatory.newest is not None
    assert first is not None
    assert signatory.newest.signatures[0] == first.signatures[0]


def test_a_signer_that_has_lost_its_memory_does_not_sign(signatory: Signatory) -> None:
    signatory.sign()
    signatory.memory.path.unlink()
    signatory.restart()
    with pytest.raises(MemoryLost):
        signatory.sign()


def test_a_signer_whose_memory_is_damaged_does_not_sign(signatory: Signatory) -> None:
    signatory.sign()
    signatory.memory.path.write_text(signatory.memory.path.read_text().replace('"size": 18', '"size": 17'))
    with pytest.raises(MemoryBroken):
        signatory.sign()


def test_a_signer_that_has_lost_its_key_makes_no_other(signatory: Signatory) -> None:
    signatory.sign()
    (signatory.settings.secrets / "signer/log.key").unlink()
    with pytest.raises(keyring.KeyMissing):
        signatory.sign()


def test_key_and_memory_are_their_owners_alone(signatory: Signatory) -> None:
    signatory.sign()
    for path in (signatory.memory.path, *signatory.settings.secrets.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0


DYING = """
import sys
from dataclasses import replace
from pathlib import Path
import psycopg
from services.audit import keyring, programs
from services.audit.signer import Signer
from services.audit.witness import Witness
from shared.runtime.settings import settings
folder, dsn = Path(sys.argv[1]), sys.argv[2]
current = replace(settings(), var=folder, secrets=folder / "secrets", database_url="")
key = keyring.witness_key(keyring.own_witness(current), current.witness_name)
witness = Witness(key, lambda: programs.keys_of(current), folder / "witness")
with psycopg.connect(dsn, autocommit=True) as connection:
    Signer(current, witness).step(connection)
"""


@pytest.mark.parametrize(
    "point", ["signer-kept", "signer-stored", "witness-examined", "witness-kept", "signer-published"]
)
def test_whenever_it_dies_it_never_signs_two_roots_of_one_size(
    signatory: Signatory, point: str, project: Path
) -> None:
    dsn = signatory.dsn
    words = [sys.executable, "-W", "ignore", "-c", DYING, str(signatory.settings.var), dsn]
    died = subprocess.run(words, cwd=project, env={**os.environ, "JIANDING_FAULT": point}, check=False)
    assert died.returncode == 137
    honest = root(signatory)
    # meanwhile somebody rewrites what has not been stored yet
    true = signatory.leaves()[2]
    signatory.rewrite(2, altered(true))
    signatory.restart()
    assert signatory.sign() is False
    signatory.rewrite(2, true)
    assert signatory.sign_later() is True
    assert signatory.checkpoint.root == honest
    roots = signatory.audit.admin.execute("SELECT count(DISTINCT root) FROM signed_checkpoints").fetchone()
    assert roots == (1,)


# -- what it may do


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO entries SELECT * FROM entries WHERE false",
        "UPDATE tree_heads SET size = size",
        "DELETE FROM tiles",
        "UPDATE signed_checkpoints SET size = size",
        "DELETE FROM cosignatures",
        "INSERT INTO subject_questions (origin, kinds, refs) VALUES ('a', '{a}', '{a}')",
        "SELECT keep_evidence('a', 1, 1, '', '')",
        "CREATE TABLE mine (id int)",
    ],
)
def test_the_signers_role_reads_and_signs_and_can_do_nothing_else(
    signatory: Signatory, statement: str
) -> None:
    with pytest.raises(InsufficientPrivilege):
        signatory.connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT store_checkpoint('a', 1, decode(repeat('00', 32), 'hex'), 'a')",
        "SELECT add_cosignatures('a', 1, '{}', '{}', '{}', '{}', true)",
        "SELECT answer_subject_heads(1, 1, '{}')",
        "INSERT INTO signed_checkpoints (origin, size, root, note) VALUES ('a', 1, '', '')",
    ],
)
def test_the_audit_service_cannot_sign(signatory: Signatory, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        signatory.audit.connection.execute(statement)


# -- keys


def test_while_a_key_is_changed_both_sign_and_afterwards_the_new_one_alone(signatory: Signatory) -> None:
    signatory.sign()
    before = keyring.policy(signatory.settings)
    new = keyring.rotate(signatory.settings)
    signatory.sign()
    during = keyring.policy(signatory.settings)
    for policy in (before, during):
        policy.judge(signatory.published)
    programs.finish(signatory.settings)
    signatory.sign()
    after = keyring.policy(signatory.settings)
    assert after.keys(signatory.settings.origin) == [new.verifier]
    after.judge(signatory.published)
    with pytest.raises(ValueError, match="no key that the policy has"):
        before.judge(signatory.published)


def test_a_change_of_keys_is_begun_once_and_ended_once(signatory: Signatory) -> None:
    with pytest.raises(keyring.NoRotation):
        programs.finish(signatory.settings)
    keyring.rotate(signatory.settings)
    with pytest.raises(keyring.RotationUnderWay):
        keyring.rotate(signatory.settings)


def test_what_people_wrote_into_the_policy_stays_and_the_old_key_is_remembered(signatory: Signatory) -> None:
    file = signatory.settings.policy_file
    file.write_text(f"# ours, since spring / 自春季起\n{file.read_text()}")
    (old,) = keyring.policy(signatory.settings).keys(signatory.settings.origin)
    keyring.rotate(signatory.settings)
    signatory.sign()
    programs.finish(signatory.settings)
    text = file.read_text()
    assert f"# retired-log {old} 18 " in text
    assert text.startswith("# ours, since spring / 自春季起\n")
    assert Policy.parse(text.encode()).keys(signatory.settings.origin) != [old]


# -- subjects


def ask(signatory: Signatory, *subjects: tuple[str, str]) -> list[str]:
    question = signed.ask(signatory.audit.connection, signatory.settings.origin, subjects)
    signatory.sign_later()
    found = signed.answered(signatory.audit.connection, question)
    return [note.text for note in found[1]] if found else []


def newest_of(signatory: Signatory, kind: str) -> tuple[str, int, int]:
    row = signatory.audit.admin.execute(
        "SELECT ref, number, index FROM subjects WHERE kind = %s ORDER BY index DESC LIMIT 1", (kind,)
    ).fetchone()
    assert row is not None
    return row


def test_the_signer_says_how_far_a_subject_has_come(signatory: Signatory) -> None:
    ref, number, index = newest_of(signatory, "candidate")
    said = ask(signatory, ("candidate", ref), ("candidate", "nobody"))
    origin = "jianding.example/centre/audit/subject"
    assert said == [
        f"{origin}\ncandidate:{ref}\n18\n{number} {index}\n",
        f"{origin}\ncandidate:nobody\n18\n0 -1\n",
    ]


def test_a_name_that_no_note_can_hold_gets_an_answer_without_a_promise(signatory: Signatory) -> None:
    question = signed.ask(signatory.audit.connection, signatory.settings.origin, [("candidate", "a\nb")])
    assert signatory.sign_later() is True
    assert signed.answered(signatory.audit.connection, question) == (18, [])


@pytest.mark.parametrize("change", ["number = number + 1", "index = index - 1"])
def test_it_believes_the_entry_and_not_the_row(signatory: Signatory, change: str) -> None:
    signatory.sign()
    ref, _, index = newest_of(signatory, "candidate")
    where = "WHERE kind = 'candidate' AND index = %s"
    try:
        signatory.audit.admin.execute(f"UPDATE subjects SET {change} {where}", (index,))
    except psycopg.errors.UniqueViolation:
        pytest.fail("the rows have to be free for this")
    assert ask(signatory, ("candidate", ref)) == []
    assert signatory.findings() != []


def test_bytes_that_change_long_after_they_were_signed_are_found_by_reading_again(long: Signatory) -> None:
    long.sign()
    long.restart()
    long.sign()
    leaf = altered(long.leaves()[300])
    long.audit.admin.execute("UPDATE entries SET leaf = %b WHERE index = 300", (leaf,))
    refused = [long.sign_later(1) is False for _ in range(5)]
    assert any(refused)
    assert long.findings() == [(300, "tile 0/1 has another hash for it")]


def test_a_signer_that_starts_again_does_not_read_everything_first(long: Signatory) -> None:
    long.sign()
    long.audit.admin.execute("UPDATE entries SET leaf = %b WHERE index = 300", (altered(long.leaves()[300]),))
    long.restart()
    tell(long.audit, "Tao")
    long.audit.hear()
    long.sign()
    assert long.checkpoint.size == 606
    assert [long.sign_later(1) for _ in range(3)].count(False) == 3


@pytest.mark.parametrize("quorum", ["own", "none", "all-of-them"])
def test_a_quorum_that_does_without_most_of_the_witnesses_is_told(signatory: Signatory, quorum: str) -> None:
    signatory.sign()
    file = signatory.settings.policy_file
    (own,) = [line for line in file.read_text().splitlines() if line.startswith("witness")]
    others = [
        PrivateKey.seeded(f"station.example/{number}", WITNESS, bytes([number] * 32)) for number in (1, 2, 3)
    ]
    lines = [line for line in file.read_text().splitlines() if line.startswith("log")]
    lines += [
        f"witness own {own.split()[2]}",
        *(f"witness w{n} {key.verifier}" for n, key in enumerate(others)),
    ]
    lines += ["group all-of-them 3 own w0 w1 w2", f"quorum {quorum}"]
    file.write_text("\n".join(lines) + "\n")
    told = [each.found for each in standing.concerns(signatory.connection, signatory.settings, False)]
    least = {"own": 1, "none": 0}.get(quorum)
    assert [what for what in told if "quorum" in what] == (
        [f"{least} of 4 witnesses are a quorum"] if least is not None else []
    )


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("kind", ["candidate", "batch"])
def test_a_newest_row_that_was_deleted_after_signing_makes_no_subject_look_shorter(
    kind: str, restarted: bool, signatory: Signatory
) -> None:
    assert signatory.sign()
    ref, _, index = newest_of(signatory, kind)
    signatory.audit.admin.execute("DELETE FROM subjects WHERE kind = %s AND index = %s", (kind, index))
    if restarted:
        signatory.restart()
    question = signed.ask(signatory.audit.connection, signatory.settings.origin, [(kind, ref)])
    signatory.sign()
    assert signed.answered(signatory.audit.connection, question) is None
    assert signatory.findings() == [(index, "the subject's rows do not come to its last entry")]


def test_of_several_rows_that_were_deleted_the_last_is_named(signatory: Signatory) -> None:
    assert signatory.sign()
    rows = signatory.audit.admin.execute(
        "SELECT index FROM subjects WHERE kind = 'batch' ORDER BY index DESC LIMIT 2"
    ).fetchall()
    signatory.audit.admin.execute("DELETE FROM subjects WHERE kind = 'batch' AND index >= %s", (rows[1][0],))
    ref = signatory.audit.admin.execute("SELECT ref FROM subjects WHERE kind = 'batch'").fetchone()
    assert ref is not None
    signed.ask(signatory.audit.connection, signatory.settings.origin, [("batch", ref[0])])
    signatory.sign()
    assert signatory.findings() == [(rows[0][0], "the subject's rows do not come to its last entry")]


def test_what_is_appended_has_to_count_on_from_what_was_signed(signatory: Signatory) -> None:
    """An omission that the log's own writer makes: the rows are gone, and the next links begin anew."""
    assert signatory.sign()
    signatory.audit.admin.execute("DELETE FROM subjects WHERE kind = 'batch'")
    tell(signatory.audit, "Qing")
    new = [each for each in signatory.audit.source("scoring").events() if each.position > 6]
    Recorder().append(signatory.audit.connection, new)  # which knows no more than the rows say
    signatory.sign()
    assert signatory.findings() == [(18, "its links do not count on from the entries before")]


def test_a_signer_without_its_file_of_subjects_reads_the_log_and_knows_them_again(
    signatory: Signatory,
) -> None:
    assert signatory.sign()
    signatory.memory.path.with_suffix(".subjects").unlink()
    signatory.restart()
    ref, _, index = newest_of(signatory, "candidate")
    signatory.sign()
    signatory.audit.admin.execute("DELETE FROM subjects WHERE kind = 'candidate' AND index = %s", (index,))
    signed.ask(signatory.audit.connection, signatory.settings.origin, [("candidate", ref)])
    signatory.sign()
    assert signatory.findings() == [(index, "the subject's rows do not come to its last entry")]


# -- what is new follows from what was before


def test_a_new_entry_that_was_rewritten_before_it_was_signed_is_denied_by_the_next(
    signatory: Signatory,
) -> None:
    signatory.sign()
    first = signatory.published
    tell(signatory.audit, "Tao")
    signatory.audit.hear()
    sealed, links, received = decode(signatory.leaves()[18])
    forged = canonical({**json.loads(sealed), "type": "Forged"})
    signatory.rewrite(18, encode(forged, links, received))
    assert signatory.sign() is False
    assert signatory.findings() == [(19, "it does not contain the hash of its source's event before")]
    assert signatory.published == first


@pytest.mark.parametrize("restarted", [True, False])
@pytest.mark.parametrize(("year", "why"), [("2020", "long before"), ("2999", "yet to come")])
def test_a_new_entry_with_another_arrival_is_not_signed(
    signatory: Signatory, year: str, why: str, restarted: bool
) -> None:
    signatory.sign()
    tell(signatory.audit, "Tao")
    signatory.audit.hear()
    sealed, links, _ = decode(signatory.leaves()[18])
    signatory.rewrite(18, encode(sealed, links, f"{year}-04-16T01:30:00.000000Z"))
    if restarted:
        signatory.restart()
    assert signatory.sign() is False
    ((index, reason),) = signatory.findings()
    assert index == 18
    assert why in reason


def test_a_signer_that_kept_no_chains_learns_them_from_what_it_has_signed(signatory: Signatory) -> None:
    signatory.sign()
    tree = signatory.memory.load()
    assert tree is not None
    said = signatory.memory._said(tree, None)
    signatory.memory.path.write_text(json.dumps(said))
    signatory.restart()
    tell(signatory.audit, "Tao")
    signatory.audit.hear()
    assert signatory.sign() is True
    following = signatory.memory.following()
    assert following is not None
    assert {source: end[0] for source, end in following.ends.items()} == {
        each.name: len(each.bodies) for each in signatory.audit.sources
    }


def test_a_new_gap_in_a_source_is_not_signed(signatory: Signatory) -> None:
    source = signatory.audit.source("scoring")
    event = {**source.events()[-1].attributes, "id": new_id()}
    skipping = read(seal(canonical(event), len(source.bodies) + 2, bytes(32)))
    Recorder().append(signatory.audit.connection, [skipping])
    assert signatory.sign() is False
    assert signatory.findings() == [(18, "its position 8 does not follow 6 of its source")]
