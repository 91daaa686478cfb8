"""The demo as whoever tries Jianding meets it first, and every command that looks at what it leaves."""

import json
import os
import random
import re
import shutil
import signal
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from services.audit.sources import Watch
from shared.contracts import SERVICES, SOURCES
from shared.kernel.ids import new_id
from shared.runtime.delivery import FeedUnavailable
from shared.runtime.demo.people import Person, fictional
from shared.runtime.demo.scores import deal
from shared.runtime.demo.term import plans
from shared.runtime.postgres import Postgres
from shared.runtime.settings import settings
from shared.security.heads import Heartbeat
from shared.testing.command import CommandLine, Done
from shared.wire.canonical import canonical

SEED = 7
# what a run with this seed comes to, but for times and identifiers
EVENTS = {
    "AccountOpened": 15,
    "AdmissionTicketIssued": 643,
    "ApplicationConcluded": 643,
    "ApplicationSubmitted": 663,
    "ApplicationWithdrawn": 10,
    "AppointmentGiven": 15,
    "AttemptRefused": 12,
    "BatchApplied": 12,
    "BatchClosed": 12,
    "BatchSealed": 48,
    "CandidateAbsent": 9,
    "CandidateCheckedIn": 634,
    "CandidateEnrolled": 653,
    "CandidateRegistered": 653,
    "CandidateStruckOff": 10,
    "CentreReviewPassed": 653,
    "CertificateApproved": 392,
    "CertificateIssued": 392,
    "CertificateNumberAllocated": 392,
    "CorrectionProposed": 12,
    "DossierOpened": 653,
    "EvidenceFiled": 3844,
    "ExaminerAdmitted": 48,
    "ExaminerAssigned": 48,
    "PaperDrawn": 634,
    "PaperPoolSealed": 12,
    "PartScored": 1280,
    "PersonEnrolled": 748,
    "ResultFiled": 634,
    "ResultOpened": 634,
    "ResultPublished": 634,
    "ScoreCorrected": 12,
    "ScoreSubmitted": 1268,
    "ScoresCombined": 646,
    "ScoresReviewed": 634,
    "SeatAssigned": 643,
    "SeatsAllocated": 26,
    "SheetOpened": 1268,
    "StationReviewPassed": 653,
    "StationReviewRejected": 10,
    "TaskNoticeIssued": 12,
    "TicketLinked": 643,
    "TrainingHeld": 10,
}
# occupation, day, trained, assessed by level, passed, certified, the best two totals of each level
BATCHES = (
    ("化工分析工", "03-02", 62, {"4": 50}, 33, 33, {"4": [174, 171]}),
    ("化工分析工", "03-12", 60, {"4": 48}, 32, 32, {"4": [184, 177]}),
    ("化工分析工", "03-22", 61, {"4": 50}, 33, 33, {"4": [184, 180]}),
    ("化工分析工", "04-01", 58, {"4": 47}, 31, 31, {"4": [180, 175]}),
    ("化工分析工", "04-11", 60, {"4": 49}, 32, 32, {"4": [177, 171]}),
    ("化工分析工", "04-21", 59, {"4": 48}, 31, 31, {"4": [169, 165]}),
    ("化工分析工", "05-01", 60, {"4": 48}, 32, 32, {"4": [179, 179]}),
    ("水处理工", "05-11", 60, {"4": 48}, 32, 32, {"4": [166, 166]}),
    ("化工仪表维修工", "05-21", 58, {"4": 47}, 30, 30, {"4": [184, 183]}),
    ("化工检修钳工", "05-31", 57, {"4": 46}, 30, 30, {"4": [181, 179]}),
    ("化工总控工", "04-16", 0, {"3": 18, "4": 55}, 36, 36, {"3": [160, 158], "4": [171, 170]}),
    ("化工总控工", "04-23", 0, {"4": 80}, 40, 40, {"4": [171, 171]}),
)


