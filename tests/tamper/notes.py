"""Mutations of what is signed: checkpoints, cosignatures, keys, and the policy that says whose count."""

import re
from base64 import b64encode
from dataclasses import replace
from random import Random

from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.notes import LOG, WITNESS, Note, PrivateKey
from services.audit.domain.tree import Tree, leaf_hash
from tests.tamper import looks
from tests.tamper.deeds import Chance, Deed, Expected, at, kind
from tests.tamper.exports import changed, says, tree_files
from tests.tamper.forging import leaf, other_event, relinked, resealed, turned, unstated
from tests.tamper.trails import handed
from tests.tamper.world import World, seed

# how many bits there are to be turned; `distinct` in the report falls short where that is not so
CHECKPOINT_BITS, COSIGNATURE_BITS = 1648, 3432
POLICY_BITS, SIGNER_BITS, WITNESS_BITS = 1760, 4088, 1760
_NAMED = re.compile(rb"\+[0-9a-f]{8}\+")


def checkpoint(world: World, chance: Random, content: str | bytes, verdict: str, *others: str) -> Deed:
    """Another checkpoint over a trail, or (seldom, for it costs more to check) over the export."""
    raw = content.encode() if isinstance(content, str) else content
    if chance.random() < 0.1 or not _is_text(raw):
        expected = Expected(looks.newest(world), (verdict, *others), None, None)
        return changed(world, {"checkpoint": raw}, expected)
    said = {**chance.choice(world.trails[:-1]), "checkpoint": raw.decode()}
    return handed(world, said, Expected(looks.handed(world), (verdict, *others), None, None))


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


@kind("notes", weight=3, most=CHECKPOINT_BITS)
def checkpoint_bit(world: World, chance: Chance) -> Deed:
    """One bit of an exported checkpoint is turned, in what the log has signed or in its signature."""
    content = world.files["checkpoint"]
    wrong = turned(content, chance, (0, content.index(b"\n", content.index(b"\n\n") + 2)))
    return checkpoint(world, chance, wrong, "tampered", "unreadable")


@kind("notes", weight=2)
def checkpoint_changed(world: World, chance: Random) -> Deed:
    """A checkpoint says another size, another root, another log, or more than it said."""
    note = world.note()
    lines = note.text.split("\n")
    change = chance.randrange(4)
    if change == 0:
        lines[1] = str(chance.choice([size for size in range(1, 999) if str(size) != lines[1]]))
    elif change == 1:
        lines[2] = b64encode(chance.randbytes(32)).decode()
    elif change == 2:
        lines[0] += f"-{chance.randrange(100)}"
    else:
        lines.insert(3, f"extension {chance.randrange(100)}")
    return checkpoint(world, chance, str(replace(note, text="\n".join(lines))), "tampered")


@kind("notes", weight=3, most=COSIGNATURE_BITS)
def cosignature_bit(world: World, chance: Chance) -> Deed:
    """One bit of a witness's cosignature is turned: it is wrong, nobody's, or none."""
    content = world.files["checkpoint"]
    start = content.index(b"\n", content.index(b"\n\n") + 2) + 1
    wrong = turned(content, chance, (start, len(content)))
    return checkpoint(world, chance, wrong, "tampered", "unreadable", "unwitnessed")


@kind("notes", weight=2)
def cosignature_taken_away(world: World, chance: Random) -> Deed:
    """Fewer witnesses than the quorum have cosigned; one of them may stand there several times."""
    note = world.note()
    log, *cosigned = note.signatures
    kept = chance.sample(cosigned, chance.randrange(3))
    kept += [chance.choice(kept) for _ in range(chance.randrange(3) if kept else 0)]
    return checkpoint(world, chance, str(replace(note, signatures=(log, *kept))), "unwitnessed")


@kind("notes", weight=2)
def cosignature_replayed(world: World, chance: Random) -> Deed:
    """A witness's cosignature of an earlier checkpoint, or of another moment, stands under the newest."""
    note = world.note()
    signatures = list(note.signatures)
    which = chance.randrange(1, len(signatures))
    if chance.random() < 0.5:
        signatures[which] = world.older_note.signatures[which]
    else:
        moment = chance.randrange(2**40).to_bytes(8, "big")
        signatures[which] = replace(signatures[which], content=moment + signatures[which].content[8:])
    return checkpoint(world, chance, str(replace(note, signatures=tuple(signatures))), "tampered")


