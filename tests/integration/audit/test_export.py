"""Exports and bundles: what somebody without us can check, made from a log that may have been altered."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from services.audit import bundles, export, keyring, signed
from services.audit.domain.checkpoints import Checkpoint, SubjectHead
from services.audit.domain.notes import WITNESS, Note, Verifier
from services.audit.domain.tree import Tree, leaf_hash, tile_root, verify_inclusion
from services.audit.tiles import Roots
from services.registration.people import People, destroy
from shared.kernel.ids import derived_id
from shared.security.vault import Identity, Vault
from shared.testing.postgres import Cluster
from tests.integration.audit.signatory import Signatory, altered
from tests.integration.audit.witness import NUMBER, SHI, Witness, tell


@pytest.fixture
def signatory(empty: Witness, tmp_path: Path) -> Signatory:
    """Of a log with 600 entries, all signed."""
    for number in range(100):
        tell(empty, f"candidate {number}")
    empty.hear()
    signatory = Signatory(empty, tmp_path / "var")
    assert signatory.sign()
    return signatory


def write(signatory: Signatory, folder: Path) -> export.Exported:
    return export.export(signatory.audit.connection, signatory.settings, folder)


def grow(signatory: Signatory, *candidates: str) -> None:
    for candidate in candidates:
        tell(signatory.audit, candidate)
    signatory.audit.hear()
    assert signatory.sign_later()


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- exports


def test_an_export_is_the_tree_of_tiles_that_tlog_tiles_describes(
    signatory: Signatory, tmp_path: Path
) -> None:
    done = write(signatory, tmp_path / "out")
    assert (done.size, done.added) == (600, 600)
    assert files(tmp_path / "out").keys() == {
        "checkpoint", "policy", "tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2",
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/88",
    }  # fmt: skip


def test_its_entries_hash_to_its_tiles_and_those_to_its_checkpoint(
    signatory: Signatory, tmp_path: Path
) -> None:
    write(signatory, tmp_path / "out")
    found = files(tmp_path / "out")
    leaves = [leaf for name in ("000", "001", "002.p/88") for leaf in entries(found[f"tile/entries/{name}"])]
    assert leaves == signatory.leaves()
    hashes = b"".join(map(leaf_hash, leaves))
    assert hashes == found["tile/0/000"] + found["tile/0/001"] + found["tile/0/002.p/88"]
    assert found["tile/1/000.p/2"] == tile_root(found["tile/0/000"]) + tile_root(found["tile/0/001"])
    checkpoint = Checkpoint.parse(Note.parse(found["checkpoint"]).text)
    assert checkpoint.root == Tree().append(map(leaf_hash, leaves)).root
    keyring.policy(signatory.settings).judge(Note.parse(found["checkpoint"]))


def entries(bundle: bytes) -> list[bytes]:
    found = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return found


def test_an_older_export_is_added_to_and_comes_to_what_a_new_one_is(
    signatory: Signatory, tmp_path: Path
) -> None:
    write(signatory, tmp_path / "out")
    before = files(tmp_path / "out")
    grow(signatory, *map(str, range(20)))
    done = write(signatory, tmp_path / "out")
    assert (done.size, done.added) == (720, 720 - 512)
    after = files(tmp_path / "out")
    assert {name for name in before if before[name] != after[name]} == {"checkpoint"}
    write(signatory, tmp_path / "new")
    new = files(tmp_path / "new")
    assert {name: after[name] for name in new} == new


def test_the_same_export_again_changes_nothing_but_cosignatures(signatory: Signatory, tmp_path: Path) -> None:
    write(signatory, tmp_path / "out")
    before = files(tmp_path / "out")
    write(signatory, tmp_path / "out")
    assert files(tmp_path / "out") == before


@pytest.mark.parametrize("entries_written", [0, 1, 2])
def test_an_export_that_was_cut_off_has_no_checkpoint_and_is_taken_up_again(
    signatory: Signatory, tmp_path: Path, entries_written: int
) -> None:
    class Cut(Exception):
        pass

    def progress(count: int) -> None:
        if count > entries_written * 256:
            raise Cut

    with pytest.raises(Cut):
        export.export(signatory.audit.connection, signatory.settings, tmp_path / "out", progress)
    assert "checkpoint" not in files(tmp_path / "out")
    write(signatory, tmp_path / "out")
    write(signatory, tmp_path / "new")
    assert files(tmp_path / "out") == files(tmp_path / "new")


def test_a_folder_with_something_else_is_refused_and_left_alone(signatory: Signatory, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(export.OtherFolder):
        write(signatory, tmp_path)
    assert not (tmp_path / "tile").exists()


def test_the_folder_of_another_log_is_refused(signatory: Signatory, tmp_path: Path) -> None:
    write(signatory, tmp_path / "out")
    policy = (tmp_path / "out/policy").read_text()
    (tmp_path / "out/policy").write_text(policy.replace("centre/audit", "station/audit"))
    with pytest.raises(export.OtherFolder):
        write(signatory, tmp_path / "out")


def test_an_export_of_a_rewritten_log_is_no_continuation_and_stays_as_evidence(
    signatory: Signatory, tmp_path: Path
) -> None:
    write(signatory, tmp_path / "out")
    before = files(tmp_path / "out")
    signatory.rewrite(5, altered(signatory.leaves()[5]))
    forged(signatory)
    with pytest.raises(export.OtherHistory):
        write(signatory, tmp_path / "out")
    assert files(tmp_path / "out")["checkpoint"] == before["checkpoint"]


def forged(signatory: Signatory) -> None:
    """A signer that has lost his memory and his principles signs the log as it is now."""
    admin = signatory.audit.admin
    for statement in ("DELETE FROM cosignatures", "DELETE FROM signed_checkpoints"):
        admin.execute(statement)
    for folder in ("signer", "witness"):
        for path in (signatory.settings.var / folder).iterdir():
            path.unlink()
    signatory.restart()
    grow(signatory, "Tao")


def test_a_database_that_differs_from_what_was_signed_is_not_exported(
    signatory: Signatory, tmp_path: Path
) -> None:
    leaf = altered(signatory.leaves()[300])
    signatory.audit.admin.execute("UPDATE entries SET leaf = %b WHERE index = 300", (leaf,))
    with pytest.raises(export.NotTheLog):
        write(signatory, tmp_path / "out")
    assert not (tmp_path / "out/checkpoint").exists()


def test_without_a_published_checkpoint_there_is_no_export(empty: Witness, tmp_path: Path) -> None:
    signatory = Signatory(empty, tmp_path / "var")
    with pytest.raises(export.NotPublished):
        write(signatory, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_the_quorum_has_not_cosigned_is_not_published(empty: Witness, tmp_path: Path) -> None:
    tell(empty, "Ling")
    empty.hear()
    signatory = Signatory(empty, tmp_path / "var")
    policy = signatory.settings.policy_file
    absent = f"witness absent {Verifier('w.example/2', WITNESS, bytes(32))}\n"
    group = "group quorum-of-witnesses"
    policy.write_text(policy.read_text().replace(f"{group} 1", f"{absent}{group} 2 absent"))
    assert signatory.sign() is False
    assert signatory.newest is not None
    with pytest.raises(export.NotPublished):
        write(signatory, tmp_path / "out")


@pytest.mark.parametrize(
    ("index", "width", "name"),
    [
        (0, 256, "tile/0/000"),
        (999, 1, "tile/0/999.p/1"),
        (1000, 256, "tile/0/x001/000"),
        (1234067, 256, "tile/0/x001/x234/067"),
        (1234067, 112, "tile/0/x001/x234/067.p/112"),
    ],
)
def test_tiles_are_named_as_the_specification_names_them(index: int, width: int, name: str) -> None:
    assert export._name("0", index, width) == name


# -- bundles

CANDIDATE = derived_id("candidate", "candidate 7")


def made(signatory: Signatory, kind: str, id: str) -> dict[str, Any]:
    def sign() -> None:
        signatory.sign_later()

    connection = signatory.audit.connection
    found = bundles.bundle(connection, signatory.settings, kind, id, sign, patience=1)
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def test_what_a_process_remembers_of_tiles_is_read_anew_once_it_proves_nothing(
    signatory: Signatory, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots: Roots = {}
    monkeypatch.setattr(bundles, "_roots", roots)
    assert complete(signatory, made(signatory, "candidate", CANDIDATE))
    assert roots.keys() == {(0, 0), (0, 1)}
    known = dict(roots)
    roots[0, 0] = bytes(32)
    assert complete(signatory, made(signatory, "candidate", CANDIDATE))
    assert roots == known


def complete(signatory: Signatory, bundle: dict[str, Any]) -> bool:
    """FORMATS.md, in the fewest words."""
    note = Note.parse(bundle["checkpoint"])
    keyring.policy(signatory.settings).judge(note)
    checkpoint = Checkpoint.parse(note.text)
    chains: dict[str, list[tuple[int, int, int]]] = {}
    for entry in bundle["entries"]:
        leaf, proof = b64decode(entry["leaf"]), [b64decode(each) for each in entry["proof"]]
        if not verify_inclusion(leaf_hash(leaf), entry["index"], checkpoint.size, proof, checkpoint.root):
            return False
        sealed, note_ = leaf.split(b"\n")
        event = json.loads(sealed)
        subjects = list(dict.fromkeys([*event["refs"].split(), f"actor:{event['actor']}"]))
        for subject, (number, previous) in zip(subjects, json.loads(note_)["links"], strict=True):
            chains.setdefault(subject, []).append((number, previous, entry["index"]))
    for text in bundle["heads"]:
        head_note = Note.parse(text)
        assert head_note.signed_by(keyring.policy(signatory.settings).keys(checkpoint.origin))
        head = SubjectHead.parse(head_note.text)
        chain = [(0, -1, -1), *chains.get(head.subject, [])]
        if head.size != checkpoint.size or (chain[-1][0], chain[-1][2]) != (head.number, head.index):
            return False
        for before, this in pairwise(chain):
            if this[:2] != (before[0] + 1, before[2]):
                return False
    return True


@pytest.mark.parametrize(
    ("kind", "id", "subjects"),
    [
        ("candidate", CANDIDATE, 1),
        ("batch", derived_id("batch", "spring"), 1),
        ("examiner", SHI.id, 2),
        ("certificate", NUMBER, 101),
        ("application", derived_id("application", "candidate 7"), 1),
    ],
)
def test_a_bundle_proves_each_event_and_that_there_is_no_other(
    signatory: Signatory, kind: str, id: str, subjects: int
) -> None:
    bundle = made(signatory, kind, id)
    assert bundle["format"] == "jianding-trail/2"
    assert len(bundle["heads"]) == subjects
    assert bundle["entries"]
    assert complete(signatory, bundle)


def test_removing_any_one_event_from_a_bundle_is_detected(signatory: Signatory) -> None:
    bundle = made(signatory, "candidate", CANDIDATE)
    for place in range(len(bundle["entries"])):
        kept = [entry for at, entry in enumerate(bundle["entries"]) if at != place]
        assert not complete(signatory, {**bundle, "entries": kept})


def test_changing_any_one_event_of_a_bundle_is_detected(signatory: Signatory) -> None:
    bundle = made(signatory, "candidate", CANDIDATE)
    for entry in bundle["entries"]:
        true = entry["leaf"]
        entry["leaf"] = b64encode(altered(b64decode(true))).decode()
        assert not complete(signatory, bundle)
        entry["leaf"] = true


def test_a_bundle_of_somebody_unknown_says_that_there_is_nothing(signatory: Signatory) -> None:
    bundle = made(signatory, "candidate", "nobody")
    assert bundle["entries"] == []
    assert SubjectHead.parse(Note.parse(bundle["heads"][0]).text).number == 0


def test_a_bundle_says_what_was_there_when_its_checkpoint_was_signed(signatory: Signatory) -> None:
    def sign_and_grow() -> None:
        signatory.sign_later()
        tell(signatory.audit, "candidate 7")
        signatory.audit.hear()

    bundle = bundles.bundle(
        signatory.audit.connection, signatory.settings, "candidate", CANDIDATE, sign_and_grow
    )
    assert complete(signatory, bundle)
    assert len(made(signatory, "candidate", CANDIDATE)["entries"]) > len(bundle["entries"])


def test_a_signer_that_does_not_answer_is_named(signatory: Signatory) -> None:
    with pytest.raises(bundles.SignerSilent):
        bundles.bundle(signatory.audit.connection, signatory.settings, "candidate", CANDIDATE, patience=0.2)


def test_an_entry_hidden_in_the_database_makes_no_bundle(signatory: Signatory) -> None:
    index = made(signatory, "candidate", CANDIDATE)["entries"][-1]["index"]
    signatory.audit.admin.execute("DELETE FROM subjects WHERE index = %s", (index,))
    while signatory.sign_later(1):
        pass
    for _ in range(2):
        with pytest.raises(bundles.SignerSilent):
            made(signatory, "candidate", CANDIDATE)
    assert signatory.findings() == [(index, "its subjects are not those that it names")]


# -- erasing a person


def test_erasing_a_person_leaves_every_proof_as_it_was(
    signatory: Signatory, cluster: Cluster, tmp_path: Path
) -> None:
    cluster.clone(["registration"])
    person = CANDIDATE
    with cluster.connect("registration") as connection:

        def work(what: Callable[[Any], Any]) -> Any:
            return what(connection)

        vault = Vault(bytes(32))
        people = People(vault, work)
        locked, _ = vault.lock(person, Identity("甲", "passport", "E0000001", b"photo"))
        connection.execute(
            "INSERT INTO vault VALUES (%s, %s, %s, %s)",
            (locked.person, locked.number_index, locked.wrapped_key, locked.sealed),
        )
        assert people.find(person) is not None
        write(signatory, tmp_path / "out")
        before, bundle = files(tmp_path / "out"), made(signatory, "candidate", person)
        destroy(connection, person)
        assert people.find(person) is None
    assert complete(signatory, bundle)
    after = made(signatory, "candidate", person)
    assert complete(signatory, after)
    assert after["entries"] == bundle["entries"]
    write(signatory, tmp_path / "new")
    again = files(tmp_path / "new")
    assert {name: again[name] for name in again if name != "checkpoint"} == {
        name: before[name] for name in before if name != "checkpoint"
    }
    assert signed.is_enough(keyring.policy(signatory.settings), Note.parse(again["checkpoint"]))
