"""Identifiers: unique, ordered by time where an index grows, the same again where a repeat must be one."""

import time
import uuid
from itertools import pairwise
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.ids import blind_code, derived_id, new_id, ticket_number

LETTERS = set("23456789ABCDEFGHJKLMNPQRSTUVWXYZ")


def test_a_new_id_is_a_version_7_uuid_in_its_canonical_spelling():
    for _ in range(1000):
        id = uuid.UUID(new_id())
        assert (id.version, id.variant) == (7, uuid.RFC_4122)
        assert str(id) == str(id).lower()


@given(st.lists(st.integers(0, 2**48 - 1), min_size=2, max_size=20, unique=True))
def test_ids_sort_by_the_millisecond_they_were_made_in(milliseconds):
    moments = [each * 1_000_000 for each in sorted(milliseconds)]
    with patch.object(time, "time_ns", side_effect=moments):
        made = [new_id() for _ in moments]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert [uuid.UUID(id).int >> 80 for id in made] == sorted(milliseconds)


def test_ids_of_one_millisecond_differ(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1_776_303_000_000_000_000)
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_a_derived_id_never_changes():
    # what it was when the first event was published: a changed id would make one command two
    assert derived_id("anything") == "8bf3b95e-f8ed-59f5-b71b-f2363e4da73e"
    assert uuid.UUID(derived_id("anything")).version == 5


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1, max_size=4))
def test_a_derived_id_depends_on_every_part_and_where_it_ends(parts):
    assert derived_id(*parts) == derived_id(*parts)
    assert derived_id(*parts) != derived_id(*parts, "")
    assert derived_id(*parts) != derived_id("", *parts)


def test_parts_do_not_run_into_each_other():
    assert derived_id("ab", "c") != derived_id("a", "bc")


def test_a_ticket_number_and_a_blind_code_use_only_letters_that_nobody_confuses():
    tickets, codes = {ticket_number() for _ in range(1000)}, {blind_code() for _ in range(1000)}
    assert len(tickets) == len(codes) == 1000
    assert all(len(ticket) == 16 and set(ticket) <= LETTERS for ticket in tickets)
    assert all(code.startswith("B-") and len(code) == 12 and set(code[2:]) <= LETTERS for code in codes)