@kind("notes", weight=2)
def cosignature_forged(world: World, chance: Random) -> Deed:
    """Strangers cosign in the names of witnesses: under ids of their own keys, or of the witnesses'."""
    note = world.note()
    signatures = list(note.signatures)
    pretends = chance.random() < 0.5
    for which in chance.sample(range(1, len(signatures)), chance.randint(1, 3)):
        stranger = PrivateKey.seeded(signatures[which].name, WITNESS, chance.randbytes(32))
        forged = stranger.sign(note.text, int(world.now))
        signatures[which] = replace(forged, id=signatures[which].id) if pretends else forged
    forged_note = replace(note, signatures=tuple(signatures))
    return checkpoint(world, chance, str(forged_note), "tampered" if pretends else "unwitnessed")


def _tree_of_a_forger(world: World, chance: Random) -> tuple[list[bytes], int | None]:
    """A log that says something else, with chains, links and tree to match; where a source denies it."""
    index = chance.randrange(len(world.entries))
    entry = world.entries[index]
    if chance.random() < 0.5:
        forged = leaf(entry.sealed, entry.links, f"2031{entry.received[4:]}")
        return [*world.pristine[:index], forged, *world.pristine[index + 1 :]], None
    event = other_event(entry, chance)
    others = resealed(world.entries, index, event)
    leaves = relinked((others.get(each.index, each.sealed), each.received) for each in world.entries)
    return leaves, unstated(world.entries, index, event)


def _signed_tree(
    world: World, chance: Random, *keys: PrivateKey
) -> tuple[dict[str, bytes | None], Note, int | None]:
    leaves, denied = _tree_of_a_forger(world, chance)
    root = Tree().append(map(leaf_hash, leaves)).root
    text = Checkpoint(world.settings.origin, len(leaves), root).text
    note = Note(text, tuple(key.sign(text, int(world.now)) for key in keys))
    return {**tree_files(leaves), "checkpoint": str(note).encode()}, note, denied


@kind("notes", again=True, weight=0.5)
def key_swapped(world: World, chance: Random) -> Deed:
    """A log that was rewritten as a whole is signed by another key of its name, and cosigned by strangers."""
    stranger = PrivateKey.seeded(world.settings.origin, LOG, chance.randbytes(32))
    others = [PrivateKey.seeded(key.name, WITNESS, chance.randbytes(32)) for key in world.witness_keys]
    files, _, _ = _signed_tree(world, chance, stranger, *others)
    return changed(world, files, says(world, "tampered", None))


@kind("notes", again=True, weight=0.5)
def minority_colludes(world: World, chance: Random) -> Deed:
    """The log's own key and up to two of four witnesses sign a log that was rewritten as a whole."""
    traitors = chance.sample(world.witness_keys, chance.randrange(3))
    files, note, denied = _signed_tree(world, chance, world.key, *traitors)

    def judged() -> looks.Seen:
        try:
            world.judging.judge(note)
        except ValueError as error:
            return looks.Seen(type(error).__name__)
        return looks.Seen("accepted")

    verdict = "unwitnessed" if denied is None else "tampered"
    return changed(world, files, says(world, verdict, denied), at(judged, "QuorumMissing", None))


# -- the policy


def policy(world: World, text: str | bytes, verdict: str) -> Deed:
    """A changed policy, by which somebody judges a trail."""
    world.other_policy.write_bytes(text if isinstance(text, bytes) else text.encode())
    world.trail_file.write_bytes(world.honest_trail)
    return Deed([at(looks.by_other_policy(world), verdict, None)], what=text)


@kind("policy", weight=2, most=POLICY_BITS)
def policy_key_bit(world: World, chance: Chance) -> Deed:
    """One bit of a public key in the policy is turned."""
    content = world.policy.encode()
    # the key itself, behind its name and id
    parts = [(found.end(), content.index(b"\n", found.end())) for found in _NAMED.finditer(content)]
    return policy(world, turned(content, chance, *parts), "unreadable")


