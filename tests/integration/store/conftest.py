"""An office of registration, and one of scheduling, each over an empty database."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from shared.testing.postgres import Cluster
from tests.integration.store.office import Office


@pytest.fixture
def office(cluster: Cluster) -> Iterator[Office]:
    """Registration, empty."""
    with ExitStack() as stack:
        yield Office(cluster, stack, "registration")


@pytest.fixture
def scheduling(cluster: Cluster) -> Iterator[Office]:
    """Scheduling, empty."""
    with ExitStack() as stack:
        yield Office(cluster, stack, "scheduling")
