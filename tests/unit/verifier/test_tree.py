"""Roots and proofs of RFC 6962, against vectors that everybody knows and against its definitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.verifier import tree
from tests.unit.verifier import making

LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}

HASHES = [tree.leaf_hash(leaf) for leaf in LEAVES]
small = st.integers(1, 40)
hashes = [making.leaf_hash(bytes([at])) for at in range(40)]


def decoded(proof):
    return [bytes.fromhex(hash) for hash in proof]


def test_an_empty_tree_has_the_hash_of_nothing():
    assert tree.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_the_eight_leaves_have_their_known_roots(size):
    assert tree.root(HASHES[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("place", "proof"), INCLUSION.items())
def test_known_inclusion_proofs_are_accepted(place, proof):
    index, size = place
    root = bytes.fromhex(ROOTS[size - 1])
    assert tree.includes(root, size, index, HASHES[index], decoded(proof))
    assert not tree.includes(root, size, index, HASHES[index - 1], decoded(proof)) or size == 1


@pytest.mark.parametrize(("sizes", "proof"), CONSISTENCY.items())
def test_known_consistency_proofs_are_accepted(sizes, proof):
    old, new = sizes
    roots = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1])
    assert tree.extends(roots[0], old, roots[1], new, decoded(proof))


def test_every_proof_of_every_small_tree_is_accepted_and_no_other_index():
    for size in range(1, 20):
        root = making.root(hashes[:size])
        for index in range(size):
            proof = making.path(index, hashes[:size])
            found = [at for at in range(-1, size + 2) if tree.includes(root, size, at, hashes[index], proof)]
            assert found == [index]


def test_every_tree_extends_every_smaller_one():
    for new in range(1, 20):
        for old in range(1, new + 1):
            roots = making.root(hashes[:old]), making.root(hashes[:new])
            proof = making.consistency(old, hashes[:new])
            assert tree.extends(roots[0], old, roots[1], new, proof)
            assert not tree.extends(roots[0], old, roots[1], new, [*proof, hashes[0]])


@given(small, st.data())
def test_the_root_is_that_of_the_definition(size, data):
    assert tree.root(hashes[:size]) == making.root(hashes[:size])


@given(small, st.data())
def test_a_spoiled_inclusion_proof_is_refused(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = making.path(index, hashes[:size])
    parts = [making.root(hashes[:size]), hashes[index], *proof]
    at, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[at] = (int.from_bytes(parts[at], "big") ^ 1 << bit).to_bytes(32, "big")
    assert not tree.includes(parts[0], size, index, parts[1], parts[2:])


@given(small, st.data())
def test_a_spoiled_consistency_proof_is_refused(new, data):
    old = data.draw(st.integers(1, new))
    parts = [making.root(hashes[:old]), making.root(hashes[:new]), *making.consistency(old, hashes[:new])]
    at, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[at] = (int.from_bytes(parts[at], "big") ^ 1 << bit).to_bytes(32, "big")
    assert not tree.extends(parts[0], old, parts[1], new, parts[2:])


@pytest.mark.parametrize("proof", [[b""], [b"x" * 31], [b"x" * 33], [b"x" * 32] * 70])
def test_what_is_no_proof_is_refused(proof):
    assert not tree.includes(making.root(hashes[:5]), 5, 4, hashes[4], proof)
    assert not tree.extends(making.root(hashes[:4]), 4, making.root(hashes[:5]), 5, proof)


def test_of_an_empty_tree_nothing_can_be_shown():
    root = making.root(hashes[:3])
    assert not tree.extends(tree.EMPTY, 0, root, 3, [])
    assert not tree.extends(tree.EMPTY, 0, tree.EMPTY, 0, [])
