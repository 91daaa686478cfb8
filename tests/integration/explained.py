"""What a query reads, as PostgreSQL tells it."""

from typing import Any


class Explained:
    """Rows as a query sees them; keeps the plan of what it asked."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows
        self.plan: dict[str, Any] = {}

    def execute(self, query: str, asked: Any) -> Any:
        found = self._rows.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", asked).fetchone()
        self.plan = found["QUERY PLAN"][0]["Plan"]
        return self._rows.execute(query, asked)


def touched(plan: dict[str, Any], without: str = "") -> float:
    """How many rows were read, but for those of the table `without`."""
    if without and plan.get("Relation Name") == without:
        return 0
    if "Plans" in plan:
        return sum(touched(each, without) for each in plan["Plans"])
    read = sum(plan.get(key, 0) for key in ("Actual Rows", "Rows Removed by Filter"))
    return float(read * plan["Actual Loops"])
