"""Projections: a new build grows beside the live one, and readers never see anything half done."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import dict_row

from services.registration import queries
from services.registration.domain.application import RejectAtStation
from services.registration.projections import register, staff
from services.scoring import queries as of_scoring
from services.scoring.projections import marks
from shared.contracts import scoring
from shared.contracts.registration import (
    AccountClosed,
    ApplicationSubmitted,
    AppointmentEnded,
    AppointmentGiven,
    TrainingHeld,
)
from shared.kernel.actors import Role
from shared.kernel.events import Event
from shared.kernel.ids import derived_id
from shared.kernel.reactions import Projection, Rows
from shared.runtime.definition import Definition
from shared.runtime.delivery import Reception, consumers
from shared.runtime.rebuilding import rebuild
from shared.store import builds, parking, sealer
from shared.store.builds import RebuildRunning
from shared.testing.postgres import Cluster
from shared.wire.envelope import read
from tests.integration.store.office import Office, at_once, claim, outcome, somebody

BATCH = derived_id("batch", "spring")
_FIRST, _LAST = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"


class Interrupted(BaseException):
    """Somebody stopped the rebuild."""


class Desk:
    """Registration with its live projection, and somebody who reads it."""

    def __init__(self, office: Office, projection: Projection = register) -> None:
        self.office = office
        self.projection = projection
        self.reader = office.connect()
        self._sealer = office.sealer()
        builds.install(office.connection, projection)

    def hear(self) -> None:
        """Seals what was decided, and applies it to the live build."""
        self._sealer.seal()
        self._reception().catch_up()

    def _reception(self) -> Reception:
        definition = Definition("registration", "services.registration", projections=(self.projection,))
        sources = {"registration": self.office.source}
        return Reception(consumers(definition, None, "centre"), self.office.visit, self._feed, sources, 5.0)

    def _feed(self, service: str, position: int, limit: int) -> list[bytes]:
        return [sealed for _, sealed, _ in sealer.sealed_after(self.office.connection, position, limit)]

    def rebuild(self, progress: Callable[[int], None] = lambda applied: None, page: int = 5000) -> int:
        office = self.office
        with office.visit() as connection:
            return rebuild(connection, office.definition, self.projection, office.source, progress, page)

    def rows(self) -> list[dict[str, Any]]:
        """What a reader sees now."""
        with self.reader.transaction():
            builds.see_live(self.reader)
            return self.roster(self.reader)

    def roster(self, connection: Connection[Any]) -> list[dict[str, Any]]:
        with connection.cursor(row_factory=dict_row) as rows:
            return queries.roster(rows, BATCH, "00000000-0000-0000-0000-000000000000", 500)

    def deface(self) -> None:
        """Makes the live build's rows tell themselves apart from a new one's."""
        self.office.connection.execute("UPDATE register_1.applications SET outcome = 'of the old build'")

    def builds(self) -> list[tuple[int, int | None]]:
        return self.office.admin.execute("SELECT live, building FROM projections").fetchall()


@pytest.fixture
def desk(office: Office) -> Desk:
    """Twelve applications, of which some were reviewed and one was withdrawn."""
    desk = Desk(office)
    for candidate in range(6):
        office.submit(f"submitted {candidate}", "spring")
    for candidate in range(5):
        office.submit_reviewed(f"reviewed {candidate}", "spring", "Gao")
    office.withdraw(office.submit("withdrawn", "spring"))
    desk.hear()
    return desk


def _outcomes(rows: list[dict[str, Any]]) -> set[str]:
    return {row["outcome"] for row in rows}


def test_a_rebuilt_projection_has_the_rows_of_the_live_one(desk: Desk) -> None:
    before = desk.rows()
    assert len(before) == 12
    assert desk.rebuild() == 18
    assert desk.rows() == before
    assert desk.builds() == [(2, None)]
    assert desk.rebuild() == 18
    assert desk.builds() == [(3, None)]
    assert desk.rows() == before


def test_an_application_is_remembered_with_what_it_is_decided_by_and_why_it_was_rejected(
    desk: Desk,
) -> None:
    reviewer = somebody("Gao", Role.STATION_REVIEWER)
    application = desk.office.submit("rejected", "spring")
    desk.office.run(RejectAtStation, reviewer, application=application, reason="证明材料不全")
    desk.hear()
    for _build in (1, 2):
        (row,) = (row for row in desk.rows() if row["application"] == application)
        facts = claim("rejected", "spring")
        for name in ("kind", "education", "held_level", "years_in_trade"):
            assert row[name] == facts[name]
        assert row["evidence"] == list(facts["evidence"])
        assert (row["status"], row["reason"]) == ("rejected", "证明材料不全")
        assert (row["station_reviewer"], row["centre_reviewer"]) == (reviewer.id, "")
        desk.rebuild()


def test_a_rebuild_of_several_pages_has_the_same_rows_and_goes_on_after_the_last_one_that_was_applied(
    desk: Desk,
) -> None:
    before, seen = desk.rows(), []

    def interrupt(applied: int) -> None:
        seen.append(applied)
        if applied == 10:
            raise Interrupted

    with pytest.raises(Interrupted):
        desk.rebuild(interrupt, page=5)
    assert desk.rebuild(seen.append, page=5) == 8
    assert seen == [5, 10, 5, 8]
    assert desk.rows() == before


def test_many_rows_at_once_are_those_of_few_and_poison_among_them_is_parked_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    picky = Picky()
    desk = Desk(office, picky.projection())
    applications = [office.submit(f"candidate {number}", "spring") for number in range(4)]
    picky.application = applications[2]
    monkeypatch.setattr(builds, "_MANY", 1)
    desk.hear()
    assert [row["stream"] for row in parking.parked(office.connection)] == [f"application-{applications[2]}"]
    assert _names(office, 1) == {*applications} - {picky.application}
    monkeypatch.setattr(builds, "_MANY", 100)
    picky.application = ""
    desk.rebuild()
    assert _names(office, 2) == {*applications}


def _names(office: Office, build: int) -> set[str]:
    return {str(id) for (id,) in office.connection.execute(f"SELECT * FROM names_{build}.names").fetchall()}


def test_installing_twice_or_at_once_makes_one_build(office: Office) -> None:
    assert at_once(partial(builds.install, office.connect(), register) for _ in range(4)) == [None] * 4
    assert office.count("projections") == 1
    assert office.count("register_1.applications") == 0


def test_readers_see_the_old_build_until_the_switch(desk: Desk) -> None:
    desk.deface()
    seen: list[set[str]] = []
    desk.rebuild(lambda applied: seen.append(_outcomes(desk.rows())))
    assert seen == [{"of the old build"}]
    assert _outcomes(desk.rows()) == {""}


def test_a_reader_who_began_before_the_switch_reads_the_old_build_to_the_end(desk: Desk) -> None:
    desk.deface()
    with desk.reader.transaction():
        builds.see_live(desk.reader)
        desk.rebuild()
        assert _outcomes(desk.roster(desk.reader)) == {"of the old build"}
    assert _outcomes(desk.rows()) == {""}


def test_a_build_that_nobody_sees_any_more_is_gone_when_the_next_one_begins(desk: Desk) -> None:
    for _ in range(3):
        desk.rebuild()
    schemas = desk.office.admin.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'register%' ORDER BY nspname"
    ).fetchall()
    assert schemas == [("register_3",), ("register_4",)]


def test_events_that_arrive_during_a_rebuild_are_in_the_new_build(desk: Desk) -> None:
    new: list[str] = []

    def meanwhile(applied: int) -> None:
        if len(new) < 2:
            new.append(desk.office.submit(f"meanwhile {applied}", "spring"))
            desk.hear()
            assert new[-1] in {row["application"] for row in desk.rows()}

    assert desk.rebuild(meanwhile) == 20
    assert set(new) <= {row["application"] for row in desk.rows()}
    new.append(desk.office.submit("afterwards", "spring"))
    desk.hear()
    assert len(desk.rows()) == 15
    assert desk.builds() == [(2, None)]


def test_a_build_that_lags_behind_the_live_one_does_not_take_its_place(desk: Desk) -> None:
    connection = desk.office.connection
    number = builds.begin(connection, desk.projection)
    assert not builds.switch(connection, desk.projection, desk.office.source, number)
    assert desk.builds() == [(1, 2)]
    assert len(desk.rows()) == 12


def test_an_interrupted_rebuild_goes_on_where_it_stopped(desk: Desk) -> None:
    def interrupt(applied: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        desk.rebuild(interrupt)
    assert desk.builds() == [(1, 2)]
    desk.office.submit("after the interruption", "spring")
    desk.hear()
    before = desk.rows()
    assert desk.rebuild() == 1, "what had been applied is not applied again"
    assert desk.rows() == before
    assert desk.builds() == [(2, None)]


def test_a_rebuild_that_loses_its_connection_leaves_the_live_build_alone(desk: Desk) -> None:
    connection = desk.office.connect()
    with pytest.raises(psycopg.OperationalError):
        rebuild(
            connection,
            desk.office.definition,
            register,
            desk.office.source,
            lambda applied: desk.office.kill(connection),
        )
    assert len(desk.rows()) == 12
    assert desk.rebuild() == 0
    assert len(desk.rows()) == 12


def test_while_a_rebuild_runs_another_one_is_refused_and_changes_nothing(desk: Desk) -> None:
    before, refused = desk.rows(), []

    def try_another(applied: int) -> None:
        refused.append(outcome(desk.rebuild))

    desk.rebuild(try_another)
    assert [type(each) for each in refused] == [RebuildRunning]
    assert desk.rows() == before
    assert desk.builds() == [(2, None)]
    assert desk.rebuild() == 18, "afterwards it is free again"


def test_rebuilds_at_once_lose_nothing(desk: Desk) -> None:
    before = desk.rows()
    assert {type(each) for each in at_once([desk.rebuild] * 4)} <= {int, RebuildRunning}
    assert desk.rows() == before
    assert parking.parked(desk.office.connection, everything=True) == []


@dataclass
class Picky:
    """A projection's handler that cannot take one application until it is mended."""

    application: str = ""

    def projection(self) -> Projection:
        projection = Projection("names", "CREATE TABLE names (application uuid PRIMARY KEY)")

        @projection.on(ApplicationSubmitted)
        def submitted(event: ApplicationSubmitted, rows: Rows) -> None:
            rows.execute("INSERT INTO names VALUES (%s)", (event.application,))
            if event.application == self.application:
                raise ValueError("cannot take it")

        return projection


