"""Aggregates: decisions and history as plain functions, found by the type of their first argument."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.errors import DomainError
from shared.kernel.events import Event
from shared.testing.scenario import scenario


class ShopEvent(Event, service="test-shop"):
    """The language of this test."""


class TableReserved(ShopEvent):
    """A table is reserved."""

    table: str
    seats: int


class TableFreed(ShopEvent):
    """It is free again; nothing here remembers how often."""

    table: str


class BellRung(ShopEvent):
    """Nobody folds this."""

    table: str


class TableIsTaken(DomainError):
    """已有人；请另选。

    It is taken; choose another.
    """


@dataclass(frozen=True, kw_only=True)
class Reserve(Command):
    """Reserve a table."""

    table: str
    seats: int = 2


@dataclass(frozen=True)
class Table:
    """How many seats of it are taken."""

    seats: int = 0


table = Aggregate(
    "table", Table(), claims=lambda state: {"window"} if state.seats else set(), taken=TableIsTaken
)


@table.decides(Role.EXAM_AFFAIRS, Role.SERVICE)
def reserve(command: Reserve, state: Table) -> Facts:
    if state.seats:
        raise TableIsTaken
    return [TableReserved(table=command.table, seats=command.seats)]


@table.evolves
def reserved(event: TableReserved, state: Table) -> Table:
    return replace(state, seats=event.seats)


@table.evolves
def freed(_event: TableFreed, state: Table) -> Table:
    return replace(state, seats=0)


ASKED = Reserve(by=Actor("a", Role.EXAM_AFFAIRS, "centre"), at=datetime(2026, 4, 16, tzinfo=UTC), table="t")
RESERVED, FREED, RUNG = TableReserved(table="t", seats=2), TableFreed(table="t"), BellRung(table="t")


def test_a_decision_says_what_happened():
    scenario(table).given().when(ASKED).then(RESERVED)
    scenario(table).given(RESERVED, FREED).when(ASKED).then(RESERVED)


def test_a_decision_refuses_with_a_reason():
    scenario(table).given(RESERVED).when(ASKED).refused(TableIsTaken)


def test_a_command_names_its_stream_roles_and_aggregate():
    assert table.stream(ASKED) == "table-t"
    assert table.roles[Reserve] == {Role.EXAM_AFFAIRS, Role.SERVICE}
    assert list(table.commands) == [Reserve]
    assert table.taken is TableIsTaken


def test_history_is_folded_in_order_and_what_changes_nothing_is_passed_over():
    assert table.fold(table.initial, [RESERVED, RUNG]) == Table(2)
    assert table.fold(table.initial, [RESERVED, RUNG, FREED]) == table.initial
    assert table.fold(table.initial, []) is table.initial


def test_folding_in_two_steps_is_folding_at_once():
    once = table.fold(table.initial, [RESERVED, FREED, RESERVED])
    assert table.fold(table.fold(table.initial, [RESERVED]), [FREED, RESERVED]) == once


def test_claims_bear_the_name_of_the_aggregate():
    assert table.claims(Table(2)) == {"table:window"}
    assert table.claims(Table()) == frozenset()
    assert Aggregate("chair", Table()).claims(Table(2)) == frozenset()


def test_a_decorated_function_stays_a_function():
    assert reserve(ASKED, Table()) == [RESERVED]
    assert reserved(RESERVED, Table()) == Table(2)


def test_a_scenario_that_is_not_refused_fails():
    with pytest.raises(AssertionError, match="not refused"):
        scenario(table).given().when(ASKED).refused(TableIsTaken)


def test_a_scenario_that_is_refused_for_another_reason_fails():
    with pytest.raises(AssertionError, match="refused with TableIsTaken, not DomainError"):
        scenario(table).given(RESERVED).when(ASKED).refused(DomainError)
