"""Commands: decided once, answered the same for ever, and without a trace when refused."""

from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

import pytest
from psycopg import Connection

from services.registration.domain.application import (
    ApplicationExists,
    PassStationReview,
    SubmitApplication,
    WithdrawApplication,
)
from shared.contracts.registration import TrainingHeld
from shared.kernel.actors import Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.errors import Busy, CommandIdReused, Conflict
from shared.kernel.ids import derived_id, new_id
from shared.runtime.definition import Definition
from shared.runtime.executor import ATTEMPTS, Call, Executor
from shared.store import eventstore
from shared.store.eventstore import CommandKnown
from tests.integration.store.office import (
    CLERK,
    DEADLINE,
    STATION,
    WELDER,
    Office,
    assert_whole,
    at_once,
    claim,
    somebody,
    until,
    words,
)


@dataclass(frozen=True, kw_only=True)
class HoldLesson(Command):
    """One more lesson of a course: a command that one stream accepts for ever."""

    course: str


@dataclass(frozen=True)
class Course:
    lessons: int = 0


course: Aggregate[Course] = Aggregate("course", Course())


@course.decides(Role.TRAINER)
def hold(command: HoldLesson, state: Course) -> Facts:
    return [
        TrainingHeld(
            training=command.course,
            batch="",
            station=STATION,
            occupation=WELDER,
            trainer=command.by.id,
            trainees=(),
            hours=state.lessons + 1,
        )
    ]


@course.evolves
def held(_event: TrainingHeld, state: Course) -> Course:
    return Course(state.lessons + 1)


SCHOOL = Definition("registration", "services.registration", aggregates=(course,))


def test_an_append_that_expects_another_version_conflicts_and_leaves_nothing(office: Office) -> None:
    eventstore.append(office.connection, words("stream-1", 0, "first"))
    for expected in (0, 2):
        with pytest.raises(Conflict):
            eventstore.append(office.connection, words("stream-1", expected, "not this"))
    with pytest.raises(Conflict):
        eventstore.append(office.connection, words("new-1", 1, "its stream does not exist"))
    assert (office.count("events"), office.count("commands")) == (1, 1)


def test_of_two_appends_at_the_same_version_one_waits_and_conflicts(office: Office) -> None:
    first, second, taken = office.connect(), office.connect(), Event()

    def wait_then_commit() -> None:
        with first.transaction():
            eventstore.append(first, words("stream-1", 0, "the first"))
            taken.set()
            until(lambda: office.waits_for_a_lock(second))

    def come_second() -> None:
        assert taken.wait(DEADLINE)
        eventstore.append(second, words("stream-1", 0, "the second"))

    assert [type(each) for each in at_once([wait_then_commit, come_second])] == [type(None), Conflict]
    assert [event["text"] for event in office.drafts()] == ["the first"]


def test_what_is_appended_together_is_kept_together_or_not_at_all(office: Office) -> None:
    entry = words("stream-1", 0, "a", "b")
    eventstore.append(office.connection, entry)
    with pytest.raises(CommandKnown):
        eventstore.append(office.connection, words("stream-2", 0, "c", command_id=entry.command_id))
    assert eventstore.remembered(office.connection, entry.command_id) == (b"print", b"answer")
    assert eventstore.load(office.connection, "stream-1") == (list(entry.drafts), 2)
    assert eventstore.load(office.connection, "stream-1", last=1) == ([entry.drafts[1]], 2)
    assert eventstore.load(office.connection, "stream-2") == ([], 0)


def test_the_same_command_again_gets_the_same_answer_and_does_nothing(office: Office) -> None:
    fields, id = claim("Ling", "spring"), new_id()
    answer = office.run(SubmitApplication, CLERK, id=id, **fields)
    again = office.run(SubmitApplication, CLERK, id=id, executor=_after_a_restart(office), **fields)
    assert again == answer
    assert office.count("events") == 1