@kind("policy", weight=2)
def policy_key_swapped(world: World, chance: Random) -> Deed:
    """The policy names another key for the log, or for a witness who has cosigned."""
    keys = [world.key, *world.witness_keys[:3]]
    key = chance.choice(keys)
    other = PrivateKey.seeded(key.name, key.type, chance.randbytes(32))
    text = world.policy.replace(str(key.verifier), str(other.verifier))
    verdict = "tampered" if key.type == LOG else "unwitnessed"
    return policy(world, text, verdict)


@kind("policy", weight=0.5, most=77)
def policy_quorum_lowered(world: World, chance: Random) -> Deed:
    """The policy asks for fewer witnesses than two thirds and one, for one alone, or for none."""
    lines = [
        f"group quorum-of-witnesses {number} {' '.join(chance.sample(['w0', 'w1', 'w2', 'w3'], 4))}"
        for number in ("1", "2", "any")
    ]
    group = "group quorum-of-witnesses 3 w0 w1 w2 w3"
    change = chance.randrange(5)
    if change < 3:
        text = world.policy.replace(group, lines[change])
    else:
        name = "none" if change == 3 else chance.choice(["w0", "w1", "w2", "w3"])
        text = world.policy.replace("quorum quorum-of-witnesses", f"quorum {name}")
    world.other_policy.write_text(text)
    return Deed([at(looks.doctor(world), "policy", None)], what=text)


@kind("policy", weight=0.5, most=14)
def policy_line_changed(world: World, chance: Random) -> Deed:
    """A line of the policy is gone, stands twice, or has become another one."""
    lines = world.policy.removesuffix("\n").split("\n")
    which = chance.randrange(len(lines))
    word = lines[which].split(" ")[0]
    if chance.random() < 0.5:
        lines.insert(which, lines[which])
        return policy(world, "\n".join(lines), "unreadable")
    del lines[which]
    verdict = "tampered" if word == "log" else "unreadable"
    return policy(world, "\n".join(lines), verdict)


# -- what the signer and the witnesses keep


@kind("signer", weight=2, most=SIGNER_BITS)
def signer_memory_bit(world: World, chance: Chance) -> Deed:
    """One bit of the signer's memory of what it has signed last is turned."""
    content = world.memory.read_bytes()
    path = world.memory
    wrong = turned(content, chance, (0, len(content)))
    path.write_bytes(wrong)
    return Deed([at(looks.signer(world), "MemoryBroken", None)], lambda: path.write_bytes(content), wrong)


@kind("signer", weight=0.1, most=1)
def signer_memory_lost(world: World, chance: Random) -> Deed:
    """The signer's memory of what it has signed last is gone."""
    path, content = world.memory, world.memory.read_bytes()
    path.unlink()
    return Deed([at(looks.signer(world), "MemoryLost", None)], lambda: path.write_bytes(content), "gone")


@kind("signer", weight=0.1)
def signer_key_swapped(world: World, chance: Random) -> Deed:
    """The signer finds another key in its folder: what it signs, no witness cosigns and nobody accepts."""
    path = world.settings.secrets / "signer/log.key"
    key = chance.randbytes(32)
    path.write_bytes(key)

    def undo() -> None:
        path.write_bytes(seed("log"))
        world.restore("signed_checkpoints", "cosignatures", "findings")

    refused = at(looks.signer(world, world.witnesses[0]), "refused-by-witness", 0)
    return Deed([refused, at(looks.exported(world), "NotPublished", None)], undo, key)


@kind("witness", weight=2, most=WITNESS_BITS)
def witness_memory_bit(world: World, chance: Chance) -> Deed:
    """One bit of what a witness keeps of its last cosignature is turned, in the text or in its own line."""
    path, content = world.witness_file, world.witness_file.read_bytes()
    text = content.index(b"\n\n") + 1
    own = content.rindex(b"\n", 0, -1) + 1
    wrong = turned(content, chance, (0, text), (own, len(content)))
    path.write_bytes(wrong)
    look = looks.witness(world.witnesses[0], world.honest_request)
    return Deed([at(look, "unsure", None)], lambda: path.write_bytes(content), wrong)
