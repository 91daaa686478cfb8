"""职责分离: which duties one person may not hold in the same batch (requirements §4, R015, D3)."""

from shared.kernel.actors import Role

R = Role
_MATRIX: dict[Role, tuple[Role, ...]] = {
    R.STATION_REVIEWER: (
        R.CENTRE_REVIEWER,
        R.EXAMINER,
        R.SCORE_REVIEWER,
        R.CERTIFICATE_PROCESSOR,
        R.SUPERVISOR,
    ),
    R.TRAINER: (R.EXAMINER, R.INVIGILATOR, R.CERTIFICATE_PROCESSOR, R.SUPERVISOR),
    R.PAPER_CUSTODIAN: (R.EXAMINER, R.CERTIFICATE_PROCESSOR, R.SUPERVISOR),
    R.EXAMINER: (
        R.CENTRE_REVIEWER,
        R.SCORE_REGISTRAR,
        R.SCORE_REVIEWER,
        R.CERTIFICATE_PROCESSOR,
        R.SUPERVISOR,
    ),
    R.SCORE_REGISTRAR: (R.SCORE_REVIEWER, R.CERTIFICATE_PROCESSOR, R.SUPERVISOR),
    R.STATION_DIRECTOR: (R.EXAMINER, R.SCORE_REGISTRAR, R.CERTIFICATE_PROCESSOR, R.SUPERVISOR),
    R.ADMINISTRATOR: (
        R.CENTRE_REVIEWER,
        R.EXAMINER,
        R.INVIGILATOR,
        R.SCORE_REGISTRAR,
        R.SCORE_REVIEWER,
        R.CERTIFICATE_PROCESSOR,
        R.SUPERVISOR,
    ),
}

PAIRS: frozenset[frozenset[Role]] = frozenset(
    frozenset((role, other)) for role, others in _MATRIX.items() for other in others
)


def pairs(role: Role) -> list[str]:
    """Names of the exclusions that holding `role` takes part in, such as `examiner|station_reviewer`.

    A person may stand on one side of each within a batch; the store's primary key holds him to it.
    """
    return sorted("|".join(sorted(pair)) for pair in PAIRS if role in pair)


def conflict(role: Role, held: set[Role]) -> Role | None:
    """One of the held duties that excludes `role`, or None."""
    return next(
        (other for other in sorted(held) if frozenset((role, other)) in PAIRS and other != role), None
    )
