"""People found again for the clerks of a station: by name, or by the document in hand (R029, R207)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from services.registration import queries
from services.registration.domain import identity as rules
from services.registration.domain.errors import OtherStation
from shared.kernel.actors import Actor
from shared.kernel.errors import Refusal
from shared.runtime import reading
from shared.runtime.workshop import Workshop
from shared.security.vault import Locked, Vault
from shared.store import builds

_AT_ONCE = 500  # rows that one search gives their index, if it has to
_WITHOUT = """
SELECT person::text, number_index, wrapped_key, sealed FROM vault
 WHERE name_index IS NULL AND sealed IS NOT NULL ORDER BY person LIMIT %s
"""
_OF_DOCUMENT = """
SELECT person::text, number_index, wrapped_key, sealed FROM vault
 WHERE number_index = %s AND sealed IS NOT NULL
"""
_INDEX = "UPDATE vault SET name_index = %s WHERE person = %s AND sealed IS NOT NULL"


class NamesNotIndexed(Refusal):
    """较早建档的人员正在编入姓名索引；请稍后再查。

    People who were enrolled earlier are being indexed by name; search again in a moment.
    """


class Search:
    """`Search(workshop, vault).named(by, name=…)`; that somebody searched is an event without the name."""

    def __init__(self, workshop: Workshop, vault: Vault) -> None:
        self._workshop, self._vault = workshop, vault

    def named(self, by: Actor, name: str, batch: str, status: str) -> list[dict[str, Any]]:
        """Applications at the own station of everybody who has exactly this name, newest first."""
        kind, _, station = by.body.partition("-")
        if kind != "station":
            raise OtherStation
        asked = {"index": self._index(name), "station": station, "batch": batch, "status": status}
        self._workshop.persistently(self._fill)
        ask = partial(_ask, asked=asked)
        about = {"batch": batch}
        found: list[dict[str, Any]] = witnessed(self._workshop, by, "applications_named", ask, about)
        return found

    def enrolled(self, by: Actor, document: str, number: str, name: str) -> list[dict[str, Any]]:
        """Under which id the holder of a document is enrolled: [{candidate}], or [].

        The name has to be his too: a number alone, tried or mistyped, tells nothing of whose it is.
        """
        index = self._vault.number_index(document, rules.spelled(number))

        def ask(connection: Connection[Any]) -> list[dict[str, Any]]:
            row = connection.execute(_OF_DOCUMENT, (index,)).fetchone()
            known = row and rules.same_name(self._vault.open(Locked(*row))[0].name, name)
            return [{"candidate": row[0]}] if row and known else []

        found: list[dict[str, Any]] = witnessed(self._workshop, by, "enrolled_as", ask, {})
        return found

    def _index(self, name: str) -> bytes:
        return self._vault.name_index(rules.plain_name(name))

    def _fill(self, connection: Connection[Any]) -> None:
        """Names of rows that are older than their index; NamesNotIndexed while there are more."""
        rows = connection.execute(_WITHOUT, (_AT_ONCE,)).fetchall()
        with connection.transaction():
            for row in rows:
                known, _ = self._vault.open(Locked(*row))
                connection.execute(_INDEX, (self._index(known.name), row[0]))
        if len(rows) == _AT_ONCE:
            raise NamesNotIndexed


def witnessed(
    workshop: Workshop,
    by: Actor,
    query: str,
    ask: Callable[[Connection[Any]], Any],
    about: dict[str, Any],
) -> Any:
    """The answer; that somebody asked is committed with it, and says `about` and nothing that he typed."""
    source, said = workshop.settings.source("registration"), reading.sensitive("registration", query)

    def work(connection: Connection[Any]) -> Any:
        return reading.witnessed(connection, source, by, partial(ask, connection), about, said)

    answer = workshop.persistently(work)
    workshop.committed()
    return answer


def _ask(connection: Connection[Any], asked: dict[str, Any]) -> list[dict[str, Any]]:
    builds.see_live(connection)
    with connection.cursor(row_factory=dict_row) as rows:
        return queries.applications_named(rows, **asked)
