"""Whether a certificate is genuine: its number, the register, and whose name it bears (R139)."""

from typing import Any

from psycopg.rows import dict_row

from services.certification import queries
from services.certification.domain.dossier import LINKS
from shared.bus.calls import NoAnswer, Refused, RemoteError
from shared.runtime.doors import Visit
from shared.runtime.workshop import Unavailable, Workshop
from shared.store import builds

_TOLD = (
    "number", "station", "occupation", "catalogue", "level", "theory", "practical", "evidence_digest",
    "issued_at",
)  # fmt: skip


class Register:
    """The register as the public may ask it."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    def check(self, visit: Visit) -> dict[str, Any]:
        """{genuine, state, checks: {number, registered, name, chain, passed}}, all fields if it is genuine.

        `state`: valid, not_found, mismatch of the name, or incomplete, where the evidence is not all there.
        Whoever does not know the name learns whether the number is in the register, and nothing else.
        """
        number, name = visit.fields["number"], visit.fields["name"]
        certificate, dossier = self._workshop.persistently(lambda connection: _found(connection, number))
        holder = self._holder(certificate["candidate"], name) if certificate else {"matches": False}
        checks = {"number": True, "registered": certificate is not None, "name": holder["matches"]}
        if not holder["matches"]:
            state = "mismatch" if certificate else "not_found"
            return {"genuine": False, "state": state, "checks": checks}
        links = set(dossier["links"]) if dossier else set()
        checks |= {"chain": set(LINKS) <= links, "passed": bool(dossier and dossier["passed"])}
        told = {field: certificate[field] for field in _TOLD}
        more = {"holder": name, "document_masked": holder["document_masked"]}
        genuine = all(checks.values())
        state = "valid" if genuine else "incomplete"
        return {"genuine": genuine, "state": state, "checks": checks, **told, **more}

    def _holder(self, candidate: str, name: str) -> dict[str, Any]:
        message = {"candidate": candidate, "name": name}
        us = self._workshop.introduced()
        try:
            found: dict[str, Any] = self._workshop.caller.call("registration", "holder", us, message, wait=5)
        except (NoAnswer, RemoteError, Refused):
            raise Unavailable from None
        return found


def _found(connection: Any, number: str) -> tuple[Any, Any]:
    with connection.transaction():
        builds.see_live(connection)
        with connection.cursor(row_factory=dict_row) as rows:
            certificate = queries.certificate(rows, number)
            dossier = queries.dossier(rows, certificate["application"]) if certificate else None
    return certificate, dossier