def test_what_stood_parked_under_the_old_build_is_in_the_new_one_once_the_handler_is_mended(
    office: Office,
) -> None:
    picky = Picky()
    desk = Desk(office, picky.projection())
    office.submit("Ling", "spring")
    picky.application = office.submit("Hua", "spring")
    desk.hear()
    assert [row["consumer"] for row in parking.parked(office.connection)] == ["names"]
    assert office.count("names_1.names") == 1
    picky.application = ""
    assert desk.rebuild() == 2
    assert office.count("names_2.names") == 2
    assert parking.parked(office.connection, everything=True) == []


def test_what_the_new_build_cannot_take_stands_parked_under_the_live_name_and_can_be_replayed(
    office: Office,
) -> None:
    picky = Picky()
    desk = Desk(office, picky.projection())
    application = picky.application = office.submit("Hua", "spring")
    office.withdraw(application)
    desk.hear()
    desk.rebuild()
    (first, second) = parking.parked(office.connection)
    assert [(row["consumer"], row["position"]) for row in (first, second)] == [("names", 1), ("names", 2)]
    picky.application = ""
    (live,) = consumers(
        Definition("registration", "services.registration", projections=(desk.projection,)), None, "centre"
    )
    assert parking.replay(office.connection, live, office.source, first["stream"]) == (2, "")
    assert office.count("names_2.names") == 1


