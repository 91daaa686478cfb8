"""Accounts: facts onto the log, names and passwords beside the vault, both or neither."""

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from services.registration import queries
from services.registration.domain.account import ChangePassword, CloseAccount, LinkLogin, OpenAccount
from services.registration.sessions import Sessions
from shared.bus.calls import Refused
from shared.kernel.errors import Refusal

Answer = dict[str, Any]
Work = Callable[[Connection[Any]], Any]


class Accounts:
    """Each takes an accepted message. The same command id again gets the same answer, and changes nothing."""

    def __init__(self, sessions: Sessions) -> None:
        self._logins, self._sessions = sessions.logins, sessions

    def open(self, message: Any) -> Answer:
        fields = message.fields
        password, told = self._hashed(fields.get("password")), fields["account"]
        appointments = fields["appointments"]

        def keep(connection: Connection[Any]) -> None:
            self._logins.open(connection, told, fields["name"], password)

        return _answer(message, OpenAccount, {"account": told, "appointments": appointments}, keep)

    def close(self, message: Any) -> Answer:
        told = message.fields["account"]
        return _answer(message, CloseAccount, {"account": told}, lambda c: self._logins.close(c, told))

    def change_password(self, message: Any) -> Answer:
        """One's own only with the one that it has been; wrong ones count as in a log-in."""
        fields = message.fields
        told, password = fields["account"], self._hashed(fields["password"])
        assert password is not None
        if message.by.id == told:
            self._sessions.check(told, fields.get("current", ""))

        def keep(connection: Connection[Any]) -> None:
            self._logins.change(connection, told, password)

        return _answer(message, ChangePassword, {"account": told}, keep)

    def link(self, message: Any) -> Answer:
        fields = message.fields
        told, issuer, subject = fields["account"], fields["issuer"], fields["subject"]

        def keep(connection: Connection[Any]) -> None:
            self._logins.bind(connection, told, issuer, subject)

        return _answer(message, LinkLogin, {"account": told}, keep)

    def named(self, rows: list[Answer]) -> list[Answer]:
        """Rows of accounts with the names to be shown."""
        return self._sessions.named(rows)

    def examiners(
        self, rows: Any, station: str, text: str, after: str, limit: int, own: str = ""
    ) -> list[Answer]:
        """As the query of that name; `text` may be a login name, too."""
        login = self._logins.by_name(rows.connection, text) if text else None
        found = login.account if login else text
        return queries.examiners(rows, station, found, after, limit, own)

    def _hashed(self, password: str | None) -> str | None:
        try:
            return None if password is None else self._logins.hashed(password)
        except Refusal as refusal:
            raise Refused.of(refusal) from None


def _answer(message: Any, command: type[Any], fields: Answer, alongside: Work) -> Answer:
    answer: Answer = message.decide(command, fields, alongside)
    return answer
