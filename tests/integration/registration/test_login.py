"""Logging in: who has the right password gets a token for one appointment, and nobody learns more."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.bus.calls import Refused
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id, new_id
from tests.integration.registration.counter import ADMINISTRATOR, EXAMINER, NAME, PASSWORD, Counter
from tests.integration.store.office import at_once, outcome

ADDRESS = "192.0.2.7"


@contextmanager
def refused(code: str) -> Iterator[dict[str, str]]:
    """The problem of the refusal, once it has come."""
    problem: dict[str, str] = {}
    with pytest.raises(Refused) as refusal:
        yield problem
    problem.update(refusal.value.problem)
    assert problem["code"] == code


def test_a_right_password_gets_a_token_for_an_appointment(counter: Counter) -> None:
    counter.open(EXAMINER, "examiner@centre", "trainer@station-10012003")
    answer = counter.login()
    assert counter.keyring.read(answer.pop("access")) == Actor(EXAMINER, Role.EXAMINER, "centre")
    assert len(answer.pop("refresh")) == 43
    assert answer == {
        "expires_in": 600,
        "actor": EXAMINER,
        "role": "examiner",
        "body": "centre",
        "appointments": [
            {"role": "examiner", "body": "centre"},
            {"role": "trainer", "body": "station-10012003"},
        ],
        "name_shown": NAME,
    }


def test_who_has_several_appointments_chooses_one_and_may_switch(counter: Counter) -> None:
    counter.open(EXAMINER, "examiner@centre", "trainer@station-10012003")
    first = counter.login(appointment="trainer@station-10012003")
    assert (first["role"], first["body"]) == ("trainer", "station-10012003")
    stayed = counter.refresh(first["refresh"])
    assert stayed["role"] == "trainer"
    switched = counter.refresh(stayed["refresh"], "examiner@centre")
    assert counter.keyring.read(switched["access"]) == Actor(EXAMINER, Role.EXAMINER, "centre")
    with refused("NotAppointed"):
        counter.refresh(switched["refresh"], "supervisor@centre")
    assert counter.refresh(switched["refresh"])["role"] == "examiner"


def test_a_login_name_is_the_same_in_any_width_and_case(counter: Counter) -> None:
    counter.open(name="Ling.Test")
    assert counter.login("ｌｉｎｇ．ＴＥＳＴ ")["name_shown"] == "Ling.Test"


def test_nobody_is_told_which_part_was_wrong(counter: Counter) -> None:
    counter.open()
    problems = []
    for name, password in [(NAME, "a wrong password"), ("nobody", PASSWORD)]:
        with refused("WrongLogin") as problem:
            counter.login(name, password)
        problems.append(problem)
    assert problems[0] == problems[1]
    assert NAME not in str(problems)
    assert "nobody" not in str(problems)


def test_a_name_that_nobody_has_costs_a_password_too(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    verify = counter.logins.passwords._verify
    monkeypatch.setattr(
        counter.logins.passwords,
        "_verify",
        lambda hashed, password: looked.append(hashed) or verify(hashed, password),
    )
    counter.open()
    for name in (NAME, "nobody"):
        with refused("WrongLogin"):
            counter.login(name, "a wrong password")
    assert len(looked) == 2
    known, unknown = (hashed.rsplit("$", 2)[0] for hashed in looked)
    assert known == unknown  # algorithm, version and cost
    assert [len(part) for part in looked[0].split("$")] == [len(part) for part in looked[1].split("$")]


@pytest.mark.parametrize("name", [NAME, "nobody"])
def test_the_fifth_wrong_password_locks_the_name_whoever_has_it(counter: Counter, name: str) -> None:
    counter.open()
    for _ in range(5):
        with refused("WrongLogin"):
            counter.login(name, "a wrong password")
    with refused("LoginLocked") as problem:
        counter.login(name, PASSWORD)
    assert 0 < int(problem["retry_after"]) <= 61
    locked = counter.said("AccountLocked")
    assert [(each["account"], each["failures"]) for each in locked] == [(EXAMINER if name == NAME else "", 5)]
    counter.later(seconds=61)
    with refused("WrongLogin"):
        counter.login(name, "a wrong password")
    with refused("LoginLocked") as problem:
        counter.login(name, PASSWORD)
    assert 60 < int(problem["retry_after"]) <= 121  # twice as long
    counter.later(seconds=121)
    if name == NAME:
        assert counter.login()["actor"] == EXAMINER
        with refused("WrongLogin"):
            counter.login(name, "a wrong password")  # and counting begins anew


def test_many_guesses_at_once_are_no_more_than_five(counter: Counter) -> None:
    counter.open()
    codes = at_once([lambda: outcome(lambda: counter.login(password="a wrong password")) for _ in range(12)])
    found = [problem.problem["code"] for problem in codes]
    assert found.count("WrongLogin") == 5
    assert found.count("LoginLocked") == 7
    assert len(counter.said("AccountLocked")) == 1


def test_an_address_from_which_many_names_are_tried_is_locked_for_all(counter: Counter) -> None:
    counter.open()
    for place in range(20):
        with refused("WrongLogin"):
            counter.login(f"nobody {place}", "a wrong password", address=ADDRESS)
        if place == 10:  # a right one in between wins the guesser nothing
            counter.login(address=ADDRESS)
    with refused("LoginLocked"):
        counter.login(address=ADDRESS)
    assert counter.login(address="192.0.2.8")["actor"] == EXAMINER


def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session(counter: Counter) -> None:
    counter.open()
    first = counter.login()
    second = counter.refresh(first["refresh"])
    assert second["refresh"] != first["refresh"]
    with refused("TokenInvalid"):
        counter.refresh(first["refresh"])
    with refused("TokenExpired"):
        counter.refresh(second["refresh"])
    assert [each["account"] for each in counter.said("RefreshTokenReused")] == [EXAMINER]


def test_one_refresh_token_used_twice_at_once_is_good_for_one(counter: Counter) -> None:
    counter.open()
    refresh = counter.login()["refresh"]
    outcomes = at_once([lambda: outcome(lambda: counter.refresh(refresh)) for _ in range(4)])
    assert sum(isinstance(each, dict) for each in outcomes) == 1
    assert len(counter.said("RefreshTokenReused")) == 1


def test_a_refresh_whose_connection_broke_after_its_commit_is_not_taken_for_a_theft(counter: Counter) -> None:
    counter.open()
    refresh = counter.login()["refresh"]
    on = counter.sessions._with_connection

    def twice(work: Any) -> Any:
        on(work)
        return on(work)

    counter.sessions._with_connection = twice
    again = counter.refresh(refresh)
    counter.sessions._with_connection = on
    assert counter.refresh(again["refresh"])["actor"] == EXAMINER
    assert counter.said("RefreshTokenReused") == []


def test_a_session_ends_by_logging_out_and_after_a_working_day(counter: Counter) -> None:
    counter.open()
    left, stayed = counter.login()["refresh"], counter.login()["refresh"]
    assert counter.logout(left) == {}
    with refused("TokenExpired"):
        counter.refresh(left)
    stayed = counter.refresh(stayed)["refresh"]
    counter.later(hours=13)
    with refused("TokenExpired"):
        counter.refresh(stayed)
    assert counter.logout("never seen") == {}


def test_a_refresh_token_that_was_never_given_is_invalid(counter: Counter) -> None:
    with refused("TokenInvalid"):
        counter.refresh("x" * 43)


def test_what_is_stored_and_said_has_no_name_no_password_and_no_token(counter: Counter) -> None:
    counter.open(name="unmistakable-name")
    with refused("WrongLogin"):
        counter.login("unmistakable-name", "unmistakable-wrong", address=ADDRESS)
    answer = counter.login("unmistakable-name", address=ADDRESS)
    counter.refresh(answer["refresh"])
    tables = ("logins", "sessions", "refreshes", "guesses", "events", "commands", "claims")
    stored = "\n".join(
        str(row)
        for table in tables
        for row in counter.office.admin.execute(f"SELECT {table}::text FROM {table}").fetchall()
    ).lower()
    # bytea is shown in hex, events are bytes too
    for secret in ("unmistakable", PASSWORD, answer["refresh"], ADDRESS):
        assert secret.lower() not in stored
        assert secret.encode().hex() not in stored


def test_closing_ends_everything_at_once(counter: Counter) -> None:
    counter.open()
    refresh = counter.login()["refresh"]
    counter.accounts.close(counter.accepted(ADMINISTRATOR, account=EXAMINER))
    with refused("WrongLogin"):
        counter.login()
    with refused("TokenExpired"):
        counter.refresh(refresh)
    counter.open(derived_id("another"))  # the name is free again
    with refused("AccountUnknown"):
        counter.accounts.close(counter.accepted(ADMINISTRATOR, account=EXAMINER))


def test_an_account_without_an_appointment_opens_nothing(counter: Counter) -> None:
    counter.accounts.open(
        counter.accepted(ADMINISTRATOR, account=EXAMINER, name=NAME, appointments=(), password=PASSWORD)
    )
    with refused("NotAppointed"):
        counter.login()


def test_opening_again_with_the_same_command_is_the_same_and_with_another_is_refused(
    counter: Counter,
) -> None:
    id = new_id()
    assert counter.open(id=id) == counter.open(id=id)
    with refused("AccountExists"):
        counter.open(name="another name")
    with refused("NameTaken"):
        counter.open(derived_id("another"))
    assert len(counter.said("AccountOpened")) == 1


def test_a_short_password_is_none(counter: Counter) -> None:
    with refused("InvalidInput") as problem:
        counter.open(password="too short")
    assert problem["field"] == "password"


def test_who_changes_his_password_proves_the_old_one_and_is_logged_out_everywhere(counter: Counter) -> None:
    counter.open()
    refresh = counter.login()["refresh"]
    himself = Actor(EXAMINER, Role.EXAMINER, "centre")

    def change(by: Actor, **more: str) -> Any:
        return counter.accounts.change_password(
            counter.accepted(by, account=EXAMINER, password="another fictional day", **more)
        )

    for wrong in ({}, {"current": "a wrong password"}):
        with refused("WrongLogin"):
            change(himself, **wrong)
    with refused("SomebodyElsesPassword"):
        change(Actor(derived_id("another"), Role.EXAMINER, "centre"))
    change(himself, current=PASSWORD)
    with refused("TokenExpired"):
        counter.refresh(refresh)
    with refused("WrongLogin"):
        counter.login()
    assert counter.login(password="another fictional day")["actor"] == EXAMINER
    change(ADMINISTRATOR)
    assert len(counter.said("PasswordChanged")) == 2
