"""A station's clerk finds applications by name; the name itself stands nowhere in the open (R163, R207)."""

import base64
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import dict_row

from services.registration import queries, searching
from services.registration.domain.errors import OtherStation
from services.registration.domain.identity import check_character, masked, plain_name
from services.registration.projections import register
from services.registration.searching import NamesNotIndexed, Search
from services.registration.showing import NobodyToShow, Showing
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id, new_id
from shared.security.vault import Vault
from shared.store import builds
from tests.integration.store.office import CLERK, STATION, Office, somebody
from tests.integration.store.test_vault import HUA, LING, NAME, NUMBER, PHOTO, Registry

OTHER = "10012004"
VAULT = Vault(b"m" * 32)
_APPLY = """
INSERT INTO applications (application, candidate, batch, station, occupation, level, status)
VALUES (%s, %s, %s, %s, 'welder', 4, %s)
"""
_ROWS = 20_000
_MANY = """
INSERT INTO vault (person, name_index, sealed)
SELECT md5(n::text)::uuid, sha256((n % 5000)::text::bytea), '' FROM generate_series(1, :rows) AS n;
INSERT INTO applications (application, candidate, batch, station, occupation, level, status)
SELECT md5('a' || n)::uuid, md5(n::text)::uuid, md5((n % 300)::text)::uuid, '10012003', 'welder', 4,
       'submitted'
  FROM generate_series(1, :rows) AS n;
ANALYZE vault; ANALYZE applications
"""
Find = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def registry(office: Office) -> Registry:
    registry = Registry(office)
    registry.on_a_connection(lambda connection: builds.install(connection, register))
    return registry


@pytest.fixture
def search(office: Office, registry: Registry) -> Search:
    workshop: Any = SimpleNamespace(
        settings=office.cluster.settings, persistently=registry.on_a_connection, committed=lambda: None
    )
    return Search(workshop, VAULT)


@pytest.fixture
def find(search: Search) -> Find:
    """`find(name, by=…, batch=…)` -> application ids."""

    def named(name: str, by: Actor = CLERK, batch: str = "", status: str = "") -> list[dict[str, Any]]:
        return search.named(by, name, batch, status)

    return named


def apply(registry: Registry, candidate: str, station: str = STATION, status: str = "submitted") -> str:
    """An application as the register has it; its batch is named after its station."""
    id = new_id()

    def work(connection: Connection[Any]) -> None:
        with connection.transaction():
            builds.see_live(connection)
            connection.execute(_APPLY, (id, candidate, derived_id("batch", station), station, status))

    registry.on_a_connection(work)
    return id


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [row["application"] for row in found]


@pytest.mark.parametrize("spelled", [NAME, f" {NAME[:2]} {NAME[2:]} ", f"{NAME[:2]}\u3000{NAME[2:]}"])
def test_a_whole_name_is_found_however_it_is_spaced(registry: Registry, find: Find, spelled: str) -> None:
    registry.enrol(LING)
    mine = apply(registry, LING)
    assert ids(find(spelled)) == [mine]
    assert find(NAME[:2]) == []


def test_nobody_sees_applications_at_another_station(registry: Registry, find: Find) -> None:
    registry.enrol(LING)
    mine, other = apply(registry, LING), apply(registry, LING, OTHER)
    assert ids(find(NAME)) == [mine]
    there = Actor(CLERK.id, Role.EXAM_AFFAIRS, f"station-{OTHER}")
    assert ids(find(NAME, there)) == [other]
    with pytest.raises(OtherStation):
        find(NAME, Actor(CLERK.id, Role.EXAM_AFFAIRS, "centre"))


def test_a_batch_and_a_state_narrow_what_is_found(registry: Registry, find: Find) -> None:
    registry.enrol(LING)
    apply(registry, LING)
    done = apply(registry, LING, status="concluded")
    assert ids(find(NAME, status="concluded")) == [done]
    assert len(find(NAME, batch=derived_id("batch", STATION))) == 2
    assert find(NAME, batch=derived_id("batch", OTHER)) == []


def test_a_search_is_an_event_without_the_name_also_if_nothing_is_found(
    office: Office, registry: Registry, find: Find
) -> None:
    registry.enrol(LING)
    apply(registry, LING)
    find(NAME), find("无人姓此")
    read = [draft for draft in office.drafts() if draft["type"] == "SensitiveRead"]
    assert [draft["data"]["rows"] for draft in read] == [1, 0]
    assert {draft["data"]["query"] for draft in read} == {"applications_named"}
    assert {draft["actor"] for draft in read} == {CLERK.id}
    assert NAME not in str(read)


