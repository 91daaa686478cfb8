"""What a service states of its own log once a batch is closed: as much as anybody can count in it (R172)."""

from hashlib import sha256
from typing import Any

import orjson

from services.scheduling.domain.batch import ApplyForBatch
from shared.contracts.scheduling import BatchClosed
from shared.kernel.actors import Role
from shared.kernel.ids import derived_id
from shared.runtime.delivery import consumers
from shared.store import inbox
from shared.store.inbox import Consumer
from shared.wire.envelope import read
from tests.integration.store.office import STATION, WELDER, Office, somebody
from tests.integration.store.source import Source

SPRING, AUTUMN = derived_id("batch", "spring"), derived_id("batch", "autumn")
OFFICER = somebody("officer", Role.CENTRE_OFFICER)


def _tally(office: Office) -> Consumer:
    found = consumers(office.definition, office.executor, "centre")
    return next(consumer for consumer in found if consumer.name == "tally")


def _hear_ourselves(office: Office) -> None:
    events = [read(sealed) for _, _, sealed in office.log()]
    inbox.apply(office.connection, _tally(office), office.source, events)


def _close(office: Office, batch: str = SPRING, source: Source | None = None) -> None:
    scheduling = source or Source("scheduling")
    scheduling.say(BatchClosed(batch=batch, station=STATION), OFFICER)
    inbox.apply(office.connection, _tally(office), scheduling.name, scheduling.events())


def _said(office: Office) -> list[dict[str, Any]]:
    return [event for event in office.drafts() if event["type"] == "BatchSealed"]


def _counted(office: Office, batch: str, upto: int) -> dict[str, Any]:
    """The same as an outsider counts it, who has nothing but the log."""
    log = [(position, hash, orjson.loads(sealed)["refs"]) for position, hash, sealed in office.log()]
    named = [(position, hash) for position, hash, refs in log if f"batch:{batch}" in refs.split(" ")]
    chain = bytes(32)
    for _, hash in (each for each in named if each[0] <= upto):
        chain = sha256(chain + hash).digest()
    positions = [position for position, _ in named if position <= upto] or [0]
    return {
        "batch": batch,
        "events": len([each for each in named if each[0] <= upto]),
        "first_position": positions[0],
        "last_position": positions[-1],
        "chain_digest": chain.hex(),
        "upto": upto,
    }


def test_a_service_states_what_anybody_can_count_in_its_log(office: Office) -> None:
    for name, batch in (("Ling", "spring"), ("Hua", "autumn"), ("Ming", "spring")):
        office.submit_reviewed(name, batch, "Gao")
    office.sealer().seal()
    _hear_ourselves(office)
    _close(office)
    (said,) = _said(office)
    assert said["data"] == _counted(office, SPRING, 6)
    assert said["data"]["events"] == 4
    assert (said["actor"], said["role"]) == ("registration", "service")


def test_what_has_not_come_back_over_the_bus_is_counted_and_counted_once(office: Office) -> None:
    scheduling = Source("scheduling")
    office.submit("Ling", "spring")
    office.sealer().seal()
    _hear_ourselves(office)
    office.submit("Ming", "spring")
    office.sealer().seal()
    _close(office, SPRING, scheduling)
    _hear_ourselves(office)
    office.submit("Hua", "autumn")
    office.submit("Ying", "autumn")
    office.sealer().seal()
    _hear_ourselves(office)
    _close(office, AUTUMN, scheduling)  # the first comes once more
    said = {event["data"]["batch"]: event["data"] for event in _said(office)}
    assert len(_said(office)) == 2
    assert said[SPRING] == _counted(office, SPRING, 2)
    assert said[SPRING]["events"] == 2
    assert said[AUTUMN] == _counted(office, AUTUMN, 5)
    assert said[AUTUMN]["events"] == 2


def test_a_service_that_has_nothing_of_the_batch_says_so(office: Office) -> None:
    office.submit("Hua", "autumn")
    office.sealer().seal()
    _close(office)
    assert _said(office)[0]["data"] == _counted(office, SPRING, 1)
    assert _said(office)[0]["data"]["events"] == 0


def test_scheduling_answers_its_own_word_and_counts_it(scheduling: Office) -> None:
    director = somebody("director", Role.STATION_DIRECTOR)
    for batch in (SPRING, AUTUMN):
        scheduling.run(
            ApplyForBatch,
            director,
            batch=batch,
            station=STATION,
            occupation=WELDER,
            catalogue="1999",
            levels=(4,),
            planned=30,
            theory_at="2099-04-16T01:30:00.000000Z",
            practical_at="2099-04-16T06:00:00.000000Z",
        )
    source = Source("scheduling")
    scheduling.sealer().seal()
    source.bodies = [sealed for _, _, sealed in scheduling.log()]
    source.say(BatchClosed(batch=SPRING, station=STATION), OFFICER)
    inbox.apply(scheduling.connection, _tally(scheduling), source.name, source.events())
    (said,) = _said(scheduling)
    assert said["data"]["upto"] == said["data"]["last_position"] == 3
    assert (said["data"]["events"], said["data"]["first_position"]) == (2, 1)
    first, last = source.events()[0].hash, source.events()[2].hash
    chain = sha256(sha256(bytes(32) + first).digest() + last).hexdigest()
    assert said["data"]["chain_digest"] == chain


def test_a_closed_batch_is_stated_together_with_having_heard_of_it(office: Office) -> None:
    office.submit("Ling", "spring")
    office.sealer().seal()
    with office.connection.transaction(force_rollback=True):
        _close(office)
    assert _said(office) == []
    assert office.count("tallies") == 0
    _close(office)
    assert len(_said(office)) == 1
