"""The sealer: every committed event gets its place exactly once, in an order that the streams agree with."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import orjson
import pytest
from psycopg import Connection

from shared.kernel.errors import Conflict
from shared.security.keys import verify
from shared.store import eventstore, sealer
from shared.wire.envelope import GENESIS
from tests.integration.store.office import Office, assert_whole, until, words

WRITERS = 16
TRANSACTIONS = 40


class NaiveCursor:
    """What everybody writes first: remember the last number, ask for what is greater."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._last = 0
        self.seen: list[tuple[str, int]] = []

    def read(self) -> None:
        rows = self._connection.execute(
            "SELECT stream, version, seq FROM events WHERE seq > %s ORDER BY seq", (self._last,)
        ).fetchall()
        self.seen.extend((stream, version) for stream, version, _ in rows)
        self._last = rows[-1][2] if rows else self._last


def _write(office: Office, writer: int) -> None:
    """Transactions of random length over a stream of his own and one that he shares with three others."""
    chance, own, shared = random.Random(writer), f"own-{writer}", f"shared-{writer % 4}"
    with office.visit() as connection:
        done = 0
        while done < TRANSACTIONS:
            try:
                with connection.transaction():
                    for stream in chance.sample([own, shared], chance.randint(1, 2)):
                        _, version = eventstore.load(connection, stream)
                        eventstore.append(connection, words(stream, version, *"abc"[: chance.randint(1, 3)]))
                        connection.execute("SELECT pg_sleep(%s)", (chance.random() * 0.004,))
            except Conflict:
                continue
            done += 1


def _repeatedly(step: Callable[[], object], stop: Event) -> None:
    while not stop.is_set():
        step()


def test_sixteen_writers_beside_a_sealer_lose_nothing_where_a_cursor_over_the_sequence_does(
    office: Office,
) -> None:
    seal, naive, stop = office.sealer().seal, NaiveCursor(office.connect()), Event()
    with ThreadPoolExecutor(WRITERS + 2) as pool:
        readers = [pool.submit(_repeatedly, step, stop) for step in (seal, naive.read)]
        try:
            writers = [pool.submit(_write, office, writer) for writer in range(WRITERS)]
            for writer in writers:
                writer.result()
        finally:
            stop.set()
        for reader in readers:
            reader.result()
    until(lambda: seal() == 0 and office.count("log") == office.count("events"))
    naive.read()

    written = [(event["subject"], event["streamversion"]) for event in office.drafts()]
    log = office.log()
    sealed = [(event["subject"], event["streamversion"]) for event in (orjson.loads(raw) for *_, raw in log)]
    assert sorted(sealed) == sorted(written)
    assert_whole(log)
    assert len(naive.seen) < len(written), "the load was too light to show anything"


def test_nothing_is_sealed_while_an_earlier_transaction_may_still_commit(office: Office) -> None:
    slow, quick, sealing = office.connect(), office.connect(), office.sealer()
    naive = NaiveCursor(office.connection)
    with slow.transaction():
        eventstore.append(slow, words("slow-1", 0, "began first"))
        eventstore.append(quick, words("quick-1", 0, "committed first"))
        naive.read()
        assert sealing.seal() == 0
    naive.read()
    assert sealing.seal() == 2
    assert [orjson.loads(raw)["subject"] for *_, raw in office.log()] == ["slow-1", "quick-1"]
    assert naive.seen == [("quick-1", 1)], "a cursor over the sequence never sees the slow one"


def test_a_transaction_that_rolls_back_leaves_no_gap(office: Office) -> None:
    doomed, sealing = office.connect(), office.sealer()
    with pytest.raises(Conflict), doomed.transaction():
        eventstore.append(doomed, words("doomed-1", 0, "never"))
        eventstore.append(office.connection, words("other-1", 0, "stays"))
        raise Conflict
    eventstore.append(office.connection, words("other-1", 1, "stays too"))
    assert sealing.seal() == 2
    assert_whole(office.log())


def test_sealing_order_is_by_number_and_not_by_text(office: Office) -> None:
    _burn_transaction_numbers(office, beyond=1000)
    for xid in ("999", "1000"):
        office.admin.execute(
            "INSERT INTO events (stream, version, xid, draft) VALUES (%s, 1, %s::xid8, %s)",
            (f"at-{xid}", xid, words(f"at-{xid}", 0, "x").drafts[0]),
        )
    by_text = office.admin.execute("SELECT xid::text AS xid FROM events ORDER BY xid").fetchall()
    assert by_text == [("1000",), ("999",)], "the trap: the output column's name wins over the table's"
    sealing = office.sealer()
    assert [sealing.seal(limit=1), sealing.seal(limit=1), sealing.seal()] == [1, 1, 0]
    assert [orjson.loads(raw)["subject"] for *_, raw in office.log()] == ["at-999", "at-1000"]


