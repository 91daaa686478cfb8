"""What several pages let somebody choose."""

from flask_babel import gettext as _

from services.gateway.console.desk import Desk, Row
from services.gateway.console.language import day
from services.gateway.console.parts.form import Field

_NEWEST = 50


def batch(desk: Desk, chosen: str) -> Field:
    """One of the newest batches of the own station; at the centre an id, with the newest proposed."""
    if desk.me.station:
        found = desk.ask("scheduling", "latest_batches", station=desk.me.station, limit=_NEWEST)
        known = [("", _("请选择批次。")), *((row["batch"], _named(row)) for row in found)]
        return Field("batch", _("批次"), "choice", known, value=chosen, required=False)
    found = [
        row
        for stage in ("seated", "closed")
        for row in desk.tried("scheduling", "agenda", stage=stage, limit=_NEWEST) or []
    ]
    known = [(row["batch"], f"{row['station']} {_named(row)}") for row in found]
    return Field("batch", _("批次编号"), options=known, value=chosen)


def _named(row: Row) -> str:
    return f"{row['occupation']} {day(row['theory_at'])}"
