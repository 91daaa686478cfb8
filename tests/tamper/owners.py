"""Mutations around the entries, and by means that no trigger, right or constraint stands against."""

from functools import partial
from random import Random

from services.audit import hidden
from services.audit.domain.notes import LOG, WITNESS, Note, PrivateKey
from services.audit.signer import Signer
from tests.tamper import looks
from tests.tamper.database import restored, signed_at
from tests.tamper.deeds import Deed, Expected, at, kind
from tests.tamper.forging import flipped
from tests.tamper.world import CHECKPOINTS, SIZE, TRAILS, World

_HIDE = "DELETE FROM subjects WHERE kind = %s AND ref = %s AND index >= %s"
_BYTE = "set_byte(leaf, %(place)s, get_byte(leaf, %(place)s) # %(bit)s)"


def _somewhere(world: World, chance: Random) -> tuple[int, str]:
    """(index, an expression for its leaf with one bit turned)."""
    index = chance.randrange(SIZE)
    place = chance.randrange(len(world.pristine[index]))
    return index, _BYTE % {"place": place, "bit": 1 << chance.randrange(8)}


def _both(world: World, index: int) -> tuple[Expected, Expected]:
    return at(looks.verify(world), "altered", index), signed_at(world, index)


@kind("database")
def type_altered_using(world: World, chance: Random) -> Deed:
    """`ALTER TABLE … ALTER TYPE … USING` writes other bytes, which fires no trigger."""
    index, other = _somewhere(world, chance)
    world.admin.execute(
        f"ALTER TABLE entries ALTER leaf TYPE bytea USING CASE index WHEN {index} THEN {other} ELSE leaf END"
    )
    return restored(world, ["entries"], *_both(world, index))


@kind("database")
def column_altered_using(world: World, chance: Random) -> Deed:
    """The same of a column beside the entry."""
    index = chance.randrange(SIZE)
    name = chance.choice(("actor", "type", "role", "source"))
    world.admin.execute(
        f"ALTER TABLE entries ALTER {name} TYPE text"
        f" USING CASE index WHEN {index} THEN {name} || '.' ELSE {name} END"
    )
    return restored(world, ["entries"], at(looks.verify(world), "altered", index))


@kind("database")
def triggers_disabled(world: World, chance: Random) -> Deed:
    """Triggers are switched off, also those behind foreign keys, and rows changed or taken away."""
    index, other = _somewhere(world, chance)
    for table in ("entries", "signed_checkpoints", "cosignatures"):
        world.admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    world.admin.execute(f"UPDATE entries SET leaf = {other} WHERE index = {index}")
    world.admin.execute("DELETE FROM signed_checkpoints WHERE size < %s", (chance.randrange(90, SIZE),))
    undo = [
        f"ALTER TABLE {name} ENABLE TRIGGER ALL" for name in ("entries", "signed_checkpoints", "cosignatures")
    ]
    tables = ["entries", "signed_checkpoints", "cosignatures"]
    return restored(world, tables, *_both(world, index), undo=undo)


@kind("database")
def replica_role(world: World, chance: Random) -> Deed:
    """A session in a replica's role, to which triggers and foreign keys mean nothing, changes an entry."""
    index, other = _somewhere(world, chance)
    world.admin.execute(
        "BEGIN; SET LOCAL session_replication_role = replica;"
        f"UPDATE entries SET leaf = {other} WHERE index = {index};"
        f"DELETE FROM signed_checkpoints WHERE size < {chance.randrange(90, SIZE)}; COMMIT"
    )
    return restored(world, ["entries", "signed_checkpoints", "cosignatures"], *_both(world, index))


@kind("database")
def rows_hidden_by_row_level_security(world: World, chance: Random) -> Deed:
    """Row-level security hides an entry from the service or the signer, whoever it is that looks."""
    index = chance.randrange(SIZE)
    who = chance.choice(("audit_service", "audit_signer", "PUBLIC"))
    world.admin.execute(
        f"ALTER TABLE entries ENABLE ROW LEVEL SECURITY; CREATE POLICY shown ON entries USING (true);"
        f"CREATE POLICY hidden ON entries AS RESTRICTIVE TO {who} USING (index <> {index})"
    )
    expected = []
    if who != "audit_signer":
        expected.append(at(looks.verify(world), "altered", index))
    if who != "audit_service":
        expected.append(at(looks.signer(world), "not-signed", index))
    undo = [
        "DROP POLICY hidden ON entries; DROP POLICY shown ON entries;"
        "ALTER TABLE entries DISABLE ROW LEVEL SECURITY"
    ]
    return restored(world, [], *expected, undo=undo)


