"""What our log writes, verified by who knows nothing of it but the formats."""

import json
from base64 import b64decode, b64encode
from pathlib import Path
from time import time

import pytest

from services.audit import bundles, export
from services.audit.verifier import bundle as trail
from services.audit.verifier import export as exported
from services.audit.verifier import policy
from services.audit.verifier.verdict import Verdict
from shared.kernel.ids import derived_id
from tests.integration.audit.signatory import Signatory
from tests.integration.audit.witness import Witness, tell

CANDIDATE = derived_id("candidate", "candidate 7")


@pytest.fixture
def signatory(empty: Witness, tmp_path: Path) -> Signatory:
    """Of a log with 600 entries, all signed."""
    for number in range(100):
        tell(empty, f"candidate {number}")
    empty.hear()
    signatory = Signatory(empty, tmp_path / "var")
    assert signatory.sign()
    return signatory


@pytest.fixture
def folder(signatory: Signatory, tmp_path: Path) -> Path:
    """Its export."""
    export.export(signatory.audit.connection, signatory.settings, tmp_path / "out")
    return tmp_path / "out"


def verified(folder: Path, workers: int = 1) -> Verdict:
    verdict = Verdict()
    trusted = policy.parse((folder / "policy").read_bytes())
    exported.verify(folder, trusted, verdict, time(), workers=workers)
    return verdict


def test_an_export_is_valid(folder: Path) -> None:
    for workers in (1, 2):
        verdict = verified(folder, workers)
        assert (verdict.name, verdict.size, verdict.problems) == ("valid", 600, [])


def test_a_changed_entry_of_an_export_is_named(folder: Path) -> None:
    file = folder / "tile/entries/001"
    content = file.read_bytes()
    length = int.from_bytes(content[:2], "big")
    file.write_bytes(content[: 2 + length] + content[2 + length :].replace(b'"centre"', b'"center"', 1))
    verdict = verified(folder)
    assert (verdict.name, verdict.index) == ("tampered", 257)


def test_a_trail_is_valid_and_a_removed_or_changed_entry_is_named(
    signatory: Signatory, folder: Path, tmp_path: Path
) -> None:
    def sign() -> None:
        signatory.sign_later()

    connection = signatory.audit.connection
    said = bundles.bundle(connection, signatory.settings, "candidate", CANDIDATE, sign, patience=1)
    trusted = policy.parse((folder / "policy").read_bytes())

    def judged(said: object) -> tuple[str, int | None]:
        file, verdict = tmp_path / "trail.json", Verdict()
        file.write_text(json.dumps(said))
        trail.verify(file, trusted, verdict, time())
        return verdict.name, verdict.index

    entries = said["entries"]
    assert len(entries) > 1
    assert judged(said) == ("valid", None)
    for place, entry in enumerate(entries):
        less = [*entries[:place], *entries[place + 1 :]]
        assert judged(said | {"entries": less}) == ("incomplete", entry["index"])
        leaf = b64encode(b64decode(entry["leaf"]).replace(b'"role"', b'"rule"')).decode()
        changed = [*entries[:place], entry | {"leaf": leaf}, *entries[place + 1 :]]
        assert judged(said | {"entries": changed}) == ("tampered", entry["index"])
