"""Verdicts of the verifier on what a test has made, and every way to spoil a file by little."""

import json
from collections.abc import Iterator
from pathlib import Path

from services.audit.verifier import bundle, export, policy
from services.audit.verifier.verdict import Verdict
from tests.unit.verifier import making


def of_export(folder: Path, trusted: str = "", max_age: float | None = None, workers: int = 1) -> Verdict:
    """The verdict on an export at NOW."""
    verdict = Verdict()
    parsed = policy.parse((trusted or making.policy()).encode())
    export.verify(folder, parsed, verdict, making.NOW + 60, max_age, workers)
    return verdict


def of_bundle(file: Path, said: object, trusted: str = "", about: str = "") -> Verdict:
    """The verdict on a bundle at NOW, written to `file`."""
    file.write_bytes(said if isinstance(said, bytes) else json.dumps(said).encode())
    verdict = Verdict()
    parsed = policy.parse((trusted or making.policy()).encode())
    bundle.verify(file, parsed, verdict, making.NOW + 60, about=about)
    return verdict


def files(folder: Path) -> list[Path]:
    """What an export consists of; the policy is not part of what it vouches for."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in found if path.name != "policy"]


def flips(content: bytes, step: int = 1) -> Iterator[tuple[int, bytes]]:
    """The content with one bit turned, for every `step`th bit."""
    for bit in range(0, 8 * len(content), step):
        spoiled = bytearray(content)
        spoiled[bit // 8] ^= 1 << bit % 8
        yield bit, bytes(spoiled)
