"""Gathered rows: what handlers write for many events, sent at once and written in the order they asked for.

A statement sent by itself costs its sender more (15 µs) than PostgreSQL (11 µs), pipeline or not. So while a
build grows, statements travel as one JSON array, and a function with all their texts writes them row by row:
an UPDATE still finds what the INSERT before it wrote. The function lives as long as its transaction.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import orjson
from psycopg import Cursor
from psycopg.types.json import Jsonb

_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b((?!\bRETURNING\b)([^%]|%s))*", re.IGNORECASE)
_TYPES = (
    "SELECT name, parameter_types::text[] FROM pg_prepared_statements WHERE starts_with(name, 'gathered_')"
)
_FUNCTION = """
CREATE FUNCTION gathered(steps jsonb) RETURNS void LANGUAGE plpgsql AS $gathered$
DECLARE
    _step jsonb;
BEGIN
    FOR _step IN SELECT value FROM jsonb_array_elements(steps) LOOP
        CASE (_step->0)::int {cases} END CASE;
    END LOOP;
END $gathered$
"""


class Gathered:
    """Rows that wait for `write`. Whatever is no plain writing statement sees all that came before it."""

    def __init__(self, cursor: Cursor[Any]) -> None:
        self._cursor = cursor
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
        return None

    def write(self) -> None:
        """Writes what was gathered."""
        if not self._steps:
            return
        types = self._types()
        cases = [
            f"WHEN {place} THEN {_filled(query, map(_taken, count(1), types[f'gathered_{place}']))};"
            for query, place in self._places.items()
        ]
        self._do(_FUNCTION.format(cases=" ".join(cases)))
        self._do("SELECT gathered(%s)", (Jsonb(self._steps, dumps=orjson.dumps),))
        self._do("DROP FUNCTION gathered")
        self._steps.clear()

    def _types(self) -> dict[str, list[str]]:
        """The types that PostgreSQL itself finds for the parameters of each statement."""
        for query, place in self._places.items():
            numbered = _filled(query, [f"${number}" for number in range(1, query.count("%s") + 1)])
            self._do(f"PREPARE gathered_{place} AS {numbered}")
        types = dict(self._do(_TYPES).fetchall())
        for name in types:
            self._do(f"DEALLOCATE {name}")
        return types

    def _do(self, query: str, params: Sequence[Any] | None = None) -> Cursor[Any]:
        return self._cursor.execute(query, params, prepare=False)  # the function is another one each time


def _filled(query: str, words: Iterable[str]) -> str:
    """The statement with a word in the place of each parameter."""
    first, *others = query.split("%s")
    return first + "".join(word + text for word, text in zip(words, others, strict=True))


def _taken(place: int, kind: str) -> str:
    """A parameter as the function finds it in a step."""
    if not kind.endswith("[]"):
        return f"(_step->>{place})::{kind}"
    items = f"ARRAY(SELECT jsonb_array_elements_text(_step->{place}))"
    return f"(CASE WHEN _step->>{place} IS NOT NULL THEN {items} END)::{kind}"
