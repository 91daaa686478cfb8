"""`make vectors DIR=…`: public test vectors over whoever builds trees here, and whoever checks them.

DIR holds `*inclusion*.jsonl` and `*consistency*.jsonl` (an object a line, as transparency-dev/merkle has it:
`wantErr`, sizes, hashes in base64) and `jcs.json` (RFC 8785: inputs, and the bytes expected in hex). Besides,
every bit of a small log and of a small trail is turned, and has to be noticed.
"""

import json
import sys
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from services.audit.domain import tree as writers
from services.audit.verifier import leaf as verifiers_leaf
from services.audit.verifier import tree as verifiers
from services.audit.verifier.words import Fault
from shared.wire.canonical import NotCanonical, canonical
from tests.unit.verifier.making import Log
from tests.unit.verifier.spoiling import files, flips, of_bundle, of_export

Vector = dict[str, Any]


@dataclass
class Tally:
    """How many were looked at of each kind, and which of them ended otherwise than they should."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def check(self, kind: str, good: bool, what: str) -> None:
        self.counts[kind] += 1
        if not good:
            self.wrong.append(f"{kind}: {what}")


# whoever checks proofs: add further ones here
INCLUSION: dict[str, Callable[[Vector], bool]] = {
    "writer": lambda v: writers.verify_inclusion(
        _hash(v["leafHash"]), v["leafIdx"], v["treeSize"], _proof(v), _hash(v["root"])
    ),
    "verifier": lambda v: verifiers.includes(
        _hash(v["root"]), v["treeSize"], v["leafIdx"], _hash(v["leafHash"]), _proof(v)
    ),
}
CONSISTENCY: dict[str, Callable[[Vector], bool]] = {
    "writer": lambda v: writers.verify_consistency(
        v["size1"], v["size2"], _hash(v["root1"]), _hash(v["root2"]), _proof(v)
    ),
    "verifier": lambda v: verifiers.extends(
        _hash(v["root1"]), v["size1"], _hash(v["root2"]), v["size2"], _proof(v)
    ),
}


def main(folder: Path) -> int:
    """0 if everything ended as it should, 1 if not, 2 if there is nothing to look at."""
    if not folder.is_dir():
        sys.stderr.write("say make vectors DIR=/path/to/vectors, and let it be a folder\n")
        return 2
    tally = Tally()
    for kind, readers in (("inclusion", INCLUSION), ("consistency", CONSISTENCY)):
        for vector in _vectors(folder, kind):
            for name, accepts in readers.items():
                tally.check(f"{kind} by the {name}", _agrees(accepts, vector), str(vector.get("name")))
    _spellings(folder, tally)
    if not tally.counts:
        sys.stderr.write(f"{folder} holds no vectors\n")
        return 2
    with TemporaryDirectory() as there:
        _turned_bits_of_a_log(Path(there), tally)
        _turned_bits_of_a_trail(Path(there), tally)
    for line in tally.wrong:
        print(line)
    print(", ".join(f"{count} {kind}" for kind, count in tally.counts.items()), end=": ")
    print(f"{len(tally.wrong)} wrong" if tally.wrong else "all as they should be")
    return 1 if tally.wrong else 0


def _vectors(folder: Path, kind: str) -> Iterator[Vector]:
    for file in sorted(folder.rglob(f"*{kind}*.jsonl")):
        yield from map(json.loads, file.read_text().splitlines())


def _agrees(accepts: Callable[[Vector], bool], vector: Vector) -> bool:
    try:
        return accepts(vector) is not bool(vector["wantErr"])
    except Exception as error:  # none may raise, whatever it is given
        print(f"{vector.get('name')}: {error!r}")
        return False


def _hash(text: str | None) -> bytes:
    return b64decode(text or "")


def _proof(vector: Vector) -> list[bytes]:
    return [_hash(each) for each in vector["proof"] or []]


def _spellings(folder: Path, tally: Tally) -> None:
    """Both agree with RFC 8785, and refuse what our log has none of."""
    for file in sorted(folder.rglob("jcs.json")):
        for vector in json.loads(file.read_text()):
            value, expected = json.loads(vector["input"]), bytes.fromhex(vector["output_hex"])
            spelled = expected if _is_allowed(value) else None
            tally.check("spellings by the writer", _spelled(value) == spelled, vector["name"])
            # what was a float in the input may be spelled as a whole number
            read = _is_read(expected) is _is_allowed(json.loads(expected)) and not _is_read(expected + b"\n")
            tally.check("spellings by the verifier", read, vector["name"])


def _is_allowed(value: Any) -> bool:
    """Whether there is no float in it, and no key beyond the Basic Multilingual Plane."""
    if isinstance(value, dict):
        return max("".join(value), default="") <= "\uffff" and all(map(_is_allowed, value.values()))
    return all(map(_is_allowed, value)) if isinstance(value, list) else not isinstance(value, float)


def _spelled(value: Any) -> bytes | None:
    try:
        return canonical(value)
    except NotCanonical:
        return None


def _is_read(raw: bytes) -> bool:
    try:
        verifiers_leaf.canonical(raw)
    except Fault:
        return False
    return True


def _turned_bits_of_a_log(there: Path, tally: Tally) -> None:
    made = Log.of(3).write(there / "log")
    for file in files(made):
        content = file.read_bytes()
        for bit, wrong in flips(content):
            file.write_bytes(wrong)
            noticed = of_export(made).name != "valid"
            tally.check("turned bits of a log", noticed, f"{file.relative_to(made)}, bit {bit}")
        file.write_bytes(content)
    tally.check("whole logs", of_export(made).name == "valid", "the log itself")


def _turned_bits_of_a_trail(there: Path, tally: Tally) -> None:
    log = Log.of(2)
    said = log.bundle(log.about[1][0])
    raw = json.dumps(said, ensure_ascii=False).encode()
    for bit, wrong in flips(raw):
        noticed = of_bundle(there / "trail", wrong).name != "valid"
        # a bit may turn one spelling of a text into another of the same
        tally.check("turned bits of a trail", noticed or json.loads(wrong) == said, f"bit {bit}")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] or "no folder")))