def _burn_transaction_numbers(office: Office, beyond: int) -> None:
    office.admin.execute(
        f"DO $$ BEGIN WHILE pg_current_xact_id()::text::bigint <= {beyond} LOOP COMMIT; END LOOP; END $$"
    )


def test_a_transaction_numbered_before_a_commit_to_the_stream_cannot_append_behind_it(office: Office) -> None:
    early, late, sealing = office.connect(), office.connect(), office.sealer()
    with early.transaction(force_rollback=True):
        early.execute("SELECT pg_current_xact_id()")  # as when it moved a checkpoint before
        eventstore.append(late, words("stream-1", 0, "first"))
        with pytest.raises(Conflict):
            eventstore.append(early, words("stream-1", 1, "second, with the smaller number"))
    eventstore.append(early, words("stream-1", 1, "second, once more"))
    assert sealing.seal() == 2
    assert_whole(office.log())


def test_every_head_is_signed_and_says_what_the_log_says(office: Office) -> None:
    sealing = office.sealer()
    assert sealer.head(office.connection) == (0, GENESIS, b"")
    eventstore.append(office.connection, words("stream-1", 0, "a", "b", "c"))
    assert sealing.seal(limit=2) == 2
    assert sealing.seal(limit=2) == 1
    position, hash, signature = sealer.head(office.connection)
    key = (office.cluster.settings.secrets / "sources" / "centre.registration.pub").read_text().strip()
    assert (position, hash) == office.log()[-1][:2]
    assert verify(key, office.source, position, hash, signature)
    assert not verify(key, office.source, position - 1, hash, signature)
    assert office.count("heads") == 2


def test_the_published_mark_moves_forward_only(office: Office) -> None:
    relay = office.connect("relay")
    for position in (2, 5, 3):
        sealer.mark_published(relay, position)
    assert sealer.published(relay) == 5


def test_one_sealer_leads_and_when_its_connection_dies_the_other_takes_over(office: Office) -> None:
    connection = office.connect("relay")
    first, second = office.sealer(connection), office.sealer()
    assert [first.lead(), second.lead(), first.lead()] == [True, False, True]
    eventstore.append(office.connection, words("stream-1", 0, "under the first"))
    assert first.seal() == 1
    office.kill(connection)
    until(second.lead)
    eventstore.append(office.connection, words("stream-1", 1, "under the second"))
    assert second.seal() == 1
    assert_whole(office.log())


def test_a_leader_that_dies_within_its_transaction_leaves_no_half_sealed_event(office: Office) -> None:
    connection = office.connect("relay")
    eventstore.append(office.connection, words("stream-1", 0, "a", "b"))
    with pytest.raises(Exception, match=r"terminating|closed|lost"), connection.transaction():
        assert office.sealer(connection).seal() == 2
        office.kill(connection)
        connection.execute("SELECT 1")
    assert office.count("log") == office.count("heads") == 0
    assert office.sealer().seal() == 2
    assert_whole(office.log())


def test_two_that_both_believe_to_lead_still_seal_every_event_once(office: Office) -> None:
    stop = Event()
    with ThreadPoolExecutor(2) as pool:
        sealing = [pool.submit(_repeatedly, office.sealer().seal, stop) for _ in range(2)]
        try:
            for version in range(100):
                eventstore.append(office.connection, words("stream-1", version, "x"))
            until(lambda: office.count("log") == 100)
        finally:
            stop.set()
        for each in sealing:
            each.result()
    assert_whole(office.log())


def test_a_writing_transaction_that_holds_the_log_back_is_noticed_and_one_that_only_reads_is_not(
    office: Office,
) -> None:
    idle, sealing = office.connect(), office.sealer()
    until(lambda: sealing.stalled_for() == 0)
    with idle.transaction():
        idle.execute("SELECT count(*) FROM events")
        assert sealing.stalled_for() == 0
        eventstore.append(idle, words("stream-1", 0, "x"))
        assert until(lambda: sealing.stalled_for() > 0)
    until(lambda: sealing.stalled_for() == 0)
