"""Who somebody is, shown to whoever has to hold him against his document (R026, R094, R207)."""

from base64 import b64encode
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from services.registration import queries
from services.registration.domain import identity as rules
from services.registration.domain.errors import OtherStation
from services.registration.searching import witnessed
from shared.kernel.actors import Actor, Role
from shared.kernel.errors import DomainError
from shared.runtime.workshop import Workshop
from shared.security.vault import Locked, Vault
from shared.store import builds

VIEWERS = frozenset({Role.EXAM_AFFAIRS, Role.STATION_REVIEWER, Role.CENTRE_REVIEWER, Role.INVIGILATOR})
_ROW = """
SELECT person::text, number_index, wrapped_key, sealed FROM vault WHERE person = %s AND sealed IS NOT NULL
"""


class NobodyToShow(DomainError):
    """没有可核对的身份信息：不是本所的申请、尚无准考证，或个人信息已删除；请核对申请编号。

    There is no identity to compare: the application is not of this station, has no ticket, or the person was
    erased; check the application's id.
    """

    field = "application"


class Showing:
    """`Showing(workshop, vault).identity(by, application=…)`; that somebody looked is an event."""

    def __init__(self, workshop: Workshop, vault: Vault) -> None:
        self._workshop, self._vault = workshop, vault

    def identity(self, by: Actor, application: str) -> dict[str, Any]:
        """Whose application it is: {name, document, number, photo in base64}; NobodyToShow.

        A reviewer at the centre is shown everybody, all others their own station's. An invigilator holds the
        document itself in his hands: he is shown candidates with a ticket, and of the number its ends.
        """
        own = _station(by)

        def ask(connection: Connection[Any]) -> dict[str, Any] | None:
            found = _application(connection, application, own)
            if found is None or (by.role is Role.INVIGILATOR and found["status"] != "ticketed"):
                return None
            row = connection.execute(_ROW, (found["candidate"],)).fetchone()
            return self._shown(by, Locked(*row)) if row else None

        about = {"application": application}
        answer: dict[str, Any] | None = witnessed(self._workshop, by, "identity", ask, about)
        if answer is None:
            raise NobodyToShow
        return answer

    def _shown(self, by: Actor, row: Locked) -> dict[str, Any]:
        known, _ = self._vault.open(row)
        number = rules.masked(known.number) if by.role is Role.INVIGILATOR else known.number
        photo = b64encode(known.photo).decode()
        return {"name": known.name, "document": known.document, "number": number, "photo": photo}


def _station(by: Actor) -> str:
    """The station whose people are all that he is shown; nothing for the centre's reviewer."""
    kind, _, station = by.body.partition("-")
    if kind != "station" and by.role is not Role.CENTRE_REVIEWER:
        raise OtherStation
    return station


def _application(connection: Connection[Any], application: str, own: str) -> dict[str, Any] | None:
    builds.see_live(connection)
    with connection.cursor(row_factory=dict_row) as rows:
        return queries.application(rows, application, own)