pytestmark = pytest.mark.timeout(600)


class Demo:
    """One run, and the data that it left."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.settings = replace(settings(), var=var, secrets=var / "secrets", database_url="")
        self.postgres = Postgres(self.settings)
        self.jianding = CommandLine.of(var=var)
        self.run = self.jianding("demo", "--json", "--seed", str(SEED), seconds=500)

    @cached_property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = self.run.last
        return found

    def connect(self, service: str) -> psycopg.Connection[Any]:
        """To a service's database, as administrator, while the server runs."""
        dsn = make_conninfo(self.postgres.dsn, dbname=f"jianding_{service}")
        return psycopg.connect(dsn, autocommit=True)

    def one(self, query: str, service: str = "audit") -> Any:
        with self.connect(service) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo") / "var")
    data = demo.postgres.data
    yield demo
    demo.postgres.stop("immediate")
    shutil.rmtree(data)  # which may lie outside var/


@pytest.fixture
def served(demo: Demo) -> Iterator[Demo]:
    """The data with its server running and in use, so that no command has to start or stop it."""
    demo.postgres.start()
    with demo.connect("audit"):
        yield demo


# -- the run itself


def test_it_ends_well_with_one_json_object_on_the_last_line(demo: Demo) -> None:
    assert demo.run.code == 0, demo.run.errors[-2000:]
    assert demo.run.output.count("\n") == 1
    assert isinstance(demo.report, dict)


def test_its_sums_are_those_of_the_seed_texts(demo: Demo) -> None:
    report = demo.report
    assert (report["trained"], report["assessed"], report["certified"]) == (595, 481, 316)
    assert report["certificate_rate"] == {"percent": "53.1", "numerator": 316, "denominator": 595}
    assert report["certified_of_assessed"] == {"percent": "65.7", "numerator": 316, "denominator": 481}
    assert [sitting["pass_rate"] for sitting in report["sittings"]] == [
        {"percent": "49.32", "numerator": 36, "denominator": 73},
        {"percent": "50", "numerator": 40, "denominator": 80},
    ]


def test_everything_is_in_the_audit_log_and_verifies(demo: Demo) -> None:
    audit = demo.report["audit"]
    assert audit["verified"] is True
    assert audit["size"] == demo.report["events"] == sum(demo.report["events_by_type"].values())
    assert sum(audit["sources"].values()) == audit["size"]
    assert set(audit["sources"]) == {f"/centre/{source}" for source in SOURCES}


def test_it_leaves_no_server_running(demo: Demo) -> None:
    assert not demo.postgres.running()
    commands = [_read(process / "cmdline") for process in Path("/proc").iterdir() if process.name.isdigit()]
    assert not [command for command in commands if str(demo.postgres.data) in command]


def test_the_same_seed_comes_to_the_same(demo: Demo) -> None:
    types = dict(demo.report["events_by_type"])
    assert types.pop("SensitiveRead") > 0  # as often as it had to wait for results
    assert types.pop("TrailRead") > 0
    assert types == EVENTS
    rows = [*demo.report["batches"], *demo.report["sittings"]]
    assert tuple(_without_identifiers(row) for row in rows) == BATCHES


def test_the_same_seed_makes_the_same_people_but_for_their_ids() -> None:
    first, again, other = _people(SEED), _people(SEED), _people(SEED + 1)
    assert [_traits(person) for person in first] == [_traits(person) for person in again]
    assert not {person.id for person in first} & {person.id for person in again}
    assert not {person.photo for person in first} & {person.photo for person in other}
    assert len({person.number for person in first}) == len(first) == 748


def test_the_same_seed_deals_the_same_scores() -> None:
    levels = {f"B-{place:010}": 3 + place % 2 for place in range(60)}
    dealt = [list(deal(levels, {3: 12, 4: 20}, random.Random(seed))) for seed in (SEED, SEED, SEED + 1)]
    assert dealt[0] == dealt[1] != dealt[2]
    passed = [code for code, scores in dealt[0] if min(scores.values()) >= 60]
    assert sum(levels[code] == 3 for code in passed) == 12
    assert sum(levels[code] == 4 for code in passed) == 20


