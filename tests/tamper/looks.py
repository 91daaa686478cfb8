"""The checks of the product, each as somebody would run it, and what it says in a word and an index."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from psycopg import Connection
from psycopg.rows import dict_row

from services.audit import export, hidden, promised, standing, told, verification
from services.audit.domain.cosigning import Uncosigned
from services.audit.signer import Signer
from services.audit.verifier import cli
from services.audit.witness import Witness, WitnessUnsure
from shared.runtime import ownlogs
from shared.runtime.definition import Impossible
from shared.security.heads import Head
from tests.tamper.deeds import Look, Seen
from tests.tamper.world import World

CODES = {"valid": 0, "tampered": 1, "incomplete": 3, "unwitnessed": 4, "stale": 5, "unreadable": 6}
_ROUNDS = 4  # in which the signer reads SIZE entries again
_PENANCE = 31.0  # seconds after a refusal, when it looks again
_TOLD = "SELECT kind, first_index FROM findings ORDER BY id DESC LIMIT 1"


def offline(path: Path, trusted: Path, max_age: float | None = None, about: str = "") -> Look:
    """`jianding-verify PATH --policy FILE`, and `--about` what was promised."""

    def look() -> Seen:
        verdict = cli._verify(path, trusted, max_age, 1, about)
        name = verdict.name if verdict.exit_code == CODES[verdict.name] else "another exit code"
        return Seen(name, verdict.index)

    return look


def newest(world: World) -> Look:
    """Whoever holds the newest export, and has the policy from elsewhere."""
    return offline(world.folder / "newest", world.settings.policy_file)


def by_other_policy(world: World) -> Look:
    """Whoever is handed a trail, with a policy that somebody has changed."""
    return offline(world.trail_file, world.other_policy)


def handed(world: World) -> Look:
    """Whoever is handed a trail."""
    return offline(world.trail_file, world.settings.policy_file)


def verify(world: World, said: list[Head] | None = None) -> Look:
    """The audit service's verification, as `jianding verify` and its call run it."""
    return partial(_verified, world, world.heads if said is None else said)


def _verified(world: World, said: list[Head]) -> Seen:
    connection = world.service
    before, made = verification.reached(connection), promised.promise(connection, world.settings)
    verdict = verification.verify(connection, said, before=before)
    verdict.problems += promised.broken(connection, world.settings, made, verdict)
    verdict.lacking = promised.lacking(made)
    return Seen(verdict.word, verdict.first)


def signer(world: World, near: Witness | None = None) -> Look:
    """The signer that goes on from its memory and reads all of it again, anew once it has refused."""
    return partial(_signed, world, near)


def _signed(world: World, near: Witness | None) -> Seen:
    passed = [0.0]
    signs = Signer(world.settings, near, lambda: world.now + passed[0])
    try:
        if not all(signs.step(world.signer) for _ in range(_ROUNDS)):
            passed[0] = _PENANCE
            signs.step(world.signer)
    except Impossible as error:
        return Seen(type(error).__name__)
    row = world.admin.execute(_TOLD).fetchone()
    return Seen(*row) if row else Seen("signed")


def exported(world: World) -> Look:
    """`jianding audit export`, as far as whether there is a checkpoint that the policy accepts."""

    def look() -> Seen:
        try:
            note = export.newest_accepted(world.service, world.settings, world.judging)
        except Impossible as error:
            return Seen(type(error).__name__)
        return Seen("exported" if note else "nothing")

    return look


def trail(world: World, kind: str, id: str) -> Look:
    """`jianding trail`, as the database answers it without waiting for the signer."""

    def look() -> Seen:
        with world.service.cursor(row_factory=dict_row) as rows:
            steps = hidden.trail(world.settings, rows, kind, id, limit=1000)
        world.admin.execute("TRUNCATE subject_questions")
        found = [step["index"] for step in steps if step["hidden"]]
        return Seen("incomplete", min(found)) if found else Seen("whole")

    return look


def doctor(world: World) -> Look:
    """`jianding doctor`, with the policy that somebody has changed."""

    def look() -> Seen:
        current = replace(world.settings, policy=str(world.other_policy))
        told = [concern.what for concern in standing.concerns(world.service, current, False)]
        return Seen(next((what for what in told if what == "policy"), "well"))

    return look


def own_log(world: World) -> Look:
    """`jianding verify`, where it compares a source's own log with what audit has of it."""
    return partial(_compared, world.own_log, world.service)


def _compared(own: Connection, audit: Connection) -> Seen:
    found = list(ownlogs.differences(own, told.hashes(audit, "/centre/scoring")))
    return Seen("altered", min(position for position, _ in found)) if found else Seen("verified")


def witness(asked: Witness, body: bytes) -> Look:
    """A witness who is asked to cosign; the index is the size that it says to be at."""

    def look() -> Seen:
        try:
            asked.cosign(body)
        except Uncosigned as reason:
            return Seen(str(reason.status), getattr(reason, "size", None))
        except WitnessUnsure:
            return Seen("unsure")
        return Seen("cosigned")

    return look
