"""Gathered rows: what handlers write for many events, sent at once and written in the order they asked for.

A statement sent by itself costs its sender more (15 µs, under eventlet 60) than PostgreSQL (11 µs), pipeline
or not. So statements travel as one JSON array, and a block with all their texts writes them row by row: an
UPDATE still finds what the INSERT before it wrote. A block takes no parameters, so it finds the array in a
setting that ends with the transaction. Within a pipeline, PostgreSQL writes while further rows are gathered.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import orjson
from psycopg import Cursor

_PORTION = 1000  # rows
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b((?!\bRETURNING\b)([^%]|%s))*", re.IGNORECASE)
_TYPES = "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'gathered'"
_PUT = "SELECT set_config('jianding.gathered', %s::text, true)"
_BLOCK = """
DO $gathered$
DECLARE
    _step jsonb;
BEGIN
    FOR _step IN SELECT value FROM jsonb_array_elements(current_setting('jianding.gathered')::jsonb) LOOP
        CASE (_step->0)::int {cases} END CASE;
    END LOOP;
END $gathered$
"""

Kinds = dict[str, list[str]]
"""Of each statement, the types of its parameters. They follow from the tables: keep one for each of those."""


class Gathered:
    """Rows that wait for `write`. Whatever is no plain writing statement sees all that came before it."""

    def __init__(self, cursor: Cursor[Any], kinds: Kinds | None = None) -> None:
        """In a transaction. `kinds` of earlier ones spare a journey to the database."""
        self._cursor = cursor
        self._kinds: Kinds = {} if kinds is None else kinds
        self._places: dict[str, int] = {}
        self._steps: list[tuple[Any, ...]] = []

    def execute(self, query: str, params: Sequence[Any] | None = None) -> Any:
        """As Cursor.execute; what a plain INSERT, UPDATE or DELETE gives back is nothing."""
        place = self._places.get(query)
        if place is None:
            if not _WRITES.fullmatch(query):
                self.write()
                return self._cursor.execute(query, params)
            place = self._places[query] = len(self._places)
        self._steps.append((place, *(params or ())))
        if len(self._steps) == _PORTION:
            self.write()
        return None

    def write(self) -> None:
        """Has PostgreSQL write what was gathered."""
        if not self._steps:
            return
        cases = " ".join(self._case(query, place) for query, place in self._places.items())
        self._cursor.execute(_PUT, (orjson.dumps(self._steps).decode(),))
        self._cursor.execute(_BLOCK.format(cases=cases), prepare=False)
        self._steps.clear()

    def _case(self, query: str, place: int) -> str:
        kinds = self._kinds.get(query)
        if kinds is None:
            kinds = self._kinds[query] = self._asked(query)
        return f"WHEN {place} THEN {_filled(query, map(_taken, count(1), kinds))};"

    def _asked(self, query: str) -> list[str]:
        """The types that PostgreSQL itself finds for the parameters of a statement."""
        numbered = _filled(query, [f"${number}" for number in range(1, query.count("%s") + 1)])
        self._cursor.execute(f"PREPARE gathered AS {numbered}", prepare=False)
        ((kinds,),) = self._cursor.execute(_TYPES).fetchall()
        self._cursor.execute("DEALLOCATE gathered", prepare=False)
        return list(kinds)


def _filled(query: str, words: Iterable[str]) -> str:
    """The statement with a word in the place of each parameter."""
    first, *others = query.split("%s")
    return first + "".join(word + text for word, text in zip(words, others, strict=True))


def _taken(place: int, kind: str) -> str:
    """A parameter as the block finds it in a step."""
    if not kind.endswith("[]"):
        return f"(_step->>{place})::{kind}"
    items = f"ARRAY(SELECT jsonb_array_elements_text(_step->{place}))"
    return f"(CASE WHEN _step->>{place} IS NOT NULL THEN {items} END)::{kind}"