# -- what looks at it afterwards


def test_verify_agrees_with_the_run(demo: Demo) -> None:
    demo.postgres.stop()
    done = demo.jianding("verify", "--json")  # starts the server, and stops it again
    assert done.code == 0
    assert not demo.postgres.running()
    audit, found = demo.report["audit"], dict(done.last)
    # verifying and reading the log have made further entries, and so have the batches under way
    size, sources = found.pop("size"), found.pop("sources")
    assert found.pop("root") != audit["head"]
    assert sources.keys() == audit["sources"].keys()
    assert all(sources[source] > position for source, position in audit["sources"].items())
    assert sum(sources.values()) == size
    assert found == {
        "verified": True,
        "behind": [],
        "lacking": "",
        "missing": {},
        "first": None,
        "problems": [],
        "more": [],
        "own_logs": "compared",
        "verdict": "verified",
    }


def test_what_is_looked_at_and_leaves_the_house_is_in_audits_own_log(served: Demo, tmp_path: Path) -> None:
    certificate = _of_the_first_certificate(served, "certificate")
    looks = [
        ("trail", "certificate", certificate),
        ("verify",),
        ("audit", "export", str(tmp_path / "export")),
        ("audit", "bundle", "certificate", certificate, "-o", str(tmp_path / "bundle")),
    ]
    for words in looks:
        assert served.jianding(*words).code == 0
    with served.connect("audit") as connection:
        rows = connection.execute("SELECT draft FROM events ORDER BY xid DESC, seq DESC LIMIT 4").fetchall()
    said = [json.loads(draft) for (draft,) in reversed(rows)]
    assert [each["type"] for each in said] == ["TrailRead", "LogVerified", "LogExported", "BundleMade"]
    assert {(each["actor"], each["role"]) for each in said} == {(f"account-{os.getuid():x}", "administrator")}
    assert {said[0]["refs"], said[3]["refs"]} == {f"certificate:{certificate}"}
    assert said[1]["data"]["verdict"] == "verified"
    digest = sha256(canonical(json.loads((tmp_path / "bundle").read_text()))).hexdigest()
    assert said[3]["data"]["bundle_digest"] == digest


def test_audit_has_of_every_batch_what_each_source_says_and_nothing_to_find(served: Demo) -> None:
    def unheard(service: str) -> Heartbeat | None:
        raise FeedUnavailable(service)

    watch = Watch(served.settings, lambda: served.connect("audit"), unheard)
    behind = (
        "SELECT count(*) FROM entries e LEFT JOIN source_heads h USING (source)"
        " WHERE e.position > coalesce(h.looked, 0)"
    )
    while served.one(behind):
        watch.step()
    assert served.one("SELECT count(*) FROM sealed_batches") == 4 * 12
    assert served.one("SELECT count(*) FROM findings") == 0


def test_a_batchs_trail_is_everything_that_names_it(served: Demo) -> None:
    batch = served.one("SELECT ref FROM subjects WHERE kind = 'batch' ORDER BY ref LIMIT 1")
    named = served.one(f"SELECT count(*) FROM subjects WHERE kind = 'batch' AND ref = '{batch}'")
    trail = _trail(served, "batch", batch, "--limit", "10000")
    assert len(trail) == named
    assert [step["index"] for step in trail] == sorted(step["index"] for step in trail)
    assert {step["data"]["batch"] for step in trail if step["source"] != "/centre/audit"} == {batch}
    assert {step["type"] for step in trail if step["source"] == "/centre/audit"} == {"TrailRead"}
    assert {"BatchApplied", "SeatsAllocated", "ResultPublished", "CertificateIssued"} <= _types(trail)


