"""What an office hands out, in the hands of somebody who has only the files and `jianding-verify`."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from services.registration.people import People
from shared.kernel.ids import derived_id, new_id
from shared.runtime.demo.people import fictional
from shared.runtime.postgres import Postgres
from shared.runtime.settings import settings
from shared.security.vault import Vault
from shared.testing.command import CommandLine

pytestmark = pytest.mark.timeout(400)

STATION = "10012003"
CLERK = ("--actor", derived_id("clerk"), "--role", "exam_affairs", "--body", f"station-{STATION}")
OFFICER = ("--actor", derived_id("officer"), "--role", "centre_officer", "--body", "centre")
VALID, TAMPERED, INCOMPLETE, UNWITNESSED = 0, 1, 3, 4


@dataclass
class Office:
    """Two people have enrolled and applied at a node that runs."""

    jianding: CommandLine
    var: Path
    candidates: list[str]

    def bundle(self, file: Path, kind: str = "candidate", id: str = "") -> dict[str, Any]:
        done = self.jianding("audit", "bundle", kind, id or self.candidates[0], "-o", str(file), "--json")
        assert done.code == 0, done.errors
        found: dict[str, Any] = json.loads(file.read_text())
        assert len(found["entries"]) == done.last["events"]
        return found

    def dsn(self, service: str) -> str:
        own = replace(settings(), var=self.var, secrets=self.var / "secrets", database_url="")
        return make_conninfo(Postgres(own).dsn, dbname=f"jianding_{service}")

    def export(self, folder: Path) -> dict[str, Any]:
        done = self.jianding("audit", "export", str(folder), "--json")
        assert done.code == 0, done.errors
        return done.last  # type: ignore[no-any-return]

    def verify(self, path: Path, policy: Path | None = None) -> int:
        words = [sys.executable, "-m", "services.audit.verifier", str(path), "--workers", "1"]
        trusted = ["--policy", str(policy or self.var / "policy")]
        return subprocess.run([*words, *trusted], capture_output=True, check=False).returncode


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    var = tmp_path_factory.mktemp("office") / "var"
    line = CommandLine.of(var=var, checkpoint_seconds=0.2)
    up = line.start("up")
    try:
        assert up.stdout is not None
        up.stdout.readline()
        people = fictional(2, random.Random(5), new_id)
        for person in people:
            send(line, "enrol_person", **person.enrolment())
            send(
                line,
                "submit_application",
                application=new_id(),
                candidate=person.id,
                batch=derived_id("batch"),
                station=STATION,
                occupation="化工分析工",
                catalogue="1999",
                level=4,
                kind="student",
                held_level=0,
                years_in_trade=0,
                education="vocational_school",
                evidence=["0" * 64],
            )
        wait_for_checkpoint(line, 4)
        yield Office(line, var, [person.id for person in people])
    finally:
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=60)
        postgres = Postgres(replace(settings(), var=var, secrets=var / "secrets", database_url=""))
        data = postgres.data
        postgres.stop("immediate")
        shutil.rmtree(data)  # which may lie outside var/


def send(line: CommandLine, command: str, by: tuple[str, ...] = CLERK, **fields: Any) -> None:
    message = json.dumps({"command_id": new_id(), **fields})
    done = line("send", "registration", command, "-", *by, "--json", stdin=message)
    assert done.code == 0, done.errors + done.output


def wait_for_checkpoint(line: CommandLine, size: int) -> None:
    for _ in range(60):
        said = line("audit", "checkpoint", "--json").last
        if said["published"] >= size:
            return
        time.sleep(0.5)
    pytest.fail(f"only {said} of {size} entries are in a published checkpoint")


def test_the_log_of_a_running_node_is_exported_and_valid_and_grows_by_what_is_new(
    office: Office, tmp_path: Path
) -> None:
    first = office.export(tmp_path / "log")
    assert office.verify(tmp_path / "log") == VALID
    (person,) = fictional(1, random.Random(6), new_id, 10)
    send(office.jianding, "enrol_person", **person.enrolment())
    wait_for_checkpoint(office.jianding, first["size"] + 1)
    assert office.export(tmp_path / "log")["size"] > first["size"]
    assert office.verify(tmp_path / "log") == VALID


def test_one_byte_of_an_export_cannot_be_changed(office: Office, tmp_path: Path) -> None:
    office.export(tmp_path / "log")
    (bundle,) = (tmp_path / "log/tile/entries").rglob("[0-9]*.p/*")
    content = bytearray(bundle.read_bytes())
    content[len(content) // 2] ^= 1
    bundle.write_bytes(content)
    assert office.verify(tmp_path / "log") == TAMPERED


def test_a_trail_is_valid_and_complete(office: Office, tmp_path: Path) -> None:
    bundle = office.bundle(tmp_path / "trail.json")
    assert len(bundle["entries"]) == 2
    assert office.verify(tmp_path / "trail.json") == VALID


def test_one_event_that_is_removed_from_a_trail_is_missed(office: Office, tmp_path: Path) -> None:
    bundle = office.bundle(tmp_path / "trail.json")
    for place in range(len(bundle["entries"])):
        kept = [entry for at, entry in enumerate(bundle["entries"]) if at != place]
        (tmp_path / "less.json").write_text(json.dumps({**bundle, "entries": kept}))
        assert office.verify(tmp_path / "less.json") == INCOMPLETE


def test_one_byte_of_a_trail_cannot_be_changed(office: Office, tmp_path: Path) -> None:
    bundle = office.bundle(tmp_path / "trail.json")
    leaf = b64decode(bundle["entries"][0]["leaf"]).replace(b"resident_id", b"resident_iD")
    bundle["entries"][0]["leaf"] = b64encode(leaf).decode()
    (tmp_path / "changed.json").write_text(json.dumps(bundle))
    assert office.verify(tmp_path / "changed.json") == TAMPERED


def test_without_its_cosignature_a_checkpoint_is_not_enough(office: Office, tmp_path: Path) -> None:
    bundle = office.bundle(tmp_path / "trail.json")
    lines = bundle["checkpoint"].splitlines(keepends=True)
    bundle["checkpoint"] = "".join(line for line in lines if "/witness " not in line)
    (tmp_path / "alone.json").write_text(json.dumps(bundle))
    assert office.verify(tmp_path / "alone.json") == UNWITNESSED


def test_of_somebody_unknown_there_is_no_bundle(office: Office, tmp_path: Path) -> None:
    done = office.jianding("audit", "bundle", "candidate", new_id(), "-o", str(tmp_path / "trail.json"))
    assert (done.code, len(done.errors.splitlines())) == (1, 1)
    assert not (tmp_path / "trail.json").exists()


@pytest.mark.parametrize(
    "words", [("export", "/proc/mine"), ("bundle", "candidate", "{id}", "-o", "/proc/mine")]
)
def test_where_nothing_can_be_written_that_is_said_in_one_line(
    office: Office, words: tuple[str, ...]
) -> None:
    done = office.jianding("audit", *(word.format(id=office.candidates[0]) for word in words))
    assert done.code == 1
    assert done.errors.startswith("jianding: /proc/mine")


def test_a_healthy_log_has_no_findings(office: Office) -> None:
    assert office.jianding("audit", "findings", "--json").last == {"findings": []}
    assert office.jianding("audit", "policy").output == (office.var / "policy").read_text()


def test_the_key_of_a_running_node_is_changed_while_everybody_can_verify(
    office: Office, tmp_path: Path
) -> None:
    before = tmp_path / "before"
    before.write_bytes((office.var / "policy").read_bytes())
    office.bundle(tmp_path / "of-then.json")
    assert office.jianding("audit", "rotate-key").code == 0
    time.sleep(2)
    office.export(tmp_path / "log")
    assert office.verify(tmp_path / "log") == office.verify(tmp_path / "log", before) == VALID
    assert office.jianding("audit", "rotate-key").code == 1
    assert office.jianding("audit", "rotate-key", "--finish").code == 0
    time.sleep(2)
    office.bundle(tmp_path / "trail.json")
    assert office.verify(tmp_path / "trail.json") == VALID
    assert office.verify(tmp_path / "trail.json", before) != VALID
    assert office.verify(tmp_path / "of-then.json") == VALID, "what was given out earlier stays good"


def test_erasing_a_person_leaves_the_export_and_every_trail_valid(office: Office, tmp_path: Path) -> None:
    person = office.candidates[1]
    office.export(tmp_path / "log")
    bundle = office.bundle(tmp_path / "before.json", id=person)
    vault = Vault((office.var / "secrets/vault.master").read_bytes())
    with psycopg.connect(office.dsn("registration"), autocommit=True) as connection:
        people = People(vault, lambda work: work(connection))
        assert people.find(person) is not None
        erase = {"candidate": person, "ground": "consent_withdrawn"}
        refused = office.jianding("send", "registration", "erase_person", json.dumps(erase), *CLERK, "--json")
        assert (refused.code, people.find(person) is not None) == (1, True), "a clerk may not"
        send(office.jianding, "erase_person", OFFICER, **erase)
        assert people.find(person) is None
    assert office.verify(tmp_path / "before.json") == VALID
    trail = office.jianding("trail", "candidate", person, "--json").last["events"]
    (erased,) = (step for step in trail if step["type"] == "PersonErased")
    assert (erased["data"], erased["role"]) == (erase, "centre_officer")
    wait_for_checkpoint(office.jianding, erased["index"] + 1)
    after = office.bundle(tmp_path / "after.json", id=person)["entries"]
    known = [entry["leaf"] for entry in bundle["entries"]]
    assert [entry["leaf"] for entry in after[: len(known)]] == known
    assert erased["index"] in {entry["index"] for entry in after[len(known) :]}
    assert office.verify(tmp_path / "after.json") == VALID
    office.export(tmp_path / "log")
    assert office.verify(tmp_path / "log") == VALID
