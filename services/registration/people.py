"""建档 and its end: identity into the vault and commitments onto the log, both or neither."""

from collections.abc import Callable
from datetime import date
from typing import Any

from psycopg import Connection, errors

from services.registration.domain import identity as rules
from services.registration.domain.person import EnrolPerson, ErasePerson, PersonExists
from shared.bus.calls import Refused
from shared.kernel.errors import InvalidInput, Refusal
from shared.security.vault import Commitments, Identity, Locked, Vault

_ROW = "SELECT person::text, number_index, wrapped_key, sealed FROM vault WHERE person = %s"
_ERASE = """
UPDATE vault SET number_index = NULL, name_index = NULL, wrapped_key = NULL, sealed = NULL
 WHERE person = %s AND sealed IS NOT NULL
"""
_NO_NUMBER = InvalidInput(
    "number", zh="只有空格，请录入证件号码。", en="It is only spaces; enter the number."
)

Work = Callable[[Connection[Any]], Any]


class People:
    """The vault's rows in registration's database."""

    def __init__(self, vault: Vault, with_connection: Callable[[Work], Any]) -> None:
        self._vault = vault
        self._with_connection = with_connection  # does the work, again where a connection breaks

    def enrol(self, message: Any) -> dict[str, Any]:
        """Checks the document, locks the identity away, records that a person exists.

        The same identity under the same id is the same enrolment; under another id it is refused (R029).
        Answers {stream, version, events}.
        """
        try:
            return self._enrol(message)
        except Refusal as refusal:
            raise Refused.of(refusal) from None

    def _enrol(self, message: Any) -> dict[str, Any]:
        fields = message.fields
        number = rules.spelled(fields["number"])
        if not number:
            raise _NO_NUMBER
        identity = Identity(fields["name"], fields["document"], number, fields["photo"])
        rules.check_document(identity.document, identity.number, date.today())
        known = self.find(fields["candidate"])
        try:
            return self._decide(message, identity, known)
        except Refused:
            # a repeat of this very message may have committed after our look, under salts of its own
            found = None if known else self.find(fields["candidate"])
            if found is None:
                raise
            return self._decide(message, identity, found)

    def _decide(
        self, message: Any, identity: Identity, known: tuple[Identity, Commitments] | None
    ) -> dict[str, Any]:
        candidate = message.fields["candidate"]
        if known is not None and known[0] != identity:
            raise PersonExists
        locked, commitments = self._vault.lock(candidate, identity)
        name_index = self._vault.name_index(rules.plain_name(identity.name))
        return message.decide(
            EnrolPerson,
            {
                "candidate": candidate,
                "document": identity.document,
                "identity_commitment": (known[1] if known else commitments).identity,
                "photo_commitment": (known[1] if known else commitments).photo,
            },
            None if known else lambda connection: _insert(connection, locked, name_index),
        )

    def find(self, person: str) -> tuple[Identity, Commitments] | None:
        """Who this is; None if nobody, or erased."""
        row = self._with_connection(lambda connection: connection.execute(_ROW, (person,)).fetchone())
        return self._vault.open(Locked(*row)) if row and row[3] is not None else None

    def holder(self, _by: Any, candidate: str, name: str) -> dict[str, Any]:
        """Whether this is the name of that person: {matches, document_masked}; nothing else is told."""
        known = self.find(candidate)
        matches = known is not None and rules.same_name(known[0].name, name)
        number = known[0].number if known and matches else ""
        return {"matches": matches, "document_masked": rules.masked(number)}

    def erase(self, message: Any) -> dict[str, Any]:
        """Records that the person is erased, and destroys his key and content, both or neither.

        Every event and proof stays valid. Answers {stream, version, events}.
        """
        person = message.fields["candidate"]
        answer: dict[str, Any] = message.decide(
            ErasePerson, message.fields, lambda connection: destroy(connection, person)
        )
        return answer


def destroy(connection: Connection[Any], person: str) -> None:
    """The person's key and content are gone for good."""
    connection.execute(_ERASE, (person,))


def _insert(connection: Connection[Any], row: Locked, name_index: bytes) -> None:
    try:
        connection.execute(
            "INSERT INTO vault (person, number_index, wrapped_key, sealed, name_index)"
            " VALUES (%s, %s, %s, %s, %s)",
            (row.person, row.number_index, row.wrapped_key, row.sealed, name_index),
        )
    except errors.UniqueViolation as violation:
        refusal = PersonExists if violation.diag.constraint_name == "vault_pkey" else rules.IdNumberInUse
        raise refusal from None