def test_who_was_enrolled_before_there_was_an_index_gets_his_with_the_first_search(
    office: Office, registry: Registry, find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = NUMBER[:14] + "029"
    registry.enrol(LING)
    registry.enrol(HUA, number=other + check_character(other))
    office.admin.execute("UPDATE vault SET name_index = NULL")
    both = [apply(registry, LING), apply(registry, HUA)]
    monkeypatch.setattr(searching, "_AT_ONCE", 1)
    for _each in both:
        with pytest.raises(NamesNotIndexed):
            find(NAME)
    assert sorted(ids(find(NAME))) == sorted(both)


def test_an_erased_person_is_found_no_more(registry: Registry, find: Find) -> None:
    registry.enrol(LING)
    apply(registry, LING)
    registry.erase(LING)
    assert find(NAME) == []


@pytest.mark.parametrize("number", [NUMBER, f" {NUMBER[:6]} {NUMBER[6:].lower()}"])
@pytest.mark.parametrize("name", [NAME, f" {NAME[:2]} {NAME[2:]}"])
def test_whoever_holds_a_document_is_found_by_it_and_by_his_name_together(
    registry: Registry, search: Search, number: str, name: str
) -> None:
    """At any station: he may have applied at another one before (R036)."""
    registry.enrol(LING)
    there = Actor(CLERK.id, Role.EXAM_AFFAIRS, f"station-{OTHER}")
    for clerk in (CLERK, there):
        assert search.enrolled(clerk, "resident_id", number, name) == [{"candidate": LING}]


def test_a_number_without_the_name_tells_nothing_and_an_erased_person_is_found_no_more(
    office: Office, registry: Registry, search: Search
) -> None:
    registry.enrol(LING)
    assert search.enrolled(CLERK, "resident_id", NUMBER, "欧阳其他") == []
    assert search.enrolled(CLERK, "passport", NUMBER[:9], NAME) == []
    assert search.enrolled(CLERK, "resident_id", NUMBER, NAME)
    registry.erase(LING)
    assert search.enrolled(CLERK, "resident_id", NUMBER, NAME) == []
    read = [draft for draft in office.drafts() if draft["type"] == "SensitiveRead"]
    assert [(draft["data"]["query"], draft["data"]["rows"]) for draft in read] == [
        ("enrolled_as", rows) for rows in (0, 0, 1, 0)
    ]
    assert NUMBER not in str(read)
    assert NAME not in str(read)


@pytest.fixture
def showing(search: Search) -> Showing:
    return Showing(search._workshop, VAULT)


@pytest.mark.parametrize("role", [Role.EXAM_AFFAIRS, Role.STATION_REVIEWER, Role.CENTRE_REVIEWER])
def test_whoever_reviews_is_shown_who_stands_behind_an_application(
    registry: Registry, showing: Showing, role: Role
) -> None:
    registry.enrol(LING)
    assert showing.identity(somebody("looks", role), apply(registry, LING)) == {
        "name": NAME,
        "document": "resident_id",
        "number": NUMBER,
        "photo": base64.b64encode(PHOTO).decode(),
    }


def test_an_invigilator_is_shown_who_has_a_ticket_and_the_ends_of_his_number(
    registry: Registry, showing: Showing
) -> None:
    registry.enrol(LING)
    invigilator = somebody("Wu", Role.INVIGILATOR)
    shown = showing.identity(invigilator, apply(registry, LING, status="ticketed"))
    assert (shown["name"], shown["number"]) == (NAME, masked(NUMBER))
    for status in ("submitted", "registered", "concluded"):
        with pytest.raises(NobodyToShow):
            showing.identity(invigilator, apply(registry, LING, status=status))


@pytest.mark.parametrize("role", [Role.EXAM_AFFAIRS, Role.STATION_REVIEWER, Role.INVIGILATOR])
def test_nobody_is_shown_people_of_another_station_and_nobody_is_shown_whoever_was_erased(
    registry: Registry, showing: Showing, role: Role
) -> None:
    registry.enrol(LING)
    mine = apply(registry, LING, status="ticketed")
    for by, why in (
        (Actor(CLERK.id, role, f"station-{OTHER}"), NobodyToShow),
        (Actor(CLERK.id, role, "centre"), OtherStation),
    ):
        with pytest.raises(why):
            showing.identity(by, mine)
    registry.erase(LING)
    for by in (Actor(CLERK.id, role, f"station-{STATION}"), somebody("Gao", Role.CENTRE_REVIEWER)):
        with pytest.raises(NobodyToShow):
            showing.identity(by, mine)


def test_a_look_at_somebody_is_an_event_about_his_application_that_names_him_not(
    office: Office, registry: Registry, showing: Showing
) -> None:
    registry.enrol(LING)
    mine = apply(registry, LING)
    showing.identity(CLERK, mine)
    with pytest.raises(NobodyToShow):
        showing.identity(Actor(CLERK.id, CLERK.role, f"station-{OTHER}"), mine)
    read = [draft for draft in office.drafts() if draft["type"] == "SensitiveRead"]
    assert [draft["data"]["rows"] for draft in read] in ([1, 0], [0, 1])
    assert {(draft["data"]["query"], draft["data"]["application"]) for draft in read} == {("identity", mine)}
    for told in (NAME, NUMBER, base64.b64encode(PHOTO).decode()):
        assert told not in str(read)


def test_an_index_needs_the_key_of_the_vault() -> None:
    assert VAULT.name_index(plain_name(NAME)) != Vault(b"n" * 32).name_index(plain_name(NAME))
    assert VAULT.name_index("1") != VAULT.number_index("passport", "1")


def test_a_search_reads_no_table_from_end_to_end(office: Office, registry: Registry) -> None:
    with office.admin.transaction():
        builds.see_live(office.admin)
        office.admin.execute(_MANY.replace(":rows", str(_ROWS)))
        with office.admin.cursor(row_factory=dict_row) as rows:
            planned = _Planned(rows)
            queries.applications_named(planned, bytes(32), STATION, "", "")
    assert "vault_by_name" in planned.plan
    assert "Seq Scan" not in planned.plan


class _Planned:
    """Rows that keep the plan of what they are asked."""

    plan = ""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def execute(self, query: str, params: Any = None) -> Any:
        self.plan = str(self._rows.execute(f"EXPLAIN (FORMAT JSON) {query}", params).fetchone())
        return self._rows.execute(query, params)