def test_a_command_is_answered_as_before_although_its_stream_has_moved_on(office: Office) -> None:
    fields, id = claim("Ling", "spring"), new_id()
    answer = office.run(SubmitApplication, CLERK, id=id, **fields)
    office.withdraw(fields["application"])
    assert office.run(SubmitApplication, CLERK, id=id, **fields) == answer
    assert office.count("events") == 2


@pytest.mark.parametrize("other", ["fields", "actor", "command"])
def test_a_command_id_with_other_content_is_refused(office: Office, other: str) -> None:
    fields, id = claim("Ling", "spring"), new_id()
    office.run(SubmitApplication, CLERK, id=id, **fields)
    with pytest.raises(CommandIdReused):
        if other == "fields":
            office.run(SubmitApplication, CLERK, id=id, **{**fields, "years_in_trade": 3})
        elif other == "actor":
            office.run(SubmitApplication, somebody("another clerk", Role.EXAM_AFFAIRS), id=id, **fields)
        else:
            office.run(
                WithdrawApplication, CLERK, id=id, application=fields["application"], reason="moved away"
            )
    assert office.count("events") == 1


def test_one_command_from_eight_threads_is_one_event_and_eight_equal_answers(office: Office) -> None:
    for candidate in ("Ling", "Hua", "Ming"):
        fields, id = claim(candidate, "spring"), new_id()
        answers = at_once(
            partial(
                office.run,
                SubmitApplication,
                CLERK,
                id=id,
                connection=office.connect(),
                executor=_after_a_restart(office),
                **fields,
            )
            for _ in range(8)
        )
        assert answers == [answers[0]] * 8
        assert office.events(answers[0]["stream"]) == ["ApplicationSubmitted"]


def test_a_refused_command_leaves_nothing_and_its_id_may_be_used_again(office: Office) -> None:
    fields, id = claim("Ling", "spring"), new_id()
    office.run(SubmitApplication, CLERK, **fields)
    before = [office.count(table) for table in ("events", "commands", "claims", "duties")]
    with pytest.raises(ApplicationExists):
        office.run(SubmitApplication, CLERK, id=id, **fields)
    assert [office.count(table) for table in ("events", "commands", "claims", "duties")] == before
    reviewer = somebody("reviewer", Role.STATION_REVIEWER)
    assert office.run(PassStationReview, reviewer, id=id, application=fields["application"])["version"] == 2


def test_eight_threads_with_25_commands_each_on_one_stream_are_all_accepted(office: Office) -> None:
    trainer, id = somebody("trainer", Role.TRAINER), derived_id("course")

    def teach() -> list[int]:
        executor = Executor(SCHOOL, office.source)
        with office.visit() as connection:
            return [
                office.run(HoldLesson, trainer, connection=connection, executor=executor, course=id)[
                    "version"
                ]
                for _ in range(25)
            ]

    outcomes = at_once([teach] * 8)
    assert sorted(version for versions in outcomes for version in versions) == list(range(1, 201))
    sealing = office.sealer()
    assert until(lambda: sealing.seal() or office.count("log") == 200)
    until(lambda: sealing.seal() == 0 and office.count("log") == 200)
    assert_whole(office.log())
    assert [event["data"]["hours"] for event in office.drafts()] == list(range(1, 201)), (
        "decided on stale state"
    )


def test_a_stream_that_is_always_taken_first_is_answered_busy_and_nothing_is_appended(office: Office) -> None:
    trainer, id, taken = somebody("trainer", Role.TRAINER), derived_id("course"), []
    executor, rival = Executor(SCHOOL, office.source), office.connect()

    def come_first(_connection: Connection[Any]) -> None:
        taken.append(office.run(HoldLesson, trainer, connection=rival, executor=executor, course=id))

    with pytest.raises(Busy):
        executor.run(
            office.connection, HoldLesson, {"course": id}, Call(new_id(), trainer), alongside=come_first
        )
    assert office.count("events") == office.count("commands") == len(taken) == ATTEMPTS


def _after_a_restart(office: Office) -> Executor:
    return Executor(office.definition, office.source)
