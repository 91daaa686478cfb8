"""What the owner of the audit database can do to it, and how it is put back to what it was."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from services.audit.domain.tree import Edge, Tree
from shared.security.heads import Head, check
from tests.tamper import looks
from tests.tamper.deeds import Deed, Expected, at, within
from tests.tamper.world import SIZE, Entry, World
from tests.unit.verifier.making import leaf_hash

EDGE = SIZE - SIZE % 256  # from here on there is no full tile
PEAKS = (0, 512, 544, 560)  # where the full subtrees of SIZE entries begin
_COLUMNS = "source, position, event_id, type, actor, role, received_at, leaf"


def restored(world: World, tables: Iterable[str], *expected: Expected, undo: Sequence[str] = ()) -> Deed:
    """The deed, undone by statements of its own and by putting tables back and the findings."""

    def put_back() -> None:
        for statement in undo:
            world.admin.execute(statement)
        world.restore(*tables, "findings")

    return Deed(list(expected), put_back, world.admin.told)


def signed_at(world: World, index: int) -> Expected:
    """The signer, of bytes that are other ones under tiles that are as they were."""
    if index < EDGE:
        return at(looks.signer(world), "not-signed", index)
    before = max(size for size in (0, *world.head_sizes) if size <= index)
    return within(looks.signer(world), "not-signed", before, index)


def ranged(world: World, index: int) -> Expected:
    """The signer, who remembers only the roots of the full subtrees: it names the one that is another."""
    first = max(peak for peak in PEAKS if peak <= min(index, SIZE - 1))
    return within(looks.signer(world), "not-signed", first, index)


def headed(world: World, source: str, newest: bytes) -> Head:
    """The head of a source, signed anew by its own stolen key."""
    position = Entry.of(0, newest + b'\n{"links":[],"received":""}').position
    hash = sha256(newest).digest()
    signature = world.source_keys[source].sign(position, hash)
    return check(world.settings.secrets / "sources", source, position, hash, signature)


def set_leaf(world: World, index: int, leaf: bytes) -> None:
    world.admin.execute("UPDATE entries SET leaf = %b WHERE index = %s", (leaf, index))


def column(world: World, index: int, name: str, value: Any) -> None:
    world.admin.execute(f"UPDATE entries SET {name} = %s WHERE index = %s", (value, index))


def written(world: World, index: int, leaf: bytes) -> None:
    """The leaf, and beside it what it says."""
    world.admin.execute(
        f"UPDATE entries SET ({_COLUMNS}) = (%s, %s, %s, %s, %s, %s, %s, %b) WHERE index = %s",
        (*_said(Entry.of(index, leaf)), leaf, index),
    )


def _said(entry: Entry) -> tuple[Any, ...]:
    event = entry.event
    return (
        event["source"], event["position"], event["id"], event["type"], event["actor"], event["role"],
        entry.received,
    )  # fmt: skip


def rebuild(world: World, leaves: Sequence[bytes]) -> None:
    """The whole log anew out of these leaves: rows, subjects, tree heads and tiles that follow from them."""
    known = world.entries
    entries = [
        known[index] if index < SIZE and leaf == world.pristine[index] else Entry.of(index, leaf)
        for index, leaf in enumerate(leaves)
    ]
    world.admin.execute("TRUNCATE entries, subjects, tree_heads, tiles")
    columns = list(zip(*[_said(entry) for entry in entries], strict=True))
    world.admin.execute(
        f"INSERT INTO entries (index, {_COLUMNS}) SELECT place - 1, new.* FROM unnest(%s::text[],"
        " %s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %b::bytea[])"
        " WITH ORDINALITY AS numbered (a, b, c, d, e, f, g, h, place),"
        " LATERAL (SELECT a, b, c, d, e, f, g, h) AS new",
        [*map(list, columns), list(leaves)],
    )
    rows = [
        (*subject.split(":", 1), entry.index, *link)
        for entry in entries
        for subject, link in zip(entry.subjects, entry.links, strict=True)
    ]
    types = "%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[]"
    _insert(world, "subjects", types, rows)
    _grow_tree(world, leaves)


def _grow_tree(world: World, leaves: Sequence[bytes]) -> None:
    tree, edge, sizes = Tree(), Edge(), {*world.head_sizes, len(leaves)}
    heads, tiles = [], []
    for leaf in leaves:
        hash = leaf_hash(leaf)
        tree = tree.append([hash])
        tiles += edge.extend([hash])
        if tree.size in sizes:
            heads.append((tree.size, tree.root, b"".join(tree.peaks)))
    _insert(world, "tree_heads (size, root, peaks)", "%s::bigint[], %b::bytea[], %b::bytea[]", heads)
    _insert(world, "tiles", "%s::int[], %s::bigint[], %b::bytea[]", tiles)


def _insert(world: World, table: str, types: str, rows: Sequence[tuple[Any, ...]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    world.admin.execute(f"INSERT INTO {table} SELECT * FROM unnest({types})", columns)
