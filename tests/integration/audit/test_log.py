"""The audit log: everything heard, once, by append_entries and nobody else."""

from functools import partial
from threading import Event

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from services.audit import log, trails
from services.audit.log import recorder
from shared.contracts import SOURCES
from shared.kernel.errors import Conflict
from shared.store import inbox
from shared.wire.envelope import read
from tests.integration.audit.witness import Witness, tell
from tests.integration.store.office import DEADLINE, at_once, until
from tests.integration.store.source import Source

CHANGES = [
    "INSERT INTO {t} OVERRIDING SYSTEM VALUE SELECT * FROM {t} WHERE false",
    "UPDATE {t} SET {c} = {c}",
    "DELETE FROM {t}",
    "TRUNCATE {t} CASCADE",
    "ALTER TABLE {t} ADD COLUMN mine int",
    "ALTER TABLE {t} ALTER COLUMN {c} TYPE text USING {c}::text",
    "ALTER TABLE {t} DISABLE TRIGGER ALL",
    "ALTER TABLE {t} OWNER TO CURRENT_USER",
    "ALTER TABLE {t} RENAME TO gone",
    "CREATE RULE mine AS ON INSERT TO {t} DO INSTEAD NOTHING",
    "DROP TABLE {t} CASCADE",
]


def test_every_source_is_heard() -> None:
    assert recorder.sources == set(SOURCES)


def test_what_is_heard_twice_is_one_entry(witness: Witness) -> None:
    before = witness.sealed()
    witness.hear()
    witness.hear(at_a_time=1)
    assert witness.sealed() == before
    assert len(before) == 18


def test_entries_are_the_bytes_that_the_sources_sealed(witness: Witness) -> None:
    said = [body for source in witness.sources for body in source.bodies]
    assert sorted(witness.sealed()) == sorted(said)
    for source in witness.sources:
        assert [raw for raw in witness.sealed() if read(raw).source == source.name] == source.bodies


def test_a_batch_that_cannot_be_appended_leaves_nothing(empty: Witness) -> None:
    tell(empty, "Ling")
    events = empty.source("registration").events()
    with pytest.raises(psycopg.errors.UniqueViolation), empty.connection.transaction():
        log.append(empty.connection, [*events, events[0]])
    assert empty.sealed() == []
    log.append(empty.connection, [])
    assert empty.sealed() == []


def test_four_sources_heard_at_once_are_all_appended_and_the_tree_is_right(empty: Witness) -> None:
    for number in range(20):
        tell(empty, f"candidate {number}")

    def listen(source: Source) -> None:
        connection, events = empty.connect(), source.events()
        while events:
            try:
                inbox.apply(connection, recorder, source.name, events[:3])
            except Conflict:
                continue  # somebody else appended first; the bus would hand it out again
            events = events[3:]

    assert at_once(partial(listen, source) for source in empty.sources) == [None] * 4
    assert len(empty.sealed()) == 120
    assert empty.problems() == []


def test_an_append_from_any_other_index_than_the_end_is_refused(witness: Witness) -> None:
    some, more = ", ".join(["'{}'"] * 6), ", ".join(["'{}'"] * 9)
    for first in (0, 17, 19):
        with pytest.raises(psycopg.DatabaseError) as refusal:
            witness.connection.execute(
                f"SELECT append_entries(%s, {some}, now(), {more}, %s, '')",
                (first, bytes(32)),
            )
        assert refusal.value.sqlstate == "JD001"
    assert witness.problems() == []


def test_an_append_that_somebody_else_overtook_is_a_conflict(witness: Witness) -> None:
    tell(witness, "Qing")
    first, second, appended = witness.connect(), witness.connect(), Event()
    registered, scheduled = (witness.source(each) for each in ("registration", "scheduling"))

    def append_and_hold() -> None:
        with first.transaction():
            inbox.apply(first, recorder, scheduled.name, scheduled.events())
            appended.set()
            until(lambda: witness.waits_for_a_lock(second))

    def be_overtaken() -> None:
        assert appended.wait(DEADLINE)
        inbox.apply(second, recorder, registered.name, registered.events())

    assert [type(each) for each in at_once([append_and_hold, be_overtaken])] == [type(None), Conflict]
    assert (len(witness.sealed()), witness.problems([])) == (19, [])


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("entries", "type"),
        ("subjects", "ref"),
        ("tree_heads", "made_at"),
        ("tiles", "hashes"),
        ("evidence", "reason"),
        ("findings", "kind"),
        ("source_heads", "hash"),
    ],
)
def test_the_services_role_can_change_nothing_that_is_written(
    witness: Witness, table: str, column: str
) -> None:
    for statement in CHANGES:
        query = sql.SQL(statement).format(t=sql.Identifier(table), c=sql.Identifier(column))
        with witness.admin.transaction(force_rollback=True):
            witness.admin.execute(query)  # so it is the right that lacks
        with pytest.raises(InsufficientPrivilege):
            witness.connection.execute(query)
    assert witness.problems() == []


def test_the_relays_role_and_the_public_cannot_append(witness: Witness) -> None:
    with pytest.raises(InsufficientPrivilege):
        log.append(witness.connect("relay"), witness.source("registration").events())
    closed = witness.admin.execute(
        "SELECT has_function_privilege('public', 'append_entries'::regproc, 'EXECUTE')"
    )
    assert closed.fetchone() == (False,)


def test_the_log_is_handed_out_page_by_page_with_its_head(witness: Witness) -> None:
    first = witness.ask(trails.entries, limit=10)
    rest = witness.ask(trails.entries, after=9)
    assert [text.encode() for text in first + rest] == witness.sealed()
    verdict = witness.verdict()
    assert witness.ask(trails.head) == {"size": 18, "root": verdict.root}


def test_an_empty_log_has_a_head_of_nothing_and_is_verified(empty: Witness) -> None:
    assert empty.ask(trails.head) == {"size": 0, "root": ""}
    assert empty.verdict().as_data() == {
        "verdict": "verified",
        "verified": True,
        "size": 0,
        "root": "",
        "sources": {},
        "behind": [],
        "lacking": "",
        "first": None,
        "problems": [],
        "more": [],
    }
