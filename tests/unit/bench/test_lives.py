"""Logs that are filled for measuring are logs: our own code takes them for registration's."""

from itertools import islice

import pytest

from bench import lives
from services.registration.domain.application import application
from shared.wire.envelope import GENESIS, drafted_event, read, seal

COUNT = 2 * lives.PEOPLE * lives.STEPS


@pytest.fixture(scope="module")
def entries():
    return list(islice(lives.entries(), COUNT))


def test_every_event_can_be_read_and_contains_the_hash_of_the_one_before(entries):
    head = GENESIS
    for place, entry in enumerate(entries, start=1):
        event = read(entry.sealed)
        assert (event.position, event.previous, event.hash) == (place, head, entry.hash)
        head = entry.hash


def test_a_sealed_event_is_what_sealing_makes_of_its_draft(entries):
    head = GENESIS
    for drafted, entry in zip(lives.drafts(), entries, strict=False):
        assert entry.sealed == seal(drafted.draft, entry.position, head)
        head = entry.hash


def test_ids_and_streams_are_those_that_the_columns_say(entries):
    for drafted, entry in zip(lives.drafts(), entries, strict=False):
        event = read(entry.sealed)
        assert (event.stream, event.attributes["streamversion"]) == (drafted.stream, drafted.version)
        assert event.id == entry.words[b"event"].decode()


def test_no_event_is_said_twice_and_streams_have_no_gap(entries):
    drafts = list(islice(lives.drafts(), COUNT))
    assert len({entry.words[b"event"] for entry in entries}) == COUNT
    streams: dict[str, list[int]] = {}
    for event in drafts:
        streams.setdefault(event.stream, []).append(event.version)
    assert all(versions == list(range(1, len(versions) + 1)) for versions in streams.values())


def test_a_life_is_one_that_an_application_can_lead():
    drafts = islice(lives.drafts(), COUNT)
    stream = f"application-{lives.id_of('application', 0)}"
    life = [drafted_event(event.draft) for event in drafts if event.stream == stream]
    assert application.fold(application.initial, life).status == "concluded"


def test_a_log_goes_on_where_an_earlier_fill_stopped(entries):
    later = next(lives.entries(100, entries[99].hash))
    assert later == entries[100]
