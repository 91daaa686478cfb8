"""The tree of the audit log is RFC 6962's, and the log's heads are that tree's."""

from hashlib import sha256

import pytest

from services.audit.domain.tree import EMPTY, Tree, leaf_hash
from tests.integration.audit.witness import Witness, tell


def merkle_tree_hash(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    n = len(leaves)
    if n == 0:
        return sha256().digest()
    if n == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < n:
        k *= 2
    return sha256(b"\x01" + merkle_tree_hash(leaves[:k]) + merkle_tree_hash(leaves[k:])).digest()


# the inputs and roots that Certificate Transparency's own tests use
KNOWN = [
    (b"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    (b"\x00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    (b"\x10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    (bytes.fromhex("2021"), "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    (bytes.fromhex("3031"), "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    (bytes.fromhex("40414243"), "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    (bytes.fromhex("5051525354555657"), "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (bytes(range(0x60, 0x70)), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
]


@pytest.mark.parametrize("size", range(34))
def test_a_root_is_that_of_rfc_6962_however_the_leaves_arrived(size: int) -> None:
    leaves = [b"leaf %d" % number for number in range(size)]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    expected = merkle_tree_hash(leaves)
    assert Tree().append(hashes).root == expected
    for first in range(size + 1):
        grown = Tree().append(hashes[:first])
        stored = Tree.stored(grown.size, b"".join(grown.peaks))
        assert stored.append(hashes[first:]).root == expected


def test_roots_are_those_that_certificate_transparency_publishes() -> None:
    tree = Tree()
    assert tree.root == EMPTY == sha256(b"").digest()
    for leaf, root in KNOWN:
        tree = tree.append([leaf_hash(leaf)])
        assert tree.root.hex() == root


@pytest.mark.parametrize(("size", "peaks"), [(1, 0), (3, 1), (4, 2), (0, 1)])
def test_peaks_that_do_not_fit_the_size_are_refused(size: int, peaks: int) -> None:
    with pytest.raises(ValueError, match="one peak"):
        Tree.stored(size, bytes(32) * peaks)


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 100])
def test_every_tree_head_has_the_root_of_the_entries_up_to_it(empty: Witness, at_a_time: int) -> None:
    for candidate in ("Ling", "Hua"):
        tell(empty, candidate)
        empty.hear(at_a_time=at_a_time)
    leaves = empty.leaves()
    with empty.admin.cursor(binary=True) as cursor:
        heads = cursor.execute("SELECT size, root FROM tree_heads ORDER BY size").fetchall()
    assert len(leaves) == heads[-1][0] == 12
    for size, root in heads:
        assert root == merkle_tree_hash(leaves[:size])