@kind("database")
def subjects_hidden_by_row_level_security(world: World, chance: Random) -> Deed:
    """Row-level security hides an entry from the trail of one of its subjects."""
    index, kind_, ref = chance.choice(world.subject_rows)
    world.admin.execute(
        "ALTER TABLE subjects ENABLE ROW LEVEL SECURITY; CREATE POLICY shown ON subjects USING (true);"
        f"CREATE POLICY hidden ON subjects AS RESTRICTIVE USING"
        f" (index <> {index} OR kind <> '{kind_}' OR ref <> '{ref}')"
    )
    undo = [
        "DROP POLICY hidden ON subjects; DROP POLICY shown ON subjects;"
        "ALTER TABLE subjects DISABLE ROW LEVEL SECURITY"
    ]
    expected = at(looks.verify(world), "altered", index), at(looks.signer(world), "not-signed", index)
    return restored(world, [], *expected, undo=undo)


@kind("database")
def view_in_place_of_the_table(world: World, chance: Random) -> Deed:
    """A view with the table's name shows one entry otherwise than it is stored, or not at all."""
    index, other = _somewhere(world, chance)
    columns = "index, source, position, event_id, type, actor, role, received_at"
    if gone := chance.random() < 0.5:
        shown = f"SELECT * FROM stored WHERE index <> {index}"
    else:
        shown = f"SELECT {columns}, CASE index WHEN {index} THEN {other} ELSE leaf END AS leaf FROM stored"
    world.admin.execute(
        f"ALTER TABLE entries RENAME TO stored; CREATE VIEW entries AS {shown};"
        "GRANT SELECT ON entries TO audit_service, audit_signer"
    )
    undo = ["DROP VIEW entries; ALTER TABLE stored RENAME TO entries"]
    verified, signed = _both(world, index)
    if gone:
        signed = at(looks.signer(world), "not-signed", index)
    return restored(world, [], verified, signed, undo=undo)


# -- what is around the entries


@kind("database")
def subject_omitted(world: World, chance: Random) -> Deed:
    """An entry is taken out of the trail of one of its subjects, or of all: often the newest of a subject."""
    index, kind_, ref = chance.choice(world.newest_rows if chance.random() < 0.5 else world.subject_rows)
    if chance.random() < 0.3:
        world.admin.execute("DELETE FROM subjects WHERE index = %s", (index,))
    else:
        world.admin.execute(
            "DELETE FROM subjects WHERE index = %s AND kind = %s AND ref = %s", (index, kind_, ref)
        )
    expected = at(looks.verify(world), "altered", index), at(looks.signer(world), "not-signed", index)
    return restored(world, ["subjects"], *expected)


@kind("database")
def newest_of_a_trail_hidden(world: World, chance: Random) -> Deed:
    """The newest rows of a subject are deleted, after its head was signed for somebody or before."""
    about = chance.choice([(name, id) for name, id in TRAILS if name == "candidate"])
    indexes = [index for index, *subject in world.subject_rows if tuple(subject) == about]
    count = chance.randint(1, len(indexes) - 1)
    hide = partial(world.admin.execute, _HIDE, (*about, indexes[-count]))
    sign = Signer(world.settings, None, lambda: world.now).step
    ask = partial(hidden.expect, world.settings, world.service, *about, lambda: sign(world.signer))
    for deed in (ask, hide) if chance.random() < 0.5 else (hide, ask):
        deed()
    expected = at(looks.trail(world, *about), "incomplete", indexes[-count])
    return restored(world, ["subjects"], expected, undo=["TRUNCATE subject_questions"])


@kind("database")
def subject_turned(world: World, chance: Random) -> Deed:
    """An entry is put into the trail of somebody else, or there is one more, or it is counted otherwise."""
    index, kind_, ref = chance.choice(world.subject_rows)
    where = (index, kind_, ref)
    change = chance.randrange(4)
    signed = at(looks.signer(world), "not-signed", index)
    expected = [at(looks.verify(world), "altered", index), signed]
    if change == 0:
        world.admin.execute(
            f"UPDATE subjects SET ref = 'another-{chance.randrange(99)}'"
            " WHERE index = %s AND kind = %s AND ref = %s", where
        )  # fmt: skip
    elif change == 1:
        world.admin.execute(
            f"UPDATE subjects SET number = number + {chance.randint(1, 9)}"
            " WHERE index = %s AND kind = %s AND ref = %s", where
        )  # fmt: skip
    elif change == 2:
        world.admin.execute(
            "UPDATE subjects SET previous = previous - 1 WHERE index = %s AND kind = %s AND ref = %s", where
        )
        expected.remove(signed)  # the signer's answers do not rest on it, and it does not read it
    else:
        row = ("candidate", f"slandered-{chance.randrange(99)}", index, 1, -1)
        world.admin.execute("INSERT INTO subjects VALUES (%s, %s, %s, %s, %s)", row)
    return restored(world, ["subjects"], *expected)