def test_a_candidates_trail_begins_with_his_enrolment(served: Demo) -> None:
    candidate = _of_the_first_certificate(served, "candidate")
    trail = _trail(served, "candidate", candidate)
    # the log has each service's events in that service's order, and those of two as they came
    own = [step["type"] for step in trail if step["source"] == "/centre/registration"]
    assert own[0] == "PersonEnrolled"
    assert min(trail, key=lambda step: step["recorded"])["type"] == "PersonEnrolled"
    assert {"ApplicationSubmitted", "CandidateCheckedIn", "ResultPublished", "CertificateIssued"} <= _types(
        trail
    )


def test_an_examiners_trail_shows_what_he_was_sent_to_and_what_he_scored(served: Demo) -> None:
    scored = "SELECT actor FROM entries WHERE type = 'ScoreSubmitted' ORDER BY index LIMIT 1"
    examiner = served.one(scored)
    count = served.one(f"SELECT count(*) FROM entries WHERE type = 'ScoreSubmitted' AND actor = '{examiner}'")
    trail = _trail(served, "examiner", examiner)
    assert sum(step["type"] == "ScoreSubmitted" for step in trail) == count
    assert min(trail, key=lambda step: step["recorded"])["type"] == "ExaminerAssigned"


def test_a_certificates_trail_is_the_whole_way_to_it(served: Demo) -> None:
    number = _of_the_first_certificate(served, "certificate")
    assert re.fullmatch(r"[0-9]{16}", number)
    trail = _trail(served, "certificate", number)
    way = (
        "ApplicationSubmitted",
        "StationReviewPassed",
        "CentreReviewPassed",
        "CandidateRegistered",
        "SeatAssigned",
        "AdmissionTicketIssued",
        "CandidateCheckedIn",
        "PaperDrawn",
        "ScoresCombined",
        "ScoresReviewed",
        "ResultPublished",
        "CertificateApproved",
        "CertificateNumberAllocated",
        "CertificateIssued",
    )
    assert set(way) <= _types(trail)


@pytest.mark.parametrize(
    ("kind", "types"),
    [
        ("ticket", {"AdmissionTicketIssued", "TicketLinked", "CandidateCheckedIn"}),
        ("room", {"SeatAssigned", "CandidateCheckedIn", "PaperDrawn"}),
        ("paper", {"PaperPoolSealed", "PaperDrawn"}),
        ("sheet", {"CandidateCheckedIn", "PaperDrawn", "SheetOpened", "ScoreSubmitted", "ScoreCorrected"}),
    ],
)
def test_a_trail_tells_of_its_subject_what_the_sources_own_logs_have(
    served: Demo, kind: str, types: set[str]
) -> None:
    """Every event, in order: who in which role and body on what, by both clocks, why, and what was before."""
    last = f"'{max(types & {'ScoreCorrected', 'PaperDrawn', 'CandidateCheckedIn'})}'"
    id = served.one(
        f"SELECT ref FROM subjects JOIN entries USING (index) WHERE kind = '{kind}' AND type = {last}"
        " ORDER BY index LIMIT 1"
    )
    wanted = {event["id"]: event for event in _sealed_about(served, f"{kind}:{id}")}
    whole = _trail(served, kind, id, "--limit", "10000")
    trail = [step for step in whole if step["source"] != "/centre/audit"]
    assert {step["id"]: _as_sealed(step) for step in trail} == {
        id: _as_told(event) for id, event in wanted.items()
    }
    assert types <= _types(trail)
    assert not any(step["hidden"] for step in trail)
    at = {step["id"]: step["index"] for step in trail}
    assert list(at.values()) == sorted(at.values())
    told = {step["id"]: step for step in trail}
    caused = [(told[step["causation"]], step) for step in trail if step["causation"] in told]
    assert all(cause["recorded"] <= step["recorded"] for cause, step in caused)
    assert all(cause["index"] < step["index"] for cause, step in caused if cause["source"] == step["source"])
    assert all(step["received"] >= step["recorded"] for step in trail)
    for step in trail:
        assert (step["before"], step["after"]) == (step["data"].get("old"), step["data"].get("new"))
        hashes = [each for each in _flat(step["data"].values()) if re.fullmatch(r"[0-9a-f]{64}", str(each))]
        assert _flat(step["evidence"].values()) == hashes