def test_a_handler_that_fails_leaves_the_search_path_where_it_was(office: Office) -> None:
    picky = Picky(office.submit("Hua", "spring"))
    desk = Desk(office, picky.projection())
    desk.hear()
    (body,) = [read(sealed) for *_, sealed in office.log()]
    connection = office.connection
    with connection.transaction():
        with pytest.raises(ValueError, match="cannot take it"), connection.transaction():
            builds.handle(connection, desk.projection, [body])
        assert connection.execute("SHOW search_path").fetchone() == ('"$user", public',)


def test_an_examiner_is_listed_while_he_is_appointed_and_a_training_with_its_time(office: Office) -> None:
    """One row for each of them, however many bodies he examines for."""
    one, two, batch = (derived_id("account", name) for name in ("one", "two", "batch"))
    here, there = "station-10012003", "station-10012004"
    told = [
        *(AppointmentGiven(account=each, role="examiner", body=here) for each in (one, two)),
        AppointmentGiven(account=one, role="examiner", body=there),
        AppointmentGiven(account=one, role="invigilator", body="centre"),
        TrainingHeld(
            training=two,
            batch=batch,
            station="10012003",
            occupation="焊工",
            trainer=one,
            trainees=(two,),
            hours=8,
        ),
    ]
    with office.connection.transaction(), office.connection.cursor(row_factory=dict_row) as rows:
        builds.install(office.connection, staff)
        builds.see_live(office.connection)

        def bodies(station: str = "") -> dict[str, list[str]]:
            found = queries.examiners(rows, station, "", _FIRST, 9)
            return {row["account"]: row["bodies"] for row in found}

        for event in told:
            staff.write(event, rows, "2026-04-16T01:30:00.000000Z")
        assert bodies() == {one: [here, there], two: [here]}
        assert bodies("10012004") == {one: [there]}
        staff.write(AppointmentEnded(account=one, role="examiner", body=here), rows, "")
        staff.write(AccountClosed(account=two), rows, "")
        assert bodies() == {one: [there]}
        (training,) = queries.trainings(rows, "10012003", _LAST, 9)
        assert (training["trainees"], training["held_at"]) == (1, "2026-04-16T01:30:00.000000Z")


