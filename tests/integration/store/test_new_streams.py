"""A stream that is taken for new without being loaded: what the database says of it counts."""

from typing import Any

import pytest

from services.registration.domain.application import ApplicationExists, SubmitApplication
from services.registration.domain.errors import ApplicationAlreadyOpen
from shared.kernel.errors import CommandIdReused
from shared.kernel.ids import new_id
from shared.runtime.executor import Call, Executor
from shared.store import eventstore
from tests.integration.store.office import CLERK, Office, claim

_loaded: list[str] = []


@pytest.fixture
def warm(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """An office that has opened a stream, so that it takes the next one for new; notes what it loads."""
    submit(office, "warm")
    _loaded.clear()
    load = eventstore.load

    def noted(connection: Any, stream: str, last: int | None = None) -> Any:
        _loaded.append(stream)
        return load(connection, stream, last)

    monkeypatch.setattr(eventstore, "load", noted)
    return office


def submit(
    office: Office,
    candidate: str,
    command_id: str = "",
    application: str = "",
    executor: Executor | None = None,
) -> Any:
    fields, call = claim(candidate, "batch", application), Call(command_id or new_id(), CLERK)
    return (executor or office.executor).run(office.connection, SubmitApplication, fields, call)


def replica(office: Office) -> Executor:
    return Executor(office.definition, office.source)


def test_a_new_stream_is_not_loaded(warm):
    assert submit(warm, "first")["version"] == 1
    assert _loaded == []


def test_of_two_at_the_same_time_neither_is_loaded(warm):
    other = warm.connect()

    def meanwhile(_connection: Any) -> None:
        warm.executor.run(other, SubmitApplication, claim("second", "batch", ""), Call(new_id(), CLERK))

    fields, call = claim("first", "batch", ""), Call(new_id(), CLERK)
    warm.executor.run(warm.connection, SubmitApplication, fields, call, alongside=meanwhile)
    assert _loaded == []


def test_a_stream_that_exists_is_loaded_and_judged_as_it_is(warm):
    application = new_id()
    submit(warm, "first", application=application, executor=replica(warm))
    _loaded.clear()
    with pytest.raises(ApplicationExists):
        submit(warm, "first", application=application)
    assert _loaded == [f"application-{application}"]


def test_after_a_wrong_guess_streams_are_loaded_until_one_was_new(warm):
    application = new_id()
    submit(warm, "first", application=application, executor=replica(warm))
    with pytest.raises(ApplicationExists):
        submit(warm, "first", application=application)
    _loaded.clear()
    submit(warm, "second")
    submit(warm, "third")
    assert len(_loaded) == 1


def test_a_repeated_command_gets_the_same_answer_and_one_event(warm):
    command, application = new_id(), new_id()
    answer = submit(warm, "first", command, application)
    assert submit(warm, "first", command, application) == answer
    count = warm.connection.execute(
        "SELECT count(*) FROM events WHERE stream = %s", (answer["stream"],)
    ).fetchone()
    assert count == (1,)


def test_an_id_used_for_another_command_is_refused(warm):
    command = new_id()
    submit(warm, "first", command)
    with pytest.raises(CommandIdReused):
        submit(warm, "second", command)


def test_a_claim_that_somebody_holds_is_refused(warm):
    submit(warm, "first")
    with pytest.raises(ApplicationAlreadyOpen):
        submit(warm, "first")
