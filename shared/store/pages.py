"""Parts of lists in SQL: a page by its key, behind the page before it; the rows of one's own station."""

from collections.abc import Sequence


def page(table: str, equal: Sequence[str], key: str, *, newest: bool = True) -> str:
    """Condition, order and limit of rows whose `equal` columns are as asked, by `key`, newest first or last.

    Needs an index over (*equal, key); each column, `after` and `limit` are parameters of that name. All are
    compared as one row: of `station = …` the planner may think that walking the primary key finds enough of
    them soon, and then walks past a million rows of others.
    """
    way, back, order = ("<", ">=", " DESC") if newest else (">", "<=", "")
    places = [f"{table}.{column}" for column in (*equal, key)]
    found = f"({', '.join(places)}) {way} ({_asked((*equal, 'after'))})"
    if equal:
        found += f" AND ({', '.join(places[:-1])}) {back} ({_asked(equal)})"
    return f"{found} ORDER BY {', '.join(place + order for place in places)} LIMIT %(limit)s"


def of_station(own: str) -> str:
    """A further condition, for whoever is shown his own station alone; nothing for everybody else."""
    return " AND station = %(own)s" if own else ""


def _asked(names: Sequence[str]) -> str:
    return ", ".join(f"%({name})s" for name in names)
