"""What the public is told of a certificate by its number and the name on it (R139)."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from psycopg import Connection

from services.certification.checking import Register
from services.certification.domain.dossier import LINKS
from services.certification.projections import certificates
from shared.contracts.certification import CertificateIssued, DossierOpened, EvidenceFiled, ResultFiled
from shared.runtime.doors import Visit
from shared.store import builds
from shared.testing.postgres import Cluster
from shared.wire.examples import example

ISSUED = "2026-04-28T02:15:00.000000Z"
NUMBER = "2610012003400091"


class Office:
    """A workshop with one connection; registration knows one name."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self.caller = self

    def persistently(self, work: Callable[[Connection[Any]], Any]) -> Any:
        return work(self._connection)

    def introduced(self) -> dict[str, Any]:
        return {}

    def call(self, *_: Any, wait: float) -> dict[str, Any]:
        assert wait
        *_, message = _
        return {"matches": message["name"] == "虚构某人", "document_masked": "3201**********001X"}


@pytest.fixture
def log(cluster: Cluster) -> Iterator[Connection[Any]]:
    """Certification's database, with one certificate whose evidence lacks a link."""
    cluster.clone(("certification",))
    with closing(cluster.connect("certification")) as connection:
        builds.install(connection, certificates)
        _write(connection, example(DossierOpened))
        for link in LINKS[1:]:
            _write(connection, replace(example(EvidenceFiled), link=link))
        _write(connection, replace(example(ResultFiled), passed=True))
        _write(connection, replace(example(CertificateIssued), number=NUMBER))
        yield connection


def _write(connection: Connection[Any], event: Any) -> None:
    with connection.transaction(), connection.cursor() as rows:
        builds.see_live(connection)
        certificates.write(event, rows, ISSUED)


def _check(log: Connection[Any], number: str, name: str) -> dict[str, Any]:
    return Register(Office(log)).check(Visit({"number": number, "name": name}, ""))  # type: ignore[arg-type]


def test_a_certificate_is_shown_with_its_state_and_when_it_was_issued(log: Connection[Any]) -> None:
    _write(log, replace(example(EvidenceFiled), link=LINKS[0]))
    found = _check(log, NUMBER, "虚构某人")
    assert (found["genuine"], found["state"], found["issued_at"]) == (True, "valid", ISSUED)


def test_whoever_names_another_learns_that_and_nothing_else(log: Connection[Any]) -> None:
    found = _check(log, NUMBER, "虚构他人")
    assert found.keys() == {"genuine", "state", "checks"}
    assert (found["genuine"], found["state"]) == (False, "mismatch")


def test_a_number_that_is_in_no_register_is_not_found(log: Connection[Any]) -> None:
    found = _check(log, "2610012003400092", "虚构某人")
    assert (found["genuine"], found["state"]) == (False, "not_found")


def test_a_certificate_without_all_its_evidence_is_not_valid(log: Connection[Any]) -> None:
    found = _check(log, NUMBER, "虚构某人")
    assert (found["genuine"], found["state"], found["checks"]["chain"]) == (False, "incomplete", False)
