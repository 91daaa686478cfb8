"""A log that shows itself to one witness otherwise than to others, or goes back behind what it has shown."""

from collections.abc import Sequence
from random import Random

from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.cosigning import Request
from services.audit.domain.notes import LOG, Note, PrivateKey
from services.audit.domain.tree import consistency
from tests.tamper import looks
from tests.tamper.deeds import Deed, at, kind
from tests.tamper.forging import flipped
from tests.tamper.world import SIZE, World
from tests.unit.verifier import making


class Tiles:
    """The tiles of these leaf hashes, whatever anybody has signed."""

    def __init__(self, hashes: Sequence[bytes]) -> None:
        self._levels = [list(hashes)]
        while len(self._levels[-1]) >= 256:
            below = self._levels[-1]
            full = range(0, len(below) // 256 * 256, 256)
            self._levels.append([making.root(below[at_ : at_ + 256]) for at_ in full])

    def tile(self, level: int, index: int, width: int) -> bytes:
        hashes = self._levels[level][256 * index : 256 * index + width]
        if len(hashes) < width:
            raise LookupError(f"tile {level}/{index}")
        return b"".join(hashes)


def asks(world: World, old: int, hashes: Sequence[bytes], key: PrivateKey | None = None) -> Request:
    """A request to cosign the tree of these, with the best proof that there is."""
    text = Checkpoint(world.settings.origin, len(hashes), making.root(hashes)).text
    note = Note(text, ((key or world.key).sign(text),))
    return Request(old, tuple(consistency(old, len(hashes), Tiles(hashes))), note)


def other_hashes(world: World, chance: Random, size: int, first: int = 0) -> list[bytes]:
    """So many leaf hashes, one of which below SIZE, and not before `first`, is another than the log's."""
    hashes = [*world.hashes, *(chance.randbytes(32) for _ in range(size - SIZE))][:size]
    hashes[chance.randrange(first, min(size, SIZE))] = chance.randbytes(32)
    return hashes


def refused(world: World, request: Request, status: int, index: int | None = None) -> Deed:
    return Deed([at(looks.witness(world.witnesses[0], request.body), str(status), index)], what=request.body)


@kind("view", again=True, weight=2)
def split_view(world: World, chance: Random) -> Deed:
    """Another log of the same size, properly signed, is shown to a witness."""
    return refused(world, asks(world, SIZE, other_hashes(world, chance, SIZE)), 422)


@kind("view", again=True, weight=2)
def split_view_that_grows(world: World, chance: Random) -> Deed:
    """A longer log, properly signed, that begins otherwise than what the witness has cosigned."""
    size = SIZE + chance.randint(1, 300)
    return refused(world, asks(world, SIZE, other_hashes(world, chance, size)), 422)


@kind("view", weight=2)
def consistency_forged(world: World, chance: Random) -> Deed:
    """The proof that an honest log continues the witness's is another, by a bit, a hash or an order."""
    hashes = [*world.hashes, *(chance.randbytes(32) for _ in range(chance.randint(1, 300)))]
    request = asks(world, SIZE, hashes)
    proof = list(request.proof)
    change = chance.randrange(4)
    which = chance.randrange(len(proof))
    if change == 0:
        _, proof[which] = flipped(proof[which], chance)
    elif change == 1:
        del proof[which]
    elif change == 2:
        proof.insert(which, chance.randbytes(32))
    else:
        proof = proof[::-1]
        if tuple(proof) == request.proof:
            return None  # type: ignore[return-value]
    return refused(world, Request(SIZE, tuple(proof), request.note), 422)


@kind("view")
def log_rolled_back(world: World, chance: Random) -> Deed:
    """A shorter log than the witness has cosigned, as it truly was once, or from another beginning."""
    size = chance.randrange(1, SIZE)
    hashes = world.hashes[:size] if chance.random() < 0.5 else other_hashes(world, chance, size)
    old = chance.randrange(size + 1)
    return refused(world, asks(world, old, hashes), 409, SIZE)


@kind("view")
def log_signed_by_a_stranger(world: World, chance: Random) -> Deed:
    """The log of the witness's own memory, honestly continued, but signed by another key of its name."""
    stranger = PrivateKey.seeded(world.settings.origin, LOG, chance.randbytes(32))
    hashes = [*world.hashes, *(chance.randbytes(32) for _ in range(chance.randint(0, 99)))]
    return refused(world, asks(world, SIZE, hashes, stranger), 403)


@kind("view")
def checkpoint_forged_to_a_witness(world: World, chance: Random) -> Deed:
    """The text under the log's signature is another than the log has signed."""
    request = asks(world, SIZE, [*world.hashes, chance.randbytes(32)])
    text = Checkpoint(world.settings.origin, SIZE + chance.randint(2, 99), chance.randbytes(32)).text
    return refused(world, Request(SIZE, request.proof, Note(text, request.note.signatures)), 403)