SHEET = "B-7H2K9QXW4M-practical"
_OF = {"sheet": SHEET, "blind_code": SHEET[:12], "batch": BATCH, "station": "10012003", "part": "practical"}
_HU, _GAO = derived_id("person", "Hu"), derived_id("person", "Gao")


def test_a_mark_is_remembered_with_who_gave_it_its_signature_and_every_correction(cluster: Cluster) -> None:
    application = derived_id("application", "marked")
    proposed = {"old": 46, "new": 64, "reason": "加分漏记", "proposer": _HU}
    said: list[Event] = [
        scoring.SheetOpened(
            **_OF, application=application, paper="", rubric="practical-100-v1", examiners=(_HU, _GAO)
        ),
        scoring.ScoreSubmitted(
            **_OF, score=46, rubric="practical-100-v1", examiner=_HU, sheet_digest="d" * 64
        ),
        scoring.SheetSigned(**_OF, examiner=_HU, sheet_digest="d" * 64, public_key="k", signature="s"),
        scoring.CorrectionProposed(**_OF, **{**proposed, "new": 63}),  # type: ignore[arg-type]
        scoring.CorrectionProposed(**_OF, **proposed),  # type: ignore[arg-type]
        scoring.ScoreCorrected(**_OF, **proposed, approver=_GAO),  # type: ignore[arg-type]
    ]
    cluster.clone(["scoring"])
    with cluster.connect("scoring") as connection:
        builds.install(connection, marks)
        with connection.transaction(), connection.cursor(row_factory=dict_row) as rows:
            builds.see_live(connection)
            for place, event in enumerate(said):
                marks.write(event, rows, f"2026-04-16T01:30:0{place}.000000Z")
            (mark,) = of_scoring.marks(rows, application)
            assert of_scoring.marks(rows, application, own="10012004") == []
    assert (mark["score"], mark["examiner"], mark["signed"], mark["status"]) == (64, _HU, True, "corrected")
    assert (mark["panel"], mark["blind_code"]) == ([_HU, _GAO], "B-7H2K9QXW4M")
    (correction,) = mark["corrections"]  # nobody approved the one before
    assert correction == {**proposed, "approver": _GAO, "proposed_at": "2026-04-16T01:30:04.000000Z"}
