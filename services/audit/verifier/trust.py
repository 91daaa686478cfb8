"""Whether a checkpoint may be believed: by whom it is signed, who has witnessed it, and when."""

from . import notes, policy
from .notes import Checkpoint
from .policy import Policy, Signers
from .verdict import STALE, TAMPERED, UNREADABLE, UNWITNESSED, Verdict, moment
from .words import Fault, shown


def judge(
    verdict: Verdict, trusted: Policy, raw: bytes, now: float, max_age: float | None
) -> Checkpoint | None:
    """The checkpoint with its faults told; None if nothing that it says may be used.

    `max_age` is in hours. It is the quorum that has to be young, not one witness of it.
    """
    try:
        checkpoint = notes.checkpoint(raw)
    except Fault as why:
        verdict.add(UNREADABLE, None, "checkpoint", why=why)
        return None
    signed = policy.signers(trusted, checkpoint, now)
    for key in signed.wrong:
        verdict.add(TAMPERED, None, "signature_wrong", key=key.label)
    if not signed.logs:
        # whoever is not known to have signed may have written anything, a size beyond all measure for one
        verdict.add(TAMPERED, None, "unsigned", origin=checkpoint.origin)
        return None
    _tell(verdict, trusted, checkpoint, signed)
    _quorum(verdict, trusted, signed, now, max_age)
    return checkpoint


def _tell(verdict: Verdict, trusted: Policy, checkpoint: Checkpoint, signed: Signers) -> None:
    verdict.origin, verdict.size, verdict.root = shown(checkpoint.origin), checkpoint.size, checkpoint.root
    verdict.signed_by = list(dict.fromkeys(key.label for key in signed.logs))
    verdict.cosigned_by = [trusted.witnesses[name].label for name in signed.witnesses]
    verdict.newest_cosignature = max(signed.witnesses.values(), default=None)
    if signed.retired:
        verdict.notes.append(Fault("retired", key=signed.logs[0].label))
    if checkpoint.extended:
        verdict.notes.append(Fault("extensions"))
    for key, time in signed.future:
        verdict.notes.append(Fault("future", key=key.label, time=moment(time)))


def _quorum(verdict: Verdict, trusted: Policy, signed: Signers, now: float, max_age: float | None) -> None:
    if not trusted.asks_for_witnesses:
        verdict.notes.append(Fault("no_witness"))
    if not trusted.satisfied(signed.witnesses.keys()):
        verdict.add(UNWITNESSED, None, "quorum", name=trusted.quorum)
    elif max_age is not None:
        young = signed.since(now - max_age * 3600)
        if not young or not trusted.satisfied(young):
            verdict.add(STALE, None, "old", hours=f"{max_age:g}")
