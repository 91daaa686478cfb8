"""Claims: one open application for a person, trade and level (R036)."""

from functools import partial

import pytest

from services.registration.domain.application import ApplicationAlreadyOpen, SubmitApplication
from shared.runtime.executor import Executor
from tests.integration.store.office import CLERK, Office, at_once, claim


def test_a_second_application_for_the_same_trade_waits_until_the_first_is_withdrawn(office: Office) -> None:
    first = office.submit("Ling", "spring")
    with pytest.raises(ApplicationAlreadyOpen):
        office.submit("Ling", "autumn")
    assert office.count("events") == 1
    office.withdraw(first)
    second = office.submit("Ling", "autumn")
    assert office.admin.execute("SELECT stream FROM claims").fetchall() == [(f"application-{second}",)]


def test_another_level_and_another_person_are_other_claims(office: Office) -> None:
    office.submit("Ling", "spring")
    office.submit("Hua", "spring")
    office.run(SubmitApplication, CLERK, **{**claim("Ling", "spring"), "level": 5})
    assert office.count("claims") == 3


def test_of_two_applications_at_once_for_the_same_trade_exactly_one_is_accepted(office: Office) -> None:
    for round in range(10):
        outcomes = at_once(
            partial(
                office.run,
                SubmitApplication,
                CLERK,
                connection=office.connect(),
                executor=Executor(office.definition, office.source),
                **claim(f"candidate {round}", batch),
            )
            for batch in ("spring", "autumn")
        )
        assert sorted(type(each).__name__ for each in outcomes) == ["ApplicationAlreadyOpen", "dict"]
    assert (office.count("events"), office.count("claims"), office.count("commands")) == (10, 10, 10)


def test_a_claim_is_free_again_when_the_transaction_that_took_it_rolls_back(office: Office) -> None:
    doomed = office.connect()
    with doomed.transaction(force_rollback=True):
        office.run(SubmitApplication, CLERK, connection=doomed, **claim("Ling", "spring"))
    office.submit("Ling", "spring")
    assert office.count("claims") == 1