def test_a_trail_of_nothing_says_so(served: Demo) -> None:
    done = served.jianding("trail", "batch", new_id())
    assert done.code == 1
    assert "The log has no batch" in done.errors


def test_the_doctor_finds_everything_well(served: Demo) -> None:
    done = served.jianding("doctor", "--json")
    assert (done.code, done.last["healthy"]) == (0, True)
    assert {f"database of {service}" for service in SERVICES} <= {
        each["what"] for each in done.last["findings"]
    }


def test_nothing_is_parked(served: Demo) -> None:
    done = served.jianding("parked", "list", "--json")
    assert (done.code, done.last) == (0, {"parked": [], "rejected": {}})


@pytest.mark.parametrize(
    ("projection", "table", "column", "waiting"),
    [
        ("registration/register", "applications", "status", {"submitted": 4, "station_passed": 2}),
        ("scheduling/board", "batches", "stage", {"applied": 1, "seated": 2}),
        ("scheduling/board", "sittings", "status", {"ticketed": 3}),
        ("scoring/desks", "desks", "status", {"open": 3 + 9}),  # one examiner for theory, three for practice
        ("scoring/scores", "results", "status", {"combined": 2, "reviewed": 2}),
        ("certification/certificates", "dossiers", "passed AND status = 'open'", {True: 2}),
    ],
)
def test_whoever_logs_in_finds_work_of_his_role(
    served: Demo, projection: str, table: str, column: str, waiting: dict[Any, int]
) -> None:
    service, name = projection.split("/")
    live = served.one(f"SELECT live FROM projections WHERE name = '{name}'", service)
    with served.connect(service) as connection:
        found = connection.execute(
            f"SELECT {column}, count(*) FROM {name}_{live}.{table} GROUP BY 1"
        ).fetchall()
    assert {state: count for state, count in found if state in waiting} == waiting


@pytest.mark.parametrize(
    ("projection", "tables"),
    [
        ("registration/register", ("applications",)),
        ("scheduling/board", ("batches", "sittings")),
        ("scoring/scores", ("sheets", "results")),
        ("scoring/marks", ("marks", "corrections")),
        ("certification/certificates", ("certificates", "dossiers")),
    ],
)
def test_a_projection_built_anew_is_what_it_was(
    projection: str, tables: tuple[str, ...], served: Demo
) -> None:
    service = projection.partition("/")[0]
    before = _rows(served, projection, tables)
    assert all(before)
    done = served.jianding("rebuild", projection, "--json")
    position = served.one("SELECT max(position) FROM log", service)
    assert (done.code, done.last) == (0, {"projection": projection, "applied": position})
    assert _rows(served, projection, tables) == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET leaf ="
        " convert_to(replace(convert_from(leaf, 'UTF8'), '\"score\":', '\"score\":1'), 'UTF8')"
        " WHERE index = {index}",
        "UPDATE entries SET actor = 'somebody-else' WHERE index = {index}",
        "DELETE FROM subjects WHERE index = {index} AND kind = 'batch'",
    ],
)
def test_what_an_administrator_alters_is_found(change: str, served: Demo) -> None:
    index = served.one("SELECT min(index) FROM entries WHERE type = 'ScoreSubmitted' AND index > 5000")
    with served.connect("audit") as connection:
        kept = connection.execute("SELECT * FROM entries WHERE index = %s", (index,)).fetchone()
        assert kept is not None
        subjects = connection.execute("SELECT * FROM subjects WHERE index = %s", (index,)).fetchall()
        connection.execute("SET session_replication_role = replica")
        connection.execute(change.format(index=index))
        try:
            done = served.jianding("verify", "--json")
            plain = served.jianding("verify") if change.startswith("DELETE") else None
        finally:
            connection.execute("DELETE FROM subjects WHERE index = %s", (index,))
            connection.execute("DELETE FROM entries WHERE index = %s", (index,))
            marks = ", ".join(["%s"] * len(kept))
            connection.execute(f"INSERT INTO entries VALUES ({marks})", kept)
            with connection.cursor() as cursor:
                cursor.executemany("INSERT INTO subjects VALUES (%s, %s, %s, %s, %s)", subjects)
    assert (done.code, done.last["verified"]) == (1, False)
    first = done.last["problems"][0]
    assert first["index"] == index or f"entry {index}" in first["problem"]
    assert done.last["first"] == first["index"]
    if plain:  # people are told by the same words, whatever it was
        assert plain.code == 1
        assert f"index {first['index']}: {first['problem']}" in plain.output


