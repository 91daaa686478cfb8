"""Reads of what is sensitive: each is an event of the service that answers, or there is no answer."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from nameko.exceptions import RemoteError

from shared.bus.calls import Refused
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id, new_id
from shared.security.keys import Signer
from shared.store.sealer import Sealer
from shared.testing.calls import calling
from shared.testing.postgres import Cluster
from shared.testing.processes import Processes, environment

REVIEWER = Actor(derived_id("Meng"), Role.SCORE_REVIEWER, "station-10012003")
EXAMINER = Actor(derived_id("Shi"), Role.EXAMINER, "station-10012003")
SUPERVISOR = Actor(derived_id("Du"), Role.SUPERVISOR, "centre")
BATCH, APPLICATION = new_id(), new_id()


@pytest.fixture
def databases(cluster: Cluster) -> Cluster:
    cluster.clone(["scoring"])
    return cluster


@pytest.fixture
def scoring(databases: Cluster, bus: str, tmp_path: Path) -> Iterator[str]:
    """Scoring at work; the URL of its bus."""
    with Processes(tmp_path, environment(databases, bus, catch_up_seconds=3600)) as processes:
        processes.run("serve", "scoring")
        yield bus


def reads(databases: Cluster) -> list[dict[str, Any]]:
    with closing(databases.connect("scoring", "admin")) as connection:
        rows = connection.execute(
            "SELECT draft FROM events WHERE stream LIKE 'read-%' ORDER BY seq"
        ).fetchall()
    return [orjson.loads(draft) for (draft,) in rows]


def seal(databases: Cluster) -> None:
    with closing(databases.connect("scoring", "relay")) as connection:
        Sealer(connection, Signer.load(databases.settings.secrets / "sources", "/centre/scoring")).seal()


def test_who_asks_for_unpublished_scores_is_in_the_log_before_he_is_answered(
    scoring: str, databases: Cluster
) -> None:
    with calling(scoring, REVIEWER) as ask:
        assert ask("scoring", "result", application=APPLICATION) is None
        assert ask("scoring", "results", batch=BATCH) == []
    said = [(each["actor"], each["role"], each["refs"], each["data"]["query"]) for each in reads(databases)]
    assert said == [
        (REVIEWER.id, "score_reviewer", f"application:{APPLICATION}", "result"),
        (REVIEWER.id, "score_reviewer", f"batch:{BATCH}", "results"),
    ]
    with calling(scoring, EXAMINER) as ask, pytest.raises(Refused):
        ask("scoring", "results", batch=BATCH)
    assert len(reads(databases)) == 2


def test_there_is_no_answer_without_its_event(scoring: str, databases: Cluster) -> None:
    with closing(databases.connect("scoring", "admin")) as connection:
        connection.execute("REVOKE EXECUTE ON FUNCTION append FROM scoring_service")
    with calling(scoring, REVIEWER) as ask, pytest.raises((RemoteError, Refused)):
        ask("scoring", "results", batch=BATCH)
    assert reads(databases) == []


def test_who_follows_a_whole_log_is_in_it_and_comes_to_its_end(scoring: str, databases: Cluster) -> None:
    with calling(scoring, REVIEWER) as ask:
        ask("scoring", "results", batch=BATCH)
    position, pages = 0, 0
    with calling(scoring, SUPERVISOR) as ask:
        seal(databases)
        while events := ask("scoring", "events_after", position=position)["events"]:
            position, pages = position + len(events), pages + 1
            seal(databases)
    assert (position, pages) == (2, 2)
    assert [(each["actor"], each["data"]["query"]) for each in reads(databases)] == [
        (REVIEWER.id, "results"),
        (SUPERVISOR.id, "events_after"),
    ]
