"""A witness who has heard the way of three candidates."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared.testing.postgres import Cluster
from tests.integration.audit.witness import Witness, tell


@pytest.fixture
def empty(cluster: Cluster, tmp_path: Path) -> Iterator[Witness]:
    """A witness who has heard nothing."""
    with ExitStack() as stack:
        yield Witness(cluster, stack, tmp_path / "sources")


@pytest.fixture
def witness(empty: Witness) -> Witness:
    """18 entries: 6 of registration, 3 of scheduling, 6 of scoring, 3 of certification."""
    for candidate in ("Ling", "Hua", "Ming"):
        tell(empty, candidate)
    empty.hear(at_a_time=2)
    return empty