def test_up_serves_the_data_until_it_is_told_to_stop(demo: Demo) -> None:
    demo.postgres.stop()  # where an earlier test has used it
    with demo.jianding.start("up") as up:
        assert up.stdout is not None
        ready = "".join(up.stdout.readline() for _ in range(2))
        (events,) = re.findall(r"with (\d+) events", " ".join(ready.split()))
        assert int(events) > demo.report["events"]  # by those of looking at it since
        answer = demo.jianding("verify", "--json")
        up.send_signal(signal.SIGTERM)
        output, errors = up.communicate(timeout=60)
    assert (up.returncode, answer.code) == (0, 0)
    assert "stopped" in output
    assert errors == ""
    assert not demo.postgres.running()


def test_no_personal_data_leaves_the_vault(served: Demo) -> None:
    search = _Search(_people(SEED))
    for service in SERVICES:
        with served.connect(service) as connection:
            for table in _tables(connection):
                if (service, table) != ("registration", "public.vault"):
                    search.table(connection, f"{service} {table}", table)
    search.text("server.log", (served.postgres.data / "server.log").read_text(errors="replace"))
    search.text("output", served.run.output + served.run.errors)
    assert search.found == []
    assert search.values > served.report["events"] * 10


def test_the_search_for_personal_data_finds_it() -> None:
    people = _people(SEED)
    search = _Search(people)
    person = people[-1]
    search.text("name", f"x{person.name}x")
    search.text("number", f'"{person.number}"')
    search.text("photo", person.enrolment()["photo"])
    search.value("bytes", b"\x00" + person.photo)
    assert search.found == ["name", "number", "photo", "bytes"]


class _Search:
    """Looks for names, ID numbers and photos in values of any kind."""

    _NUMBER = re.compile(rb"(?<![0-9])[0-9]{17}[0-9X](?![0-9])")
    _BASE64 = re.compile(rb"[A-Za-z0-9+/]{80,}={0,2}")

    def __init__(self, people: list[Person]) -> None:
        self._family = {person.name[:2].encode() for person in people}
        self._numbers = {person.number.encode() for person in people}
        self._photos = {person.enrolment()["photo"].encode() for person in people}
        self._bytes = {person.photo[:16] for person in people}
        self.found: list[str] = []
        self.values = 0

    def table(self, connection: psycopg.Connection[Any], where: str, table: str) -> None:
        with connection.cursor("rows", binary=True, withhold=True) as cursor:
            cursor.itersize = 5000
            for row in cursor.execute(f"SELECT * FROM {table}"):
                for value in row:
                    self.value(where, value)

    def text(self, where: str, text: str) -> None:
        self.value(where, text)

    def value(self, where: str, value: Any) -> None:
        self.values += 1
        raw = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        if len(raw) < 2 or not self._tells(raw):
            return
        self.found.append(where)

    def _tells(self, raw: bytes) -> bool:
        return (
            any(name in raw for name in self._family)
            or (len(raw) >= 18 and not self._numbers.isdisjoint(self._NUMBER.findall(raw)))
            or (len(raw) >= 80 and not self._photos.isdisjoint(self._BASE64.findall(raw)))
            or (not raw.isascii() and raw[:1] != b"{" and not self._bytes.isdisjoint(self._pieces(raw)))
        )

    @staticmethod
    def _pieces(raw: bytes) -> Iterator[bytes]:
        return (raw[at : at + 16] for at in range(len(raw) - 15))


