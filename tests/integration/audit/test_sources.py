"""Looking after the sources: what each look leaves in audit's database."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit import findings, sources
from services.audit.domain.sources import Gap, Record, Statement, Waiting
from services.audit.sources import Watch
from shared.kernel.clock import moment, stamp, utc_now
from shared.runtime.delivery import FeedUnavailable
from shared.runtime.settings import settings
from shared.security.heads import Heartbeat
from shared.security.keys import Signer
from shared.wire.envelope import GENESIS, digest
from tests.integration.audit.witness import Witness, tell

SCORING = "/centre/scoring"


class Look:
    """A watch over scoring alone, with a clock of the test's own."""

    def __init__(self, audit: Witness, folder: Path) -> None:
        self.audit = audit
        self.source = audit.source("scoring")
        self.settings = replace(settings(), secrets=folder)
        self.signer = Signer.load(folder / "sources", SCORING)
        self.now = utc_now()
        self.said: Heartbeat | None = None
        self.begin()

    def begin(self) -> None:
        """What a new process knows."""

        def connect() -> object:
            return nullcontext(self.audit.connection)

        self.watch = Watch(self.settings, connect, self._ask, lambda: self.now, ["scoring"])

    def _ask(self, service: str) -> Heartbeat | None:
        if self.said is None:
            raise FeedUnavailable(service)
        return self.said

    def state(self, position: int | None = None, signer: Signer | None = None) -> None:
        place = len(self.source.bodies) if position is None else position
        head, time = digest(self.source.bodies[place - 1]) if place else GENESIS, stamp(self.now)
        signature = (signer or self.signer).state(place, head, time)
        self.said = Heartbeat(SCORING, place, head, time, signature)

    def later(self, seconds: float = 10) -> None:
        self.now += timedelta(seconds=seconds)
        self.watch.step()

    def findings(self) -> list[tuple[str, int | None, int | None]]:
        rows = self.audit.admin.execute(
            "SELECT kind, first_position, last_position FROM findings WHERE source = %s ORDER BY id",
            (SCORING,),
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def evidence(self) -> list[dict]:
        rows = self.audit.admin.execute("SELECT body FROM evidence WHERE source = %s ORDER BY id", (SCORING,))
        return [orjson.loads(row[0]) for row in rows]


@pytest.fixture
def look(witness: Witness, tmp_path: Path) -> Look:
    """Six events of scoring have come, and are stated."""
    look = Look(witness, tmp_path)
    look.state()
    look.later(1)
    return look


def test_a_calm_source_leaves_its_head_and_no_finding(look: Look) -> None:
    look.state()
    look.later()
    assert look.findings() == []
    row = look.audit.connection.execute("SELECT position, hash, looked FROM source_heads").fetchone()
    assert row == (6, look.source.head.hex(), 6)


def test_a_source_that_does_not_answer_is_silent_since_its_last_word_and_returns(look: Look) -> None:
    assert look.said is not None
    since, look.said = look.said.time, None
    look.later(61)
    look.later(61)
    look.state()
    look.later()
    assert look.findings() == [("source-silent", 6, None), ("source-returned", 6, None)]
    rows = look.audit.admin.execute("SELECT detail ->> 'since' FROM findings").fetchall()
    assert rows == [(since,), (since,)]


def test_a_second_silence_at_the_same_position_is_another_finding(look: Look) -> None:
    for _ in range(2):
        look.later(100)
        look.state()
        look.later()
    assert [kind for kind, *_ in look.findings()] == ["source-silent", "source-returned"] * 2


def test_a_new_process_goes_on_where_the_one_before_stopped(look: Look) -> None:
    look.later(61)
    look.begin()
    look.later()
    look.state()
    look.later()
    assert [kind for kind, *_ in look.findings()] == ["source-silent", "source-returned"]


def test_events_withheld_while_heads_go_on_are_named_exactly_until_they_come(look: Look) -> None:
    tell(look.audit, "Yan")
    for _ in range(9):
        look.state()
        look.later()
    assert look.findings() == [("missing-events", 7, 8)]
    look.audit.hear()
    look.state()
    look.later()
    assert look.findings()[1:] == [("gap-filled", 7, 8)]


def test_a_source_set_back_is_found_with_what_it_took_back_and_its_own_signed_word(look: Look) -> None:
    look.now += timedelta(seconds=10)
    look.state(4)
    look.later()
    assert look.findings() == [("rolled-back", 5, 6)]
    (said,) = look.evidence()
    kept = Heartbeat.read(SCORING, said)
    assert kept is not None
    assert kept.signed(look.settings.secrets / "sources")
    assert kept.position == 4


def test_another_log_under_the_same_positions_is_a_fork_with_its_evidence(look: Look) -> None:
    look.now += timedelta(seconds=10)
    other = digest(b"another log")
    time = stamp(look.now)
    look.said = Heartbeat(SCORING, 6, other, time, look.signer.state(6, other, time))
    look.later()
    assert look.findings() == [("fork", 6, 6)] or look.findings() == [("fork", 6, 6), ("fork", 6, 6)]
    assert look.evidence()[0]["hash"] == other.hex()


def test_a_statement_under_another_key_or_of_another_time_is_not_believed(look: Look, tmp_path: Path) -> None:
    stranger = Signer.load(tmp_path / "elsewhere", SCORING)
    look.state(signer=stranger)
    look.later()
    assert look.findings() == [("bad-signature", 6, 6)]
    look.state()
    assert look.said is not None
    assert (
        replace(look.said, time=stamp(look.now + timedelta(seconds=9))).signed(
            look.settings.secrets / "sources"
        )
        is False
    )


def test_events_long_on_their_way_are_told_once(look: Look, tmp_path: Path) -> None:
    hasty = replace(look.settings, transit_seconds=0)
    for _ in range(2):
        tardy = Watch(hasty, lambda: nullcontext(look.audit.connection), look._ask, lambda: look.now)
        tardy.step()
    late = [
        tuple(row)
        for row in look.audit.admin.execute(
            "SELECT source, first_position, last_position FROM findings WHERE kind = 'late-events' ORDER BY 1"
        )
    ]
    # scoring's were looked at before, when they were in time; a process that begins looks at all of it anew
    assert late == [
        ("/centre/certification", 1, 3),
        ("/centre/registration", 1, 6),
        ("/centre/scheduling", 1, 3),
        ("/centre/scoring", 1, 6),
    ]


@pytest.mark.parametrize("moved", [7, 2**62])
@pytest.mark.parametrize("running", [True, False])
def test_a_mark_that_somebody_has_moved_on_hides_no_lateness(look: Look, moved: int, running: bool) -> None:
    hasty = replace(look.settings, transit_seconds=0)

    def begun() -> Watch:
        return Watch(hasty, lambda: nullcontext(look.audit.connection), look._ask, lambda: look.now)

    watch = begun()
    watch.step()
    if running:
        tell(look.audit, "Qing")
        look.audit.hear()
    else:
        watch = begun()
    look.audit.admin.execute("TRUNCATE findings")
    look.audit.admin.execute("UPDATE source_heads SET looked = %s", (moved,))
    for _ in range(2):
        watch.step()
    late = look.audit.admin.execute(
        "SELECT source, max(last_position) FROM findings WHERE kind = 'late-events' GROUP BY source"
    )
    assert dict(late.fetchall()) == {each.name: len(each.bodies) for each in look.audit.sources}


def test_findings_are_handed_out_page_by_page_by_kind_and_by_source(look: Look) -> None:
    for _ in range(2):
        look.later(100)
        look.state()
        look.later()
    ask = look.audit.ask
    everything = ask(findings.findings)
    assert [each["kind"] for each in everything] == ["source-silent", "source-returned"] * 2
    assert ask(findings.findings, after=everything[1]["id"], limit=1) == everything[2:3]
    assert ask(findings.findings, kind="source-returned") == everything[1::2]
    assert ask(findings.findings, source="/centre/scheduling") == []
    assert ask(findings.spelled, 0, 1, "", SCORING)[0]["raised_at"].startswith("20")


def test_the_service_cannot_take_a_head_back(look: Look) -> None:
    with pytest.raises(psycopg.errors.DatabaseError) as refused:
        look.audit.connection.execute("SELECT keep_head(%s, 5, '', '2030', 6, '{}')", (SCORING,))
    assert refused.value.sqlstate == "JD004"


moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
stated = st.builds(Statement, st.integers(0, 2**53), st.just("0f" * 32), moments, st.just("ab"))


@given(
    st.builds(
        Record,
        head=st.none() | stated,
        last=st.none() | stated,
        unproven=st.lists(stated, max_size=3).map(tuple),
        waiting=st.none() | st.builds(Waiting, st.integers(1, 2**53), moments),
        gap=st.none() | st.builds(Gap, st.integers(1, 2**53), st.integers(1, 2**53)),
        silent=st.none() | moments,
    )
)
def test_what_is_remembered_is_read_as_it_was_written(record: Record) -> None:
    written = sources._written(record)
    assert sources._record(orjson.loads(written)) == record
    assert moment(stamp(NOON)) == NOON


NOON = datetime(2026, 4, 16, 12, tzinfo=UTC)