@kind("database")
def stored_tile_changed(world: World, chance: Random) -> Deed:
    """One bit of a stored tile is turned, or the tile is gone."""
    number = chance.randrange(2)
    if chance.random() < 0.2:
        world.admin.execute("DELETE FROM tiles WHERE level = 0 AND index = %s", (number,))
        first = number * 256
    else:
        where, wrong = flipped(world.tiles[number], chance)
        world.admin.execute("UPDATE tiles SET hashes = %b WHERE index = %s", (wrong, number))
        first = number * 256 + where // 32
    return restored(
        world,
        ["tiles"],
        at(looks.verify(world), "altered", first),
        at(looks.signer(world), "not-signed", first),
    )


@kind("database")
def tree_head_changed(world: World, chance: Random) -> Deed:
    """One bit of a tree head is turned, the newest ones are gone, or there is one of a longer log."""
    sizes, change = world.head_sizes, chance.randrange(3)
    if change == 0:
        place, name = chance.randrange(len(sizes)), chance.choice(("root", "peaks"))
        _, wrong = flipped(world.tree_heads[sizes[place]][name == "peaks"], chance)
        world.admin.execute(f"UPDATE tree_heads SET {name} = %b WHERE size = %s", (wrong, sizes[place]))
        verified, signed = sizes[place] - 1, sizes[place - 1] if place else 0
    elif change == 1:
        verified = signed = chance.choice([0, *sizes[:-1]])
        world.admin.execute("DELETE FROM tree_heads WHERE size > %s", (verified,))
    else:
        verified = signed = SIZE
        root, peaks = world.tree_heads[chance.choice(sizes)]
        row = (SIZE + chance.randint(1, 99), root, peaks)
        world.admin.execute("INSERT INTO tree_heads (size, root, peaks) VALUES (%s, %b, %b)", row)
    expected = at(looks.verify(world), "altered", verified), at(looks.signer(world), "not-signed", signed)
    return restored(world, ["tree_heads"], *expected)


@kind("database")
def published_checkpoint_changed(world: World, chance: Random) -> Deed:
    """What the database has of the published checkpoint says another tree, or another signature."""
    note = str(world.published)
    change = chance.randrange(3)
    if change == 0:
        world.admin.execute(
            "UPDATE signed_checkpoints SET root = %b WHERE size = %s", (chance.randbytes(32), SIZE)
        )
    elif change == 1:
        stored = str(Note(world.published.text, world.published.signatures[:1]))
        wrong = _spoiled(stored, chance)
        world.admin.execute("UPDATE signed_checkpoints SET note = %s WHERE size = %s", (wrong, SIZE))
    else:
        text = note.partition("\n\n")[0] + "\n"
        stranger = PrivateKey.seeded(world.settings.origin, LOG, chance.randbytes(32))
        wrong = str(Note(text, (stranger.sign(text),)))
        world.admin.execute("UPDATE signed_checkpoints SET note = %s WHERE size = %s", (wrong, SIZE))
    tables = ["signed_checkpoints", "cosignatures"]
    return restored(world, tables, at(looks.verify(world), "altered", None))


def _spoiled(note: str, chance: Random) -> str:
    """A character of it is another one, in the text or in the signature itself."""
    place = chance.choice([at_ for at_, letter in enumerate(note) if letter not in "\n — "])
    other = chance.choice([letter for letter in "abcdefgh0123" if letter != note[place]])
    return note[:place] + other + note[place + 1 :]


@kind("database")
def stored_cosignature_changed(world: World, chance: Random) -> Deed:
    """A cosignature in the database is gone, a stranger's, or that of another checkpoint."""
    which = chance.randrange(3)
    key, change = world.witness_keys[which], chance.randrange(3)
    where = (SIZE, key.name)
    expected = [at(looks.exported(world), "NotPublished", None)]
    if change == 0:
        world.admin.execute("DELETE FROM cosignatures WHERE size = %s AND witness = %s", where)
        expected.append(at(looks.verify(world), "unwitnessed", None))
    elif change == 1:
        stranger = PrivateKey.seeded(key.name, WITNESS, chance.randbytes(32))
        line = stranger.sign(world.published.text, int(world.now)).line
        world.admin.execute(
            "UPDATE cosignatures SET line = %s WHERE size = %s AND witness = %s", (line, *where)
        )
    else:
        world.admin.execute(
            "UPDATE cosignatures c SET line = o.line FROM cosignatures o WHERE o.size = %s"
            " AND o.witness = c.witness AND c.size = %s AND c.witness = %s",
            (chance.choice(CHECKPOINTS[:-1]), *where),
        )
        expected.append(at(looks.verify(world), "altered", None))
    return restored(world, ["signed_checkpoints", "cosignatures"], *expected)
