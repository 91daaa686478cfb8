"""What the peers of the audit log are given, and that they hash all of it."""

from pathlib import Path

from bench.peers.hashing import hashing
from bench.peers.leaves import bundles, split


def bundle(leaves: list[bytes]) -> bytes:
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def test_the_files_of_entries_come_in_order_and_in_equal_parts(tmp_path: Path) -> None:
    names = ["000", "001", "999", "x001/000", "x001/001.p/3"]
    for number, name in enumerate(names):
        path = tmp_path / "tile" / "entries" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bundle([b"%d\nnote" % number, b"\n"]))
    leaves = [leaf for each in bundles(str(tmp_path)) for leaf in split(each)]
    assert leaves == [leaf for number in range(5) for leaf in (b"%d\nnote" % number, b"\n")]
    parts = [bundles(str(tmp_path), part, 2) for part in range(2)]
    assert [len(part) for part in parts] == [3, 2]
    assert parts[0] + parts[1] == bundles(str(tmp_path))
    assert [hashing(str(tmp_path), number, 2)() for number in range(2)] == [6, 4]


def test_a_leaf_may_be_empty_or_long() -> None:
    leaves = [b"", b"a" * 65_535, b"b"]
    assert list(split(bundle(leaves))) == leaves