def _people(seed: int) -> list[Person]:
    """Everybody whom the demo enrols."""
    chance, people = random.Random(seed), list[Person]()
    for plan in plans(2026):
        people += fictional(max(plan.trained, plan.applying), chance, new_id, len(people))
    return people


def _traits(person: Person) -> tuple[str, str, bytes]:
    return person.name, person.number, person.photo


def _without_identifiers(row: dict[str, Any]) -> tuple[Any, ...]:
    best = {level: [each["total"] for each in best] for level, best in row["top"].items()}
    figures = (row["trained"], row["assessed_by_level"], row["passed"], row["certified"])
    return (row["occupation"], row["on"][5:], *figures, best)


def _trail(demo: Demo, *words: str) -> list[dict[str, Any]]:
    done: Done = demo.jianding("trail", *words, "--json")
    assert done.code == 0, done.errors
    assert (done.last["kind"], done.last["id"]) == words[:2]
    found: list[dict[str, Any]] = done.last["events"]
    return found


def _sealed_about(demo: Demo, subject: str) -> Iterator[dict[str, Any]]:
    """What the services have sealed in their own logs about a subject."""
    named = subject.replace("%", "%25").replace(" ", "%20")
    for service in SERVICES:
        if service != "audit":
            with demo.connect(service) as connection:
                rows = connection.execute("SELECT sealed FROM log ORDER BY position").fetchall()
            events = (json.loads(sealed) for (sealed,) in rows)
            yield from (event for event in events if named in event["refs"].split(" "))


_TOLD = {
    "time": "time", "recorded": "recordedtime", "type": "type", "actor": "actor", "role": "role",
    "body": "body", "source": "source", "position": "position", "command": "commandid",
    "causation": "causationid", "correlation": "correlationid", "data": "data",
}  # fmt: skip


def _as_sealed(step: dict[str, Any]) -> dict[str, Any]:
    return {name: step[name] for name in (*_TOLD, "device")}


def _as_told(event: dict[str, Any]) -> dict[str, Any]:
    return {name: event[said] for name, said in _TOLD.items()} | {"device": event.get("device", "")}


def _flat(values: Iterable[Any]) -> list[Any]:
    return [each for value in values for each in (value if isinstance(value, list) else [value])]


def _types(trail: list[dict[str, Any]]) -> set[str]:
    return {step["type"] for step in trail}


def _of_the_first_certificate(demo: Demo, kind: str) -> str:
    first = "SELECT index FROM entries WHERE type = 'CertificateIssued' ORDER BY index LIMIT 1"
    return str(demo.one(f"SELECT ref FROM subjects WHERE kind = '{kind}' AND index = ({first})"))


def _rows(demo: Demo, projection: str, tables: tuple[str, ...]) -> list[list[Any]]:
    service, _, name = projection.partition("/")
    live = demo.one(f"SELECT live FROM projections WHERE name = '{name}'", service)
    with demo.connect(service) as connection:
        return [
            connection.execute(f"SELECT * FROM {name}_{live}.{table} ORDER BY 1").fetchall()
            for table in tables
        ]


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute(
        "SELECT schemaname || '.' || tablename FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    return [row[0] for row in rows]


def _read(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # it ended meanwhile
        return ""
