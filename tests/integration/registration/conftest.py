"""Registration's counter for those who log in, on an empty database, with a clock of its own."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from shared.testing.postgres import Cluster
from tests.integration.registration.counter import Counter
from tests.integration.store.office import Office


@pytest.fixture
def counter(cluster: Cluster) -> Iterator[Counter]:
    with ExitStack() as stack:
        yield Counter(Office(cluster, stack, "registration"))
