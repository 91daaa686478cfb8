"""Proofs of the tree: made from tiles, checked with hashes alone, held against a tree made naively."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.tree import (
    EMPTY,
    HASH,
    WIDTH,
    Edge,
    Tree,
    consistency,
    inclusion,
    leaf_hash,
    node_hash,
    root_of,
    tile_root,
    verify_consistency,
    verify_inclusion,
    widths,
)

LEAVES = [leaf_hash(b"%d" % number) for number in range(1100)]


def naive(leaves: list[bytes]) -> bytes:
    """The root as RFC 6962 defines it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(naive(leaves[:half]), naive(leaves[half:]))


ROOTS = {
    size: naive(LEAVES[:size]) for size in [*range(70), 255, 256, 257, 511, 512, 513, 767, 1023, 1024, 1100]
}


class Naive:
    """Tiles of the leaves that are there, made anew for each question."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._leaves = leaves

    def tile(self, level: int, index: int, width: int) -> bytes:
        span = WIDTH**level
        starts = [(index * WIDTH + place) * span for place in range(width)]
        if starts[-1] + span > len(self._leaves):
            raise LookupError
        return b"".join(naive(self._leaves[start : start + span]) for start in starts)


TILES = Naive(LEAVES)
sizes = st.sampled_from(sorted(ROOTS))
places = st.integers(0, 10**6)


@given(sizes)
def test_a_root_out_of_tiles_is_the_root(size: int) -> None:
    assert root_of(size, TILES) == ROOTS[size] == Tree().append(LEAVES[:size]).root


@given(sizes.filter(bool), places)
def test_a_proof_of_inclusion_holds_for_its_leaf_and_for_no_other_place_size_or_root(
    size: int, at: int
) -> None:
    index, root = at % size, ROOTS[size]
    proof = inclusion(index, size, TILES)
    assert verify_inclusion(LEAVES[index], index, size, proof, root)
    assert not verify_inclusion(LEAVES[index + 1], index, size, proof, root)
    assert not verify_inclusion(LEAVES[index], index, size, [*proof, root], root)
    assert not verify_inclusion(LEAVES[index], index, size, proof, leaf_hash(root))
    for other in {index - 1, index + 1, size, -1} - {index}:
        assert not verify_inclusion(LEAVES[index], other, size, proof, root)
    for place in range(len(proof)):
        changed = [*proof[:place], bytes(HASH), *proof[place + 1 :]]
        assert not verify_inclusion(LEAVES[index], index, size, changed, root)
        assert not verify_inclusion(LEAVES[index], index, size, proof[:place] + proof[place + 1 :], root)


@given(sizes, sizes)
def test_a_proof_of_consistency_holds_for_its_trees_and_no_others(one: int, other: int) -> None:
    old, new = sorted((one, other))
    proof = consistency(old, new, TILES)
    assert verify_consistency(old, new, ROOTS[old], ROOTS[new], proof) is (old > 0)
    assert not verify_consistency(old, new, ROOTS[old], ROOTS[new], [*proof, bytes(HASH)])
    assert not verify_consistency(old, new, bytes(HASH), ROOTS[new], proof)
    assert not verify_consistency(old, new, ROOTS[old], bytes(HASH), proof)
    if old != new:
        assert not verify_consistency(new, old, ROOTS[new], ROOTS[old], proof)
    for place in range(len(proof)):
        changed = [*proof[:place], bytes(HASH), *proof[place + 1 :]]
        assert not verify_consistency(old, new, ROOTS[old], ROOTS[new], changed)


@given(sizes, sizes)
def test_a_tree_that_was_rewritten_has_no_proof_of_consistency(one: int, other: int) -> None:
    old, new = sorted((one, other))
    if 0 < old < new:
        rewritten = [bytes(HASH), *LEAVES[1:new]]
        proof = consistency(old, new, Naive(rewritten))
        assert not verify_consistency(old, new, ROOTS[old], naive(rewritten), proof)


def test_parts_of_a_proof_that_are_no_hashes_prove_nothing() -> None:
    proof = inclusion(2, 5, TILES)
    joined = [proof[0] + proof[1], *proof[2:]]
    assert not verify_inclusion(LEAVES[2], 2, 5, joined, ROOTS[5])
    assert not verify_inclusion(LEAVES[2], 2, 5, [b"", *proof], ROOTS[5])
    assert not verify_consistency(3, 5, ROOTS[3], ROOTS[5], [b""])


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_there_is_no_proof_of_an_entry_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="is not in a tree"):
        inclusion(index, size, TILES)


@pytest.mark.parametrize(("old", "new"), [(-1, 5), (6, 5)])
def test_there_is_no_proof_of_a_tree_that_shrinks(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="does not begin"):
        consistency(old, new, TILES)


def test_tiles_that_are_too_narrow_are_told() -> None:
    class Narrow(Naive):
        def tile(self, level: int, index: int, width: int) -> bytes:
            return super().tile(level, index, width)[:-HASH]

    with pytest.raises(LookupError, match="tile 0/0"):
        root_of(7, Narrow(LEAVES))


@given(st.lists(st.integers(0, 300), max_size=6), st.integers(0, 600))
def test_an_edge_gives_each_tile_once_it_is_full_however_leaves_arrive(parts: list[int], start: int) -> None:
    edge, found, at = Edge.of(start, TILES), [], start
    for part in parts:
        part = min(part, len(LEAVES) - at)
        kept = edge.copy()
        found += edge.extend(LEAVES[at : at + part])
        assert kept.size == at
        at += part
    before, after = widths(start), widths(at)
    before += [0] * (len(after) - len(before))
    wanted = {
        (level, index): TILES.tile(level, index, WIDTH)
        for level, (old, new) in enumerate(zip(before, after, strict=True))
        for index in range(old // WIDTH, new // WIDTH)
    }
    assert {(level, index): hashes for level, index, hashes in found} == wanted
    assert len(found) == len(wanted)


def test_tiles_of_every_level_are_full_in_their_turn() -> None:
    hashes = [bytes([number % 251]) * HASH for number in range(WIDTH * WIDTH)]
    full = Edge().extend(hashes)
    assert [(level, index) for level, index, _ in full] == [*((0, at) for at in range(WIDTH)), (1, 0)]
    assert tile_root(full[-1][2]) == Tree().append(hashes).root
    assert tile_root(full[0][2]) == full[-1][2][:HASH]
    with pytest.raises(ValueError, match="full tile"):
        tile_root(full[0][2][HASH:])
