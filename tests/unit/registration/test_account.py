"""An account: who opens it, appoints its holder, and closes it; and who may not."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.registration.domain.account import (
    Account,
    AccountExists,
    AccountUnknown,
    AlreadyAppointed,
    Appoint,
    ChangePassword,
    CloseAccount,
    EndAppointment,
    LinkLogin,
    LockLogin,
    NotAppointed,
    OpenAccount,
    OtherBodysAccount,
    OwnAppointment,
    ReportReuse,
    SomebodyElsesPassword,
    account,
    lock,
    session,
)
from shared.contracts.registration import (
    AccountClosed,
    AccountLocked,
    AccountOpened,
    AppointmentEnded,
    AppointmentGiven,
    LoginLinked,
    PasswordChanged,
    RefreshTokenReused,
)
from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Command
from shared.kernel.ids import derived_id
from shared.testing.scenario import scenario

NOW = datetime(2026, 4, 1, 1, 30, tzinfo=UTC)
HERE, ELSEWHERE = "station-10012003", "station-10012004"
SOMEBODY, ADMINISTRATOR = derived_id("somebody"), derived_id("administrator")
OF_CENTRE = {"by": Actor(ADMINISTRATOR, Role.ADMINISTRATOR, "centre"), "at": NOW}
OF_STATION = {"by": Actor(ADMINISTRATOR, Role.ADMINISTRATOR, HERE), "at": NOW}
HIMSELF = {"by": Actor(SOMEBODY, Role.ADMINISTRATOR, "centre"), "at": NOW}
OPENED, CLOSED = AccountOpened(account=SOMEBODY), AccountClosed(account=SOMEBODY)


def given(role: str, body: str) -> AppointmentGiven:
    return AppointmentGiven(account=SOMEBODY, role=role, body=body)


def ended(role: str, body: str) -> AppointmentEnded:
    return AppointmentEnded(account=SOMEBODY, role=role, body=body)


TRAINER = given("trainer", HERE)


# -- opening


def test_the_centre_opens_an_account_with_appointments_of_any_body() -> None:
    asked = OpenAccount(account=SOMEBODY, appointments=("examiner@centre", f"trainer@{HERE}"), **OF_CENTRE)
    scenario(account).when(asked).then(OPENED, given("examiner", "centre"), TRAINER)


def test_a_station_opens_accounts_of_its_own_people() -> None:
    asked = OpenAccount(account=SOMEBODY, appointments=(f"trainer@{HERE}",), **OF_STATION)
    scenario(account).when(asked).then(OPENED, TRAINER)


@pytest.mark.parametrize(
    "appointments",
    [(), ("examiner@centre",), (f"trainer@{ELSEWHERE}",), (f"trainer@{HERE}", f"trainer@{ELSEWHERE}")],
)
def test_a_station_opens_no_account_that_is_not_only_its_own(appointments: tuple[str, ...]) -> None:
    asked = OpenAccount(account=SOMEBODY, appointments=appointments, **OF_STATION)
    scenario(account).when(asked).refused(OtherBodysAccount)


def test_an_account_is_opened_once_even_after_it_was_closed() -> None:
    again = OpenAccount(account=SOMEBODY, appointments=("examiner@centre",), **OF_CENTRE)
    scenario(account).given(OPENED).when(again).refused(AccountExists)
    scenario(account).given(OPENED, CLOSED).when(again).refused(AccountExists)


# -- appointing


def test_who_has_an_account_is_appointed_and_his_appointment_ends() -> None:
    about = {"account": SOMEBODY, "role": "trainer", "body": HERE, **OF_CENTRE}
    scenario(account).given(OPENED).when(Appoint(**about)).then(TRAINER)
    scenario(account).given(OPENED, TRAINER).when(Appoint(**about)).refused(AlreadyAppointed)
    scenario(account).given(OPENED, TRAINER).when(EndAppointment(**about)).then(ended("trainer", HERE))
    over = scenario(account).given(OPENED, TRAINER, ended("trainer", HERE))
    over.when(EndAppointment(**about)).refused(NotAppointed)
    over.when(Appoint(**about)).then(TRAINER)


def test_a_station_appoints_only_its_own_people_and_only_for_itself() -> None:
    def asked(role: str, body: str) -> Appoint:
        return Appoint(account=SOMEBODY, role=role, body=body, **OF_STATION)

    own = scenario(account).given(OPENED, TRAINER)
    own.when(asked("exam_affairs", HERE)).then(given("exam_affairs", HERE))
    own.when(asked("examiner", "centre")).refused(OtherBodysAccount)
    own.when(asked("trainer", ELSEWHERE)).refused(OtherBodysAccount)
    shared = scenario(account).given(OPENED, TRAINER, given("examiner", "centre"))
    shared.when(asked("exam_affairs", HERE)).refused(OtherBodysAccount)
    scenario(account).given(OPENED).when(asked("exam_affairs", HERE)).refused(OtherBodysAccount)


COMMANDS: list[Command] = [
    Appoint(account=SOMEBODY, role="supervisor", body="centre", **OF_CENTRE),
    EndAppointment(account=SOMEBODY, role="trainer", body=HERE, **OF_CENTRE),
    CloseAccount(account=SOMEBODY, **OF_CENTRE),
    LinkLogin(account=SOMEBODY, **OF_CENTRE),
]
each_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda each: type(each).__name__)


@each_command
def test_nobody_changes_an_account_of_his_own(command: Command) -> None:
    own = replace(command, by=HIMSELF["by"])
    scenario(account).given(OPENED, TRAINER).when(own).refused(OwnAppointment)


@each_command
def test_nobody_changes_an_account_of_another_body(command: Command) -> None:
    elsewhere = replace(command, by=Actor(ADMINISTRATOR, Role.ADMINISTRATOR, ELSEWHERE))
    scenario(account).given(OPENED, TRAINER).when(elsewhere).refused(OtherBodysAccount)


@each_command
def test_an_account_that_is_not_there_or_was_closed_is_not_changed(command: Command) -> None:
    scenario(account).when(command).refused(AccountUnknown)
    scenario(account).given(OPENED, TRAINER, CLOSED).when(command).refused(AccountUnknown)


def test_closing_ends_every_appointment() -> None:
    closing = CloseAccount(account=SOMEBODY, **OF_CENTRE)
    scenario(account).given(OPENED, TRAINER).when(closing).then(CLOSED)
    state: Account = account.fold(account.initial, (OPENED, TRAINER, CLOSED))
    assert (state.usable, state.appointments) == (False, ())


# -- as what somebody comes


def test_who_comes_is_whichever_of_his_appointments_he_names_and_the_first_if_none() -> None:
    state: Account = account.fold(account.initial, (OPENED, TRAINER, given("examiner", "centre")))
    assert state.chosen("") == f"trainer@{HERE}"
    assert state.chosen("examiner@centre") == "examiner@centre"
    for appointment, of in [("supervisor@centre", state), ("", Account(opened=True))]:
        with pytest.raises(NotAppointed):
            of.chosen(appointment)


# -- passwords and log-ins


def test_everybody_changes_his_own_password_and_the_administrator_anybodys() -> None:
    changed = PasswordChanged(account=SOMEBODY)
    own = ChangePassword(account=SOMEBODY, by=Actor(SOMEBODY, Role.TRAINER, HERE), at=NOW)
    there = scenario(account).given(OPENED, TRAINER)
    there.when(own).then(changed)
    there.when(ChangePassword(account=SOMEBODY, **OF_CENTRE)).then(changed)
    there.when(ChangePassword(account=SOMEBODY, **OF_STATION)).then(changed)
    other = replace(own, by=Actor(derived_id("another"), Role.TRAINER, HERE))
    there.when(other).refused(SomebodyElsesPassword)
    of_another_body = replace(own, by=Actor(ADMINISTRATOR, Role.ADMINISTRATOR, ELSEWHERE))
    there.when(of_another_body).refused(OtherBodysAccount)
    scenario(account).when(own).refused(AccountUnknown)
    scenario(account).given(OPENED, CLOSED).when(own).refused(AccountUnknown)


def test_another_log_in_is_linked_to_an_account() -> None:
    linking = LinkLogin(account=SOMEBODY, **OF_CENTRE)
    scenario(account).given(OPENED).when(linking).then(LoginLinked(account=SOMEBODY))


def test_what_the_service_notes_of_itself() -> None:
    us = {"by": Actor("registration", Role.SERVICE, "centre"), "at": NOW}
    until = "2026-04-01T01:31:00.000000Z"
    locked = {"lock": derived_id("lock"), "account": "", "failures": 5, "until": until}
    scenario(lock).when(LockLogin(**locked, **us)).then(AccountLocked(**locked))
    about = {"session": derived_id("session"), "account": SOMEBODY}
    reused = RefreshTokenReused(**about)
    scenario(session).when(ReportReuse(**about, **us)).then(reused)
    scenario(session).given(reused).when(ReportReuse(**about, **us)).then_nothing()
